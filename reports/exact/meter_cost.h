/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adding up instructions by layer, context and function, and the list that comes of it. */
#ifndef VCPULAT_METER_COST_H
#define VCPULAT_METER_COST_H

#include "reports/exact/meter.h"

struct meter_costs {
	struct meter_cost *slot; /* open addressing; function 0: empty */
	uint32_t slots;		 /* a power of two, or 0 */
	uint32_t used;
};

/**
 * meter_costs_add - charge instructions
 * @costs: may be zeroed
 * @key: layer, context and function
 * @insns: may wrap: a negative number takes away
 *
 * Return: 0 or -ENOMEM.
 */
int meter_costs_add(struct meter_costs *costs, const struct meter_cost *key, uint64_t insns);

/**
 * meter_costs_take - the costs as a list, most expensive first
 * @costs: contexts may have been renamed since; emptied
 * @ret: set to heap memory, or NULL when there are none
 *
 * Equal places become one. Return: how many.
 */
size_t meter_costs_take(struct meter_costs *costs, struct meter_cost **ret);

/**
 * meter_costs_done - free what is held
 * @costs: may be zeroed
 */
void meter_costs_done(struct meter_costs *costs);

/**
 * meter_cost_by_place - compare by layer, context and function, for qsort()
 * @left: struct meter_cost
 * @right: struct meter_cost
 */
int meter_cost_by_place(const void *left, const void *right);

#endif
