/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The events of both layers in one order of time: the host's, which the guest's stamps are mapped to. */
#ifndef VCPULAT_MERGE_H
#define VCPULAT_MERGE_H

#include <stdbool.h>
#include <stdint.h>

#include "reports/trace/reader.h"

/* The host's stamp for a layer's. */
typedef uint64_t merge_map_fn(const void *ctx, enum trace_layer layer, unsigned int cpu, uint64_t tsc);

struct merge {
	struct reader *reader[TRACE_LAYER_MAX]; /* owned; NULL: no such trace */
	merge_map_fn *map;
	const void *ctx;
	/* Private. */
	struct trace_event event[TRACE_LAYER_MAX];
	int state[TRACE_LAYER_MAX]; /* of event: 1, 0 at the end, or -errno */
	bool is_started;
};

/**
 * merge_next - the next event
 * @merge: readers, map and ctx are set, the rest is zero
 * @ret: filled; tsc is the host's
 *
 * On equal stamps the host's comes first. Return: 1, 0 at the end of both, or -errno.
 */
int merge_next(struct merge *merge, struct trace_event *ret);

/**
 * merge_done - close the readers
 * @merge: may be zeroed
 */
void merge_done(struct merge *merge);

#endif
