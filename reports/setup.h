/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was set up for some runs: kernels, command lines, facts of both layers, arm, scenario.
 * Of every key the set of its values over all runs is kept, so that one run compares
 * with one run as well as a hundred with a hundred. What differs from run to run by its nature
 * (identity of the boot, times, process numbers, seeds) is left out.
 */
#ifndef VCPULAT_SETUP_H
#define VCPULAT_SETUP_H

#include <jansson.h>
#include <stddef.h>

#include "common/cleanup.h"
#include "common/err.h"

struct setup {
	char *path;
	size_t runs;
	json_t *sections; /* section -> key -> set of values, words or lines: an object whose members are true */
};

/**
 * setup_load - read what was set up
 * @path: a bundle, a directory with bundles anywhere below it, or a result, which knows less
 * @ret: end it with setup_done(), also after an error
 * @err: names the file and what is wrong
 *
 * Return: 0, -ENOENT when there is no bundle, or another -errno.
 */
int setup_load(const char *path, struct setup *ret, struct err *err);

/**
 * setup_add - take in one run
 * @setup: zeroed before the first
 * @manifest: of a bundle, or a result
 * @host_facts: NULL: not recorded
 * @guest_facts: NULL: not recorded
 *
 * Return: 0 or -ENOMEM.
 */
int setup_add(struct setup *setup, const json_t *manifest, const json_t *host_facts, const json_t *guest_facts);

/**
 * setup_diff - what differs
 * @a: one set-up
 * @b: the other
 *
 * Return: a new reference to a document of schema vcpulat-diff-1, or NULL without memory.
 */
json_t *setup_diff(const struct setup *a, const struct setup *b);

/**
 * setup_done - free what it holds
 * @setup: may be zeroed
 */
void setup_done(struct setup *setup);

#endif
