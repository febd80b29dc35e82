/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Of which gaps the course is kept: segments and events, besides the account that is kept of
 * all. Bounded, so that neither results nor pages grow with the length of a run.
 */
#ifndef VCPULAT_COURSES_H
#define VCPULAT_COURSES_H

#include <stdbool.h>
#include <stddef.h>

#include "reports/attribute.h"
#include "reports/bundle.h"

#define COURSES_PER_CAUSE 100 /* of the longest gaps, and as many of the others */
#define COURSES_MAX 4000      /* fewer per cause when there are very many causes */

/**
 * courses_mark - choose gaps
 * @gaps: attributed
 * @n: how many
 * @ret_marked: one a gap: whether its course is kept
 *
 * Of each cause the longest, and of its other gaps an even sample by length; none of those that are vague. Return: 0
 * or -ENOMEM.
 */
int courses_mark(const struct gap *gaps, size_t n, bool *ret_marked);

/**
 * courses_typical - choose one gap per cause, of median length among those that show it best
 * @bundle: whose gaps they are; its windows say which are armed
 * @gaps: attributed, bundle->n_gaps of them
 * @causes: their table
 * @ret: room for as many numbers of gaps
 * @ret_n: how many there are
 *
 * Only single-cause gaps; in an armed window and mostly explained where there are such. Return: 0 or -ENOMEM.
 */
int courses_typical(const struct bundle *bundle, const struct gap *gaps, const struct causes *causes, size_t *ret,
		    size_t *ret_n);

#endif
