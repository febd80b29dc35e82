// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/cycles.h"

#include "common/mono.h"
#include "common/tsc.h"

#define MEASURE_NS 200000000
#define NS_PER_SECOND 1000000000U
#define TRIES 32

/* One instant in both clocks. */
struct instant {
	uint64_t tsc;
	uint64_t raw_ns;
};

/* Of several readings the one that was interrupted least: its TSC bracket is the narrowest. */
static struct instant take_instant(void)
{
	struct instant best = { 0 };
	uint64_t width = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = tsc_read();
		uint64_t raw_ns = clock_ns(CLOCK_MONOTONIC_RAW);
		uint64_t after = tsc_read();

		if (after - before >= width)
			continue;
		width = after - before;
		best = (struct instant){ .tsc = before + width / 2, .raw_ns = raw_ns };
	}
	return best;
}

uint64_t cycles_measure(void)
{
	struct instant first = take_instant();
	struct instant last;

	while (clock_ns(CLOCK_MONOTONIC_RAW) - first.raw_ns < MEASURE_NS)
		;
	last = take_instant();
	return (uint64_t)((unsigned __int128)(last.tsc - first.tsc) * NS_PER_SECOND / (last.raw_ns - first.raw_ns));
}
