/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading results and comparisons back, as hostile as any other input. */
#ifndef VCPULAT_LOAD_H
#define VCPULAT_LOAD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"
#include "common/err.h"

#define LOAD_RESULT_SCHEMA "vcpulat-result-1"
#define LOAD_COMPARISON_SCHEMA "vcpulat-comparison-1"

struct load_results {
	const json_t **result; /* count owned references */
	size_t count;
};

/**
 * load_result_path - where a bundle's result lies
 * @path: a bundle, or the result itself
 *
 * Return: the file in the bundle, else the one beside it, which need not exist, or @path where that is no directory;
 * for the caller to free. NULL without memory.
 */
char *load_result_path(const char *path);

/**
 * load_file - read a result or a comparison
 * @path: the file, or a bundle: then its result, in it or beside it
 * @ret: new reference, with the file's path as member "path"
 * @err: names the file and what is wrong
 *
 * Return: 0, -EINVAL when it is neither or its version is not ours, or another -errno.
 */
int load_file(const char *path, json_t **ret, struct err *err);

/**
 * load_is_comparison - which of the two?
 * @document: from load_file()
 */
bool load_is_comparison(const json_t *document);

/**
 * load_results_add - append a result
 * @results: may be zeroed
 * @result: its reference is taken, also on failure
 *
 * Return: 0 or -ENOMEM.
 */
int load_results_add(struct load_results *results, json_t *result);

/**
 * load_results_of - read the results a comparison was made from
 * @comparison: from load_file()
 * @results: appended to
 * @err: names the missing file
 *
 * A path that leads nowhere is looked for below the comparison's directory.
 * Return: 0 or -errno.
 */
int load_results_of(const json_t *comparison, struct load_results *results, struct err *err);

/**
 * load_results_done - drop the references
 * @results: may be zeroed
 */
void load_results_done(struct load_results *results);

#endif
