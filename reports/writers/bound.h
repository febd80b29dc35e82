/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long to run: the armed windows that show a cause to be rarer than a stated rate, beside those that there were.
 * Planning, not judging: no verdict depends on it.
 */
#ifndef VCPULAT_BOUND_H
#define VCPULAT_BOUND_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/err.h"

struct bound {
	double rate;	  /* events per unit, above 0 */
	double unit_s;	  /* seconds of the unit */
	const char *unit; /* "s", "min", "h" or "d" */
};

/**
 * bound_parse - read a rate
 * @text: e.g. "0.1/h", "2/min"
 * @ret: set to it
 * @err: says what is allowed
 *
 * Return: 0 or -EINVAL.
 */
int bound_parse(const char *text, struct bound *ret, struct err *err);

/**
 * bound_print - for each provoked cause and arm: what was shown, and how much more would show the bound
 * @out: where; TABLE_COLUMNS wide
 * @comparison: of schema vcpulat-comparison-1
 * @bound: the rate
 * @all_causes: also causes that no scenario provokes
 *
 * Where hits come in clusters (an index of dispersion above 1) the length is multiplied by that index.
 */
void bound_print(FILE *out, const json_t *comparison, const struct bound *bound, bool all_causes);

#endif
