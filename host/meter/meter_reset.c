// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/meter/meter_reset.h"

#include <errno.h>
#include <stdlib.h>

int meter_reset_init(struct meter_reset *reset, uint32_t cpus)
{
	*reset = (struct meter_reset){ .cpu = calloc(cpus, sizeof(*reset->cpu)), .cpus = cpus };
	return reset->cpu ? 0 : -ENOMEM;
}

void meter_reset_done(struct meter_reset *reset)
{
	free(reset->cpu);
	*reset = (struct meter_reset){ 0 };
}

void meter_reset_enter(struct meter_reset *reset, uint32_t cpu)
{
	meter_reset_leave(reset, cpu, METER_RESET_INSIDE);
}

void meter_reset_leave(struct meter_reset *reset, uint32_t cpu, uint64_t now_ns)
{
	if (cpu < reset->cpus)
		atomic_store_explicit(&reset->cpu[cpu].left_ns, now_ns, memory_order_relaxed);
}

void meter_reset_ask(struct meter_reset *reset, uint32_t cpu)
{
	if (cpu < reset->cpus)
		atomic_store(&reset->cpu[cpu].asks, true);
}

bool meter_reset_asks(const struct meter_reset *reset, uint32_t cpu)
{
	return cpu < reset->cpus && atomic_load_explicit(&reset->cpu[cpu].asks, memory_order_relaxed);
}

/* It is in no guest, and has been in none for a while. */
static bool rests(const struct meter_reset_cpu *cpu, uint64_t now_ns)
{
	uint64_t left_ns = atomic_load_explicit(&cpu->left_ns, memory_order_relaxed);

	return left_ns == 0 || (left_ns != METER_RESET_INSIDE && now_ns >= left_ns + METER_RESET_REST_NS);
}

static bool may(const struct meter_reset *reset, uint32_t cpu, uint64_t now_ns)
{
	bool asked = false;

	for (uint32_t i = 0; i < reset->cpus; i++) {
		if (meter_reset_asks(reset, i))
			asked = true;
		else if (i != cpu && !rests(&reset->cpu[i], now_ns))
			return false;
	}
	return asked;
}

bool meter_reset_take(struct meter_reset *reset, uint32_t cpu, uint64_t now_ns)
{
	bool taken = false;

	if (!may(reset, cpu, now_ns))
		return false;
	for (uint32_t i = 0; i < reset->cpus; i++)
		taken |= atomic_exchange(&reset->cpu[i].asks, false);
	return taken;
}
