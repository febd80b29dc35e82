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

#endif
