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

void meter_reset_switch(struct meter_reset *reset, uint32_t cpu, bool in_guest)
{
	if (cpu < reset->cpus)
		atomic_store_explicit(&reset->cpu[cpu].in_guest, in_guest, memory_order_relaxed);
}

void meter_reset_ask(struct meter_reset *reset, uint32_t cpu)
{
	if (cpu < reset->cpus)
		atomic_store(&reset->cpu[cpu].asks, true);
}

static bool may(const struct meter_reset *reset)
{
	bool asked = false;

	for (uint32_t i = 0; i < reset->cpus; i++) {
		bool asks = atomic_load_explicit(&reset->cpu[i].asks, memory_order_relaxed);

		if (!asks && atomic_load_explicit(&reset->cpu[i].in_guest, memory_order_relaxed))
			return false;
		asked |= asks;
	}
	return asked;
}

bool meter_reset_take(struct meter_reset *reset)
{
	bool taken = false;

	if (!may(reset))
		return false;
	for (uint32_t i = 0; i < reset->cpus; i++)
		taken |= atomic_exchange(&reset->cpu[i].asks, false);
	return taken;
}
