// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/exact/meter_cost.h"

#include <errno.h>
#include <stdlib.h>

int meter_cost_by_place(const void *left, const void *right)
{
	const struct meter_cost *a = left;
	const struct meter_cost *b = right;

	if (a->layer != b->layer)
		return a->layer < b->layer ? -1 : 1;
	if (a->context != b->context)
		return a->context < b->context ? -1 : 1;
	return (a->function > b->function) - (a->function < b->function);
}

static int by_insns(const void *left, const void *right)
{
	const struct meter_cost *a = left;
	const struct meter_cost *b = right;

	if (a->insns != b->insns)
		return a->insns > b->insns ? -1 : 1;
	return meter_cost_by_place(left, right);
}

static uint32_t hash(const struct meter_cost *key)
{
	uint64_t place = ((uint64_t)key->context << 32 | key->function) * 2 + key->layer;

	return (uint32_t)((place * 0x9e3779b97f4a7c15ULL) >> 32);
}

static struct meter_cost *find(struct meter_cost *slot, uint32_t slots, const struct meter_cost *key)
{
	uint32_t at = hash(key) & (slots - 1);

	while (slot[at].function && meter_cost_by_place(&slot[at], key))
		at = (at + 1) & (slots - 1);
	return &slot[at];
}

static int grow(struct meter_costs *costs)
{
	uint32_t slots = costs->slots ? costs->slots * 2 : 256;
	struct meter_cost *slot;

	if (costs->used * 2 < costs->slots)
		return 0;
	slot = calloc(slots, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	for (uint32_t i = 0; i < costs->slots; i++) {
		if (costs->slot[i].function)
			*find(slot, slots, &costs->slot[i]) = costs->slot[i];
	}
	free(costs->slot);
	costs->slot = slot;
	costs->slots = slots;
	return 0;
}

int meter_costs_add(struct meter_costs *costs, const struct meter_cost *key, uint64_t insns)
{
	struct meter_cost *cost;

	if (grow(costs))
		return -ENOMEM;
	cost = find(costs->slot, costs->slots, key);
	if (!cost->function) {
		*cost = *key;
		cost->insns = 0;
		costs->used++;
	}
	cost->insns += insns;
	return 0;
}

size_t meter_costs_take(struct meter_costs *costs, struct meter_cost **ret)
{
	struct meter_cost *cost = costs->slot;
	size_t n = 0;
	size_t kept = 0;

	for (uint32_t i = 0; i < costs->slots; i++) {
		if (cost[i].function)
			cost[n++] = cost[i];
	}
	if (n)
		qsort(cost, n, sizeof(*cost), meter_cost_by_place);
	for (size_t i = 0; i < n; i++) {
		if (kept && !meter_cost_by_place(&cost[kept - 1], &cost[i]))
			cost[kept - 1].insns += cost[i].insns;
		else
			cost[kept++] = cost[i];
	}
	if (kept)
		qsort(cost, kept, sizeof(*cost), by_insns);
	*ret = cost;
	*costs = (struct meter_costs){ 0 };
	return kept;
}

void meter_costs_done(struct meter_costs *costs)
{
	free(costs->slot);
	*costs = (struct meter_costs){ 0 };
}
