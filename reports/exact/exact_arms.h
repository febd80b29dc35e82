/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exact figures in a comparison of arms: of each row, and function by function against the baseline. */
#ifndef VCPULAT_EXACT_ARMS_H
#define VCPULAT_EXACT_ARMS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/err.h"
#include "reports/exact/exact.h"

/**
 * exact_add - put the exact figures of results into their comparison
 * @comparison: of compare_results(): its rows' member "exact" is set, and a member "exact"
 *              is added: [{"scenario", "guest", "arm", "against", "causes"}], one object for
 *              each arm that is not the baseline, causes being those of exact_compare()
 * @results: what it was made from; those without exact figures are passed over
 * @n: how many
 *
 * Nothing changes when no result has any. Return: 0 or -ENOMEM.
 */
int exact_add(json_t *comparison, const json_t *const *results, size_t n);

/**
 * exact_print_rows - the exact columns: native and in the guest, host and guest share, switches
 * @out: where
 * @comparison: after exact_add(); nothing is printed when it has no exact figures
 * @all: also causes that nobody provoked
 */
void exact_print_rows(FILE *out, const json_t *comparison, bool all);

/**
 * exact_print_arms - where the arms differ, in words
 * @out: where
 * @comparison: after exact_add()
 */
void exact_print_arms(FILE *out, const json_t *comparison);

/**
 * exact_check_budgets - do all runs keep within the budgets?
 * @out: one line a run and budget goes here
 * @results: each is checked alone
 * @n: how many
 * @budget: texts for exact_budget_parse()
 * @budgets: how many
 * @ret_met: set to whether all are
 * @err: says which budget cannot be read, or that no result has exact figures
 *
 * Return: 0 or -EINVAL.
 */
int exact_check_budgets(FILE *out, const json_t *const *results, size_t n, char *const *budget, size_t budgets,
			bool *ret_met, struct err *err);

#endif
