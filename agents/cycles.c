// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/cycles.h"

#include <time.h>

#include "common/tsc.h"

#define MEASURE_NS 200000000
#define NS_PER_SECOND 1000000000U
#define TRIES 32

/* One instant in both clocks. */
struct instant {
	uint64_t tsc;
	uint64_t raw_ns;
};

static uint64_t raw_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_SECOND + (uint64_t)ts.tv_nsec;
}

/* Of several readings the one that was interrupted least: its TSC bracket is the narrowest. */
static struct instant take_instant(void)
{
	struct instant best = { 0 };
	uint64_t width = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = tsc_read();
		uint64_t raw_ns = raw_now_ns();
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

	while (raw_now_ns() - first.raw_ns < MEASURE_NS)
		;
	last = take_instant();
	return (uint64_t)((unsigned __int128)(last.tsc - first.tsc) * NS_PER_SECOND / (last.raw_ns - first.raw_ns));
}
