/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From bundles to an answer: analyze each, compare the arms, render. The last step of
 * every command that places and repeats runs.
 */
#ifndef VCPULAT_CONCLUDE_H
#define VCPULAT_CONCLUDE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"

struct conclude_params {
	const char *out;       /* directory of comparison.json and report.html */
	const json_t *bundles; /* array of bundle directories; borrowed */
	uint64_t seed;	       /* of permutations */
	bool json;	       /* print the comparison as JSON instead of a table */
};

/**
 * conclude - analyze bundles, compare their arms, write and print what comes out
 * @params: what and where
 * @stream: the table, or the comparison as JSON, goes here
 * @ret_passed: set to whether every expectation was met
 * @err: names the bundle or the file and what is wrong
 *
 * Writes BUNDLE.result.json beside each bundle, OUT/comparison.json and OUT/report.html.
 * Return: 0 or -errno.
 */
int conclude(const struct conclude_params *params, FILE *stream, bool *ret_passed, struct err *err);

#endif
