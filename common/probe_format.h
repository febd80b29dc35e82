/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe.bin: one struct probe_header, then count records, little endian. Written by the
 * agent; read as hostile input when it comes from a guest.
 */
#ifndef VCPULAT_PROBE_FORMAT_H
#define VCPULAT_PROBE_FORMAT_H

#include <stdint.h>

#define PROBE_MAGIC "VCPLPROB"
#define PROBE_VERSION 1

enum probe_kind { PROBE_SPIN, PROBE_TIMER, PROBE_KIND_MAX };

struct probe_header {
	char magic[8];		    /* PROBE_MAGIC */
	uint32_t version;	    /* PROBE_VERSION */
	uint32_t header_bytes;	    /* sizeof(struct probe_header) */
	uint32_t record_bytes;	    /* sizeof(struct probe_record) */
	uint32_t kind;		    /* enum probe_kind */
	uint32_t cpu;		    /* CPU of the probe, as its own layer numbers it */
	uint32_t policy;	    /* SCHED_* of the probe thread */
	uint64_t cycles_per_second; /* TSC frequency, calibrated against CLOCK_MONOTONIC_RAW */
	uint64_t threshold_cycles;  /* a record is an interval at least this long */
	uint64_t loop_cycles;	    /* shortest turn seen: the resolution */
	uint64_t loop_p50_cycles;   /* median turn of the calibration */
	uint64_t start_tsc;	    /* first and last stamp of the probe */
	uint64_t end_tsc;
	uint64_t turns; /* loop turns made */
	uint64_t count; /* records that follow */
	uint64_t lost;	/* gaps seen while the ring was full */
};

/*
 * One gap [t0, t1): between two successive turns of spin, or due time and wake-up of timer; or begin and end of an
 * action of timer's own, where that is a gap.
 */
struct probe_record {
	uint64_t t0; /* TSC cycles of the probe's layer */
	uint64_t t1;
	uint64_t turn; /* number of the turn that ended it, counted from MARK_PROBE_START */
};

#endif
