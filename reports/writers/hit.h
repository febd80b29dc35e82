/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One gap of a result with its course: what was on which CPU, event by event. */
#ifndef VCPULAT_HIT_H
#define VCPULAT_HIT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* All borrowed from the result. */
struct hit {
	const json_t *result;
	const json_t *gap;
	const json_t *segments; /* NULL: not kept */
	const json_t *events;	/* NULL: not kept */
};

/**
 * hit_by_id - a gap by its number
 * @result: of schema vcpulat-result-1
 * @id: the number
 * @ret: the gap; with its course where the result kept one
 *
 * Return: whether there is one.
 */
bool hit_by_id(const json_t *result, uint64_t id, struct hit *ret);

/**
 * hit_typical - the typical hit of a cause
 * @result: of schema vcpulat-result-1
 * @cause: the cause; NULL: the first that the scenario provokes
 * @ret: the gap with its course
 *
 * Return: whether there is one.
 */
bool hit_typical(const json_t *result, const char *cause, struct hit *ret);

/**
 * hit_in_guest - did the probe run in a guest?
 * @hit: the hit
 */
bool hit_in_guest(const struct hit *hit);

#endif
