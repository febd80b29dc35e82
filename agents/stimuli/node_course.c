// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimuli/node_course.h"

#include <stdbool.h>

static void add_time(struct node_course *c, int64_t ms)
{
	const long half = c->last.min / 2;
	const bool truly = c->last.free <= half;
	const bool by_count = c->last.counted <= half;

	c->below_min_ms += c->last.free <= c->last.min ? ms : 0;
	c->false_alarm_ms += by_count && !truly ? ms : 0;
	c->unseen_ms += truly && !by_count ? ms : 0;
}

void node_course_add(struct node_course *course, const struct node_memory *memory, int64_t now_ms)
{
	const long held = memory->free - memory->counted;

	if (course->looks++ == 0)
		*course = (struct node_course){ .looks = 1,
						.first = *memory,
						.lowest = *memory,
						.least_free = memory->free,
						.least_held = held,
						.most_held = held };
	else
		add_time(course, now_ms - course->last_ms);
	if (memory->counted <= course->lowest.counted)
		course->lowest = *memory;
	course->least_free = memory->free < course->least_free ? memory->free : course->least_free;
	course->least_held = held < course->least_held ? held : course->least_held;
	course->most_held = held > course->most_held ? held : course->most_held;
	course->last = *memory;
	course->last_ms = now_ms;
}
