/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an action of stimulus kind fault_rate says of itself: written by the agent, read by the analysis. */
#ifndef VCPULAT_FAULT_RATE_H
#define VCPULAT_FAULT_RATE_H

/* For printf() and for scanf(): one unsigned int, then unsigned long long. */
#define FAULT_RATE_FORMAT "threads=%u faults=%llu wall_ns=%llu cpu_ns=%llu ipis=%llu"
#define FAULT_RATE_FIELDS 5
#define FAULT_RATE_MAX_THREADS 1024 /* more is no number of threads */

struct fault_rate {
	unsigned int threads;	   /* at the same time, each on a CPU of its own */
	unsigned long long faults; /* of all of them */
	unsigned long long
		wall_ns;	   /* of each round from the first thread's beginning to the last one's end, together */
	unsigned long long cpu_ns; /* that the threads had, together */
	unsigned long long ipis;   /* meanwhile, see common/ipis.h; setting up and unmapping included */
};

#endif
