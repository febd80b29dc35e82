/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which trace events a run wants of a layer, as the request for its agent. All events on
 * the measured CPU; of the other CPUs only what queues to it or wakes there.
 */
#ifndef VCPULAT_HOST_CAPTURE_H
#define VCPULAT_HOST_CAPTURE_H

#include <jansson.h>
#include <stdint.h>

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

#endif
