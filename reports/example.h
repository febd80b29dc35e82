/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happened inside chosen gaps: the segments of both lanes and the events, as text. Fed
 * during a second pass over the traces, so that only what is shown is kept.
 */
#ifndef VCPULAT_EXAMPLE_H
#define VCPULAT_EXAMPLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "reports/attribute.h"

#define EXAMPLE_MAX_SEGMENTS 500 /* of one gap */
#define EXAMPLE_MAX_EVENTS 500
#define EXAMPLE_MAX_TOTAL 200000 /* segments, and events, of all chosen gaps */

struct example;

struct example_params {
	const struct gap *gaps; /* with causes; must outlive the recorder, as the rest */
	const size_t *chosen;	/* ascending */
	size_t n_chosen;
	const struct names *names;
	const struct causes *causes;
	uint16_t cpu[TRACE_LAYER_MAX]; /* measured CPU of each layer */
	uint64_t cycles_per_second;
};

/**
 * example_new - a recorder of chosen gaps
 * @params: copied
 *
 * Return: the recorder, or NULL with errno ENOMEM.
 */
struct example *example_new(const struct example_params *params);

/** example_free - drop it; NULL is fine */
void example_free(struct example *example);
DEFINE_CLEANUP(struct example *, example_free)

/**
 * example_event - an event, before it is given to the attribution
 * @example: the recorder
 * @event: mapped to host TSC
 *
 * Return: 0 or -ENOMEM.
 */
int example_event(struct example *example, const struct trace_event *event);

/** example_segment - as attribute_observer.segment; the context is the recorder */
void example_segment(void *ctx, size_t gap, enum trace_layer lane, uint64_t t0, uint64_t t1, uint32_t cause);

/** example_renamed - as attribute_observer.renamed; the context is the recorder */
void example_renamed(void *ctx, size_t gap, uint32_t from, uint32_t to);

/**
 * example_json - one of the chosen gaps
 * @example: the recorder, after the pass
 * @index: into chosen
 *
 * Return: {"gap", "cause", "segments", "events"} with times relative to the gap's start, and "events_cut" where there
 * were more events than are kept; or NULL without memory.
 */
json_t *example_json(const struct example *example, size_t index);

#endif
