/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by compare*.c only. */
#ifndef VCPULAT_COMPARE_P_H
#define VCPULAT_COMPARE_P_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "reports/compare.h"
#include "reports/pool.h"

/* Distinct names in order of appearance, borrowed. */
struct name_list {
	const char **name;
	size_t count;
};

struct comparison {
	struct pool_run *run;
	size_t runs;
	struct name_list scenarios;
	struct name_list arms; /* the baseline first */
	char *half[2];	       /* names of the halves of one arm, in an A/A comparison */
	uint64_t seed;
};

/**
 * name_list_add - append a name unless it is there
 * @list: may be zeroed
 * @name: borrowed
 *
 * Return: 0 or -ENOMEM.
 */
int name_list_add(struct name_list *list, const char *name);

/**
 * comparison_init - sort results into runs, arms and scenarios
 * @c: zeroed; end it with comparison_done() in any case
 * @results: borrowed
 * @n: how many
 * @params: not NULL
 * @err: says what does not fit
 *
 * Return: 0 or -errno.
 */
int comparison_init(struct comparison *c, const json_t *const *results, size_t n, const struct compare_params *params,
		    struct err *err);

/**
 * comparison_done - free it
 * @c: may be zeroed or half-built
 */
void comparison_done(struct comparison *c);

/**
 * comparison_causes - the causes of a scenario: the provoked ones first, then by time lost
 * @c: initialised
 * @scenario: its name
 * @ret_list: appended to; the caller frees its array
 * @ret_provoked: how many of them are provoked
 *
 * Return: 0 or -ENOMEM.
 */
int comparison_causes(const struct comparison *c, const char *scenario, struct name_list *ret_list,
		      size_t *ret_provoked);

/**
 * comparison_claims - does an arm claim to remove or add a cause?
 * @c: initialised
 * @arm: its name
 * @claim: "removes" or "adds"
 * @cause: matched against the shell patterns of that list
 */
bool comparison_claims(const struct comparison *c, const char *arm, const char *claim, const char *cause);

/**
 * comparison_arms_json - what is known of each arm
 * @c: initialised
 *
 * Return: a new reference, or NULL.
 */
json_t *comparison_arms_json(const struct comparison *c);

/**
 * comparison_findings_json - what stands beside the figures: kernel logs, partial runs, losses, limits
 * @c: initialised
 *
 * Return: a new reference, or NULL.
 */
json_t *comparison_findings_json(const struct comparison *c);

/**
 * comparison_faults_json - page faults by number of threads, each arm beside the baseline
 * @c: initialised
 * @ret: set to a new reference to {"method", "decidable": whether there are boots enough for any difference to be
 *       significant, "rows": of each scenario, arm, figure and number of threads}; NULL when no run measured them
 *
 * A value is the arithmetic mean of boots. Return: 0 or -ENOMEM.
 */
int comparison_faults_json(const struct comparison *c, json_t **ret);

/**
 * comparison_stimulus_json - what stimuli say of their actions in figures, the arms side by side
 * @c: initialised
 * @ret: set to a new reference to an array of {"scenario", "kind", "figure", "unit", "window": armed or control,
 *       "arms": of each that gave it {"arm", "n", "min", "median", "max"}}; NULL when no run gave figures
 *
 * Values of all runs of an arm are put together. Return: 0 or -ENOMEM.
 */
int comparison_stimulus_json(const struct comparison *c, json_t **ret);

#endif
