/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far a node's counters are from its lists while somebody looks, and what whoever asks the counters gets wrong. */
#ifndef VCPULAT_NODE_COURSE_H
#define VCPULAT_NODE_COURSE_H

#include <stdint.h>

#include "agents/stimuli/node_memory.h"

/* What CPUs hold back is free - counted: below 0 where they took pages that are counted still. */
struct node_course {
	unsigned int looks;
	struct node_memory first;
	struct node_memory lowest; /* by count */
	struct node_memory last;
	int64_t last_ms;
	long least_free;
	long least_held;
	long most_held;
	/* Of the time between looks, by the earlier one. At half the min watermark direct reclaim waits for kswapd. */
	int64_t below_min_ms;	/* in truth */
	int64_t false_alarm_ms; /* at the half by count, above in truth */
	int64_t unseen_ms;	/* at the half in truth, above by count */
};

/**
 * node_course_add - one look more
 * @course: zeroed before the first
 * @memory: of the node
 * @now_ms: never before the last one
 */
void node_course_add(struct node_course *course, const struct node_memory *memory, int64_t now_ms);

#endif
