/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs of one arm in one scenario with one kind of guest, traced or not, as one. */
#ifndef VCPULAT_EXACT_GROUPS_H
#define VCPULAT_EXACT_GROUPS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"

struct exact_group {
	const char *scenario; /* borrowed from a result, as all texts */
	const char *guest;
	const char *arm;
	bool traced;
	json_t *exact; /* of exact_merge(); owned */
};

struct exact_groups {
	struct exact_group *item;
	size_t count;
};

/**
 * exact_groups_make - put results together that are runs of the same
 * @groups: to be ended with exact_groups_done(), also after a failure
 * @results: must outlive the groups; those without exact figures are passed over
 * @n: how many
 *
 * Return: 0 or -ENOMEM.
 */
int exact_groups_make(struct exact_groups *groups, const json_t *const *results, size_t n);

/**
 * exact_groups_find - one of them
 * @groups: made
 * @scenario: name
 * @guest: kind
 * @arm: name
 * @traced: with a trace, or without one
 *
 * Return: borrowed; NULL when there is none.
 */
const struct exact_group *exact_groups_find(const struct exact_groups *groups, const char *scenario, const char *guest,
					    const char *arm, bool traced);

/**
 * exact_groups_done - free what was made
 * @groups: may be zeroed
 */
void exact_groups_done(struct exact_groups *groups);

#define _cleanup_exact_groups_ _cleanup_(exact_groups_done)

#endif
