/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trace and meter see the same work items, one from inside, the other from outside: which did
 * both find in the same gap, and why did one of them miss what it missed?
 */
#ifndef VCPULAT_EXACT_AGREE_H
#define VCPULAT_EXACT_AGREE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "reports/exact/meter.h"

struct exact_agree {
	const struct meter_data *data;
	json_t *hits;	/* by cause: {"cause", "both", "trace_only", "meter_only"} */
	json_t *misses; /* {"turn", "cause", "seen_by", "why"}, the first 100 */
};

/**
 * exact_agree_joined - a gap that both have
 * @agree: its data is set
 * @gap: of the meter
 * @timed: of the result
 */
void exact_agree_joined(struct exact_agree *agree, const struct meter_gap *gap, const json_t *timed);

/**
 * exact_agree_unseen - a gap that only the meter has
 * @agree: its data is set
 * @gap: of the meter
 */
void exact_agree_unseen(struct exact_agree *agree, const struct meter_gap *gap);

/**
 * exact_agree_unmetered - a gap that the meter does not have
 * @agree: its data is set
 * @timed: of the result
 */
void exact_agree_unmetered(struct exact_agree *agree, const json_t *timed);

/**
 * exact_print_agreement - how many work items both saw, and each miss with its reason
 * @out: where
 * @exact: of exact_build(); NULL: nothing is printed
 */
void exact_print_agreement(FILE *out, const json_t *exact);

#endif
