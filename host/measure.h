/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The windows of one run: agents prepared, traces and probe started, guards settled,
 * primers and stimuli fired when the plan says, everything stopped, and the evidence
 * fetched into the bundle. Reads no buffer during a window; judges nothing.
 */
#ifndef VCPULAT_MEASURE_H
#define VCPULAT_MEASURE_H

#include "host/bundle_writer.h"
#include "host/guest.h"
#include "host/scenario.h"

struct measure_params {
	const struct scenario *scenario;
	struct agent *host_agent;
	struct guest *guest; /* NULL for guest none, and for a bare one */
	bool bare;	     /* the probe runs in a bare guest */
	int host_cpu;	     /* measured */
	uint64_t seed;
	uint64_t guard_ns;
	bool fifo; /* the vCPU's thread is SCHED_FIFO: nothing of ours would ever run beside it */
	bool trace;
	unsigned int *probes; /* started on this host so far, ours included when it is */
	struct progress *progress;
	struct bundle_writer *bundle;
};

/* What the manifest says about it. */
struct measured {
	json_t *windows;	/* array of {"state", "t0", "t1"} */
	json_t *stimulus_pids;	/* {"host": [], "guest": []} */
	json_t *missing_events; /* {"host": [], "guest": []} */
	pid_t probe_tid;
	unsigned int probe_number; /* counted from 1 since the command began: the run of meter.bin; 0: no probe */
	uint64_t hz;		   /* of the host's TSC */
	uint64_t lost_host_events;
	uint64_t lost_guest_events;
	uint64_t lost_gaps;
};

/**
 * measure_run - do it
 * @params: what
 * @ret: filled as far as it came, also after a failure; to be given to measured_done()
 * @err: why it ended early
 *
 * Whatever happens in a window, probe and traces are stopped and what they hold is fetched.
 * Return: 0 for all windows, -EINTR on a stop request, -ETIME for the scenario's time
 * limit, or another -errno.
 */
int measure_run(const struct measure_params *params, struct measured *ret, struct err *err);

/**
 * measured_done - free what measure_run() filled in
 * @measured: may be zeroed
 */
void measured_done(struct measured *measured);

#define _cleanup_measured_ _cleanup_(measured_done)

#endif
