// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/exact/exact_calibrate.h"

#include <stdbool.h>
#include <string.h>

#include "common/marks.h"
#include "reports/exact/meter_fold.h"

struct sum {
	uint64_t insns;
	uint64_t slack;
	uint64_t gaps;
	bool whole;
};

/* The probe may have run between the marks too. */
static uint64_t known_insns(const struct meter_data *data, const struct meter_gap *gap)
{
	uint64_t insns = 0;

	for (size_t i = 0; i < gap->costs; i++) {
		const struct meter_cost *cost = &gap->cost[i];

		if (!strcmp(names_text(data->names, cost->function), METER_CALIBRATED) &&
		    strcmp(names_text(data->names, cost->context), "probe") != 0)
			insns += cost->insns;
	}
	return insns;
}

/* Gaps that overlap the instructions (begin, end] of their CPU. */
static struct sum sum_between(const struct meter_data *data, uint64_t begin, uint64_t end)
{
	struct sum sum = { .whole = true };

	for (size_t i = 0; i < data->gaps; i++) {
		const struct meter_gap *gap = &data->gap[i];
		uint64_t length = gap->insns[METER_HOST] + gap->insns[METER_GUEST];

		if (!(gap->flags & METER_GAP_BY_INSNS) || gap->position <= begin || gap->position - length >= end)
			continue;
		sum.insns += known_insns(data, gap);
		sum.slack += gap->slack;
		sum.whole &= gap->whole;
		sum.gaps++;
	}
	return sum;
}

static void add(const struct meter_data *data, const struct meter_mark *first, const struct meter_mark *last,
		json_t *list)
{
	struct sum sum = sum_between(data, first->position, last->position);

	if (sum.gaps)
		json_array_append_new(list,
				      json_pack("{s:I,s:I,s:I,s:I,s:b}", "insns", (json_int_t)sum.insns, "rep",
						(json_int_t)(last->rep - first->rep), "slack", (json_int_t)sum.slack,
						"gaps", (json_int_t)sum.gaps, "whole", sum.whole));
}

json_t *exact_calibration(const struct meter_data *data)
{
	json_t *list = json_array();
	const struct meter_mark *first = NULL;

	for (size_t i = 0; i < data->marks; i++) {
		const struct meter_mark *mark = &data->mark[i];

		if (mark->code != MARK_CALIBRATE || mark->cpu != data->run.cpu)
			continue;
		if (first)
			add(data, first, mark, list);
		first = first ? NULL : mark;
	}
	if (json_array_size(list))
		return list;
	json_decref(list);
	return NULL;
}
