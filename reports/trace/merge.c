// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/trace/merge.h"

static void fetch(struct merge *merge, enum trace_layer layer)
{
	struct trace_event *event = &merge->event[layer];

	merge->state[layer] = merge->reader[layer] ? reader_next(merge->reader[layer], event) : 0;
	if (merge->state[layer] != 1 || layer == TRACE_HOST)
		return;
	event->tsc = merge->map(merge->ctx, layer, event->cpu, event->tsc);
	if (event->type == TRACE_LOST)
		event->arg = event->arg ? merge->map(merge->ctx, layer, event->cpu, event->arg) : 0;
}

int merge_next(struct merge *merge, struct trace_event *ret)
{
	enum trace_layer layer = TRACE_HOST;

	if (!merge->is_started) {
		fetch(merge, TRACE_HOST);
		fetch(merge, TRACE_GUEST);
		merge->is_started = true;
	}
	for (int i = 0; i < TRACE_LAYER_MAX; i++)
		if (merge->state[i] < 0)
			return merge->state[i];
	if (merge->state[TRACE_GUEST] == 1 &&
	    (merge->state[TRACE_HOST] != 1 || merge->event[TRACE_GUEST].tsc < merge->event[TRACE_HOST].tsc))
		layer = TRACE_GUEST;
	if (merge->state[layer] != 1)
		return 0;
	*ret = merge->event[layer];
	fetch(merge, layer);
	return 1;
}

void merge_done(struct merge *merge)
{
	for (int i = 0; i < TRACE_LAYER_MAX; i++)
		reader_free(merge->reader[i]);
}
