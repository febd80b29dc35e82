/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A comparison on a terminal: 100 columns at most, then the verdicts. */
#ifndef VCPULAT_TABLE_H
#define VCPULAT_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define TABLE_COLUMNS 100

struct table_params {
	bool colour;	 /* the words are the same without */
	bool all_causes; /* also causes that no scenario provokes */
};

/**
 * table_print - print a comparison
 * @out: where
 * @comparison: of schema vcpulat-comparison-1
 * @params: NULL: no colour, provoked causes and the worst of the others
 */
void table_print(FILE *out, const json_t *comparison, const struct table_params *params);

/**
 * table_wants_colour - is the stream a terminal that shows colours?
 * @out: the stream
 *
 * NO_COLOR and TERM=dumb are respected.
 */
bool table_wants_colour(FILE *out);

#endif
