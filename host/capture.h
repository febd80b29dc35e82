/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which trace events a run wants of a layer, as the request for its agent. All events on
 * the measured CPU; of the other CPUs only what queues to it or wakes there. And how the
 * two files of a run are to be tied together.
 */
#ifndef VCPULAT_HOST_CAPTURE_H
#define VCPULAT_HOST_CAPTURE_H

#include <jansson.h>
#include <stdint.h>

#include "host/clock.h"
#include "host/scenario.h"

/**
 * capture_request - the request "capture.start"
 * @layer: whose agent it is for
 * @cpu: the measured CPU of that layer
 * @duration_ns: of the run; buffers are sized from it
 * @extra: list of struct scenario_event; those of @layer are added, or replace the usual one of the same name
 *
 * Return: new reference, or NULL when out of memory.
 */
json_t *capture_request(enum layer layer, int cpu, uint64_t duration_ns, const struct schema_list *extra);

/**
 * capture_fetch_request - the request "capture.fetch"
 * @layer: whose agent it is for
 * @trace_id: of this measurement: the host's file gets it, the guest's the next number
 * @clock: of the guest, by which both files are tied together where clock_fits_traces(); NULL: there is no guest
 *
 * Return: new reference, or NULL when out of memory.
 */
json_t *capture_fetch_request(enum layer layer, uint64_t trace_id, const struct clock_reading *clock);

#endif
