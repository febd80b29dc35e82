/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's clock over one run: read before, between and after the windows, with causal pairs. */
#ifndef VCPULAT_CLOCK_TRACK_H
#define VCPULAT_CLOCK_TRACK_H

#include "host/agent.h"
#include "host/clock.h"

#define CLOCK_TRACK_PINGS 16 /* before, and again after */

struct clock_track {
	struct clock_reading *reading; /* in the order of time */
	size_t n_readings;
	struct clock_pair pairs[2 * CLOCK_TRACK_PINGS];
	size_t n_pairs;
};

/**
 * clock_track_read - read the clocks once more
 * @track: zeroed the first time
 * @agent: of the guest, for CLOCK_TRACK_PINGS causal pairs, twice at most; NULL: without
 * @vmm: the guest's VMM
 * @err: says what failed
 *
 * Return: 0 or -errno; after the first time the track then shows a clock that is not stable.
 */
int clock_track_read(struct clock_track *track, struct agent *agent, pid_t vmm, struct err *err);

/**
 * clock_track_json - what clock.json holds
 * @track: as far as it came; zeroed for a run without guest
 *
 * Return: new reference, NULL when out of memory.
 */
json_t *clock_track_json(const struct clock_track *track);

/**
 * clock_track_done - free what it holds
 * @track: may be zeroed
 */
void clock_track_done(struct clock_track *track);

#endif
