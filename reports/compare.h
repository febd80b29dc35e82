/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results to a comparison of arms: one row a scenario, cause and arm, one verdict a cause
 * that was provoked or claimed, and whether all of it passed. Pure: no file is touched.
 */
#ifndef VCPULAT_COMPARE_H
#define VCPULAT_COMPARE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct compare_params {
	bool aa;	       /* expect no difference: two arms, or the boots of one arm split in halves */
	unsigned int simulate; /* with aa: so many comparisons of windows drawn from these; 0: none */
	uint64_t seed;	       /* of permutations and of the split; same seed, same comparison */
};

/**
 * compare_results - compare arms
 * @results: documents of schema vcpulat-result-1, with member "path" (load.h); borrowed
 * @n: how many
 * @params: NULL: the defaults
 * @ret: set to a new reference to a document of schema vcpulat-comparison-1
 * @err: says what does not fit
 *
 * The baseline is the arm "stock", else the first that claims to remove nothing, else the
 * first. Return: 0, -EINVAL for results that cannot be compared, or -ENOMEM.
 */
int compare_results(const json_t *const *results, size_t n, const struct compare_params *params, json_t **ret,
		    struct err *err);

/**
 * compare_passed - the outcome as an answer
 * @comparison: from compare_results()
 */
bool compare_passed(const json_t *comparison);

#endif
