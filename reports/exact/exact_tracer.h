/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tracing itself costs: each cause's gap in traced runs, its share of instructions in
 * tracing code, and the same gap in runs without a trace of the same arm. What tracing executes
 * in helpers that others call too is in no share: it is the difference that is left.
 */
#ifndef VCPULAT_EXACT_TRACER_H
#define VCPULAT_EXACT_TRACER_H

#include <jansson.h>
#include <stdio.h>

#include "reports/exact/exact_groups.h"

/**
 * exact_tracer - traced and untraced runs side by side
 * @groups: of the results
 *
 * Return: new reference to an array, one object for each arm of which there are both:
 * {"scenario", "guest", "arm", "causes": [{"cause", "traced", "tracer", "untraced"}]}, the last
 * three being figures of exact_build(): totals, and instructions in tracing code.
 */
json_t *exact_tracer(const struct exact_groups *groups);

/**
 * exact_print_tracer - the same as a table of medians
 * @out: where
 * @tracer: of exact_tracer(); nothing is printed when it is empty or NULL
 */
void exact_print_tracer(FILE *out, const json_t *tracer);

#endif
