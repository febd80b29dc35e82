/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exact figures: the gaps of a result in instructions, per cause. A gap of the result and
 * one of the meter are the same when the same turn of the probe ended them.
 *
 * Medians are values that occurred. Gaps are grouped by path: the sequence of functions
 * they went through. Within a path values recur to the instruction, unless a branch inside a
 * function went the other way or a loop once more: a handful of values, each exact.
 */
#ifndef VCPULAT_EXACT_H
#define VCPULAT_EXACT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"
#include "reports/exact/meter.h"

#define EXACT_SCHEMA "vcpulat-exact-1"

/**
 * exact_build - a run's gaps in instructions
 * @data: what the meter says
 * @result: document of schema vcpulat-result-1: gives causes, windows and single; NULL: a run
 *          without a trace, every gap's cause is what its instructions show
 * @ret: set to a new reference to a document of schema vcpulat-exact-1
 *
 * A gap counts for the one cause that both the trace and its instructions allow. Gaps of
 * the result in control windows and guards are left out, as in the result's own figures.
 * Return: 0 or -ENOMEM.
 */
int exact_build(const struct meter_data *data, const json_t *result, json_t **ret);

/**
 * exact_merge - runs of the same arm and scenario as one
 * @exact: documents of exact_build(); borrowed
 * @n: how many, at least 1
 * @ret: set to a new reference to one such document
 *
 * The median of a function is that of its runs' medians, each counted as often as it has
 * gaps. Paths and misses are those of the first run. Return: 0 or -ENOMEM.
 */
int exact_merge(const json_t *const *exact, size_t n, json_t **ret);

/**
 * exact_compare - where the instructions of two arms differ, cause by cause and function by function
 * @exact: of the arm
 * @against: of the arm it is compared with
 * @ret: set to a new reference to an array, one object a cause
 *
 * A difference is that of the medians. A function has "changed" when its ranges in the two
 * arms do not overlap and chance would do that to any of the cause's functions that vary in
 * less than one of twenty comparisons; ranges "apart" with too few gaps for that are not claimed; a
 * median that moved within overlapping ranges "varies".
 * Return: 0 or -ENOMEM.
 */
int exact_compare(const json_t *exact, const json_t *against, json_t **ret);

struct exact_budget {
	char cause[256]; /* or "CAUSE;FUNCTION" */
	bool max;	 /* of the largest gap, not of the median one */
	uint64_t insns;	 /* host and guest together, at most */
};

/**
 * exact_budget_parse - read "CAUSE<=N", "CAUSE;FUNCTION<=N", "CAUSE:max<=N" or "CAUSE;FUNCTION:max<=N"
 * @text: e.g. "host/kworker/vmstat_update<=12000"
 * @ret: set
 * @err: says what is wrong
 *
 * Return: 0 or -EINVAL.
 */
int exact_budget_parse(const char *text, struct exact_budget *ret, struct err *err);

/**
 * exact_budget_met - does a run stay within a budget?
 * @budget: the budget
 * @exact: of the run
 * @ret_insns: what it took; 0 when the cause did not occur, which meets any budget
 */
bool exact_budget_met(const struct exact_budget *budget, const json_t *exact, uint64_t *ret_insns);

/* How closely two places of a cause are compared: each includes those before it. */
enum exact_depth { EXACT_LAYER = 1, EXACT_CONTEXT, EXACT_FUNCTION };

/**
 * exact_order - order of two functions of a cause, for qsort()
 * @a: one of a cause's "functions"
 * @b: another
 * @depth: what makes them differ
 *
 * Return: less than, equal to or greater than 0.
 */
int exact_order(const json_t *a, const json_t *b, enum exact_depth depth);

/**
 * exact_find - one cause of a run
 * @exact: of exact_build()
 * @cause: e.g. "host/kworker/vmstat_update"
 *
 * Return: borrowed; NULL when it did not occur.
 */
const json_t *exact_find(const json_t *exact, const char *cause);

/**
 * exact_row - what one cause costs natively and in guests
 * @native: of runs without a guest; may be NULL
 * @guest: of runs with one; may be NULL
 * @bare: of runs with a bare one; may be NULL
 * @cause: the cause
 *
 * Return: new reference to {"native", "guest", "bare", "amplification"}, each of which may be
 * null: the first three are the cause's figures without functions and paths, the last the ratio
 * of the median totals of the first two. JSON null when none has it.
 */
json_t *exact_row(const json_t *native, const json_t *guest, const json_t *bare, const char *cause);

/**
 * exact_print_comparison - what exact_compare() found, in words
 * @out: where
 * @comparison: of exact_compare()
 * @arm: name of the arm
 * @against: name of the other
 */
void exact_print_comparison(FILE *out, const json_t *comparison, const char *arm, const char *against);

#endif
