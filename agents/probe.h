/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The probe: a worker that stands on the measured CPU and writes down when it did not
 * run. Its loop makes no system call (spin) or the one it measures (timer), and touches
 * no memory that is not present and locked. Records are never overwritten: what does not
 * fit is counted. It leaves the measured CPU before anything is reported.
 *
 * It can act as a primer itself, between two turns of its loop, when it is told to.
 */
#ifndef VCPULAT_PROBE_H
#define VCPULAT_PROBE_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/probe_format.h"

#include <jansson.h>

#define PROBE_CAPACITY_MAX (1U << 22)

struct probe;
struct stimulus_shot;

struct probe_options {
	const char *kind; /* "spin", "timer", or "bare": spin in a bare guest, see agents/bare.h */
	int cpu;
	int policy;	       /* SCHED_OTHER or SCHED_FIFO */
	int priority;	       /* 1..99 with SCHED_FIFO */
	uint64_t threshold_ns; /* shortest interval that is recorded */
	uint64_t interval_ns;  /* timer: between two due times */
	uint64_t capacity;     /* records, 1..PROBE_CAPACITY_MAX */
	uint64_t hz;	       /* TSC cycles per second */
	const char *act;       /* kind of primer that it is itself; "": none */
	json_t *act_params;    /* of that kind; borrowed; may be NULL */
};

struct probe_counts {
	uint64_t gaps;	/* recorded */
	uint64_t lost;	/* seen while the ring was full */
	uint64_t turns; /* of the loop */
};

/**
 * probe_start - calibrate and start a probe
 * @options: what, where and how
 * @housekeeping: where it is prepared, and where it goes when it stops
 * @ret: the running probe, to be given to probe_free()
 * @err: says what failed
 *
 * Return: 0 or -errno.
 */
int probe_start(const struct probe_options *options, const cpu_set_t *housekeeping, struct probe **ret,
		struct err *err);

/**
 * probe_act - have the probe act itself, once
 * @probe: running
 * @sham: do everything but the action
 * @ret: when it was, and how the action ended
 * @err: says what failed
 *
 * Of a kind that makes system calls the time it takes is no gap: the probe asked for it.
 * Return: 0 also when the action itself failed (see @ret), -ENODATA for a probe that was started without, or another
 * -errno.
 */
int probe_act(struct probe *probe, bool sham, struct stimulus_shot *ret, struct err *err);

/**
 * probe_stop - end the loop; the records stay
 * @probe: may have been stopped before
 * @err: says what failed
 *
 * Return: 0 or -errno.
 */
int probe_stop(struct probe *probe, struct err *err);

/**
 * probe_count - how far the probe is, without disturbing it
 * @probe: running or stopped
 */
struct probe_counts probe_count(const struct probe *probe);

/**
 * probe_header - what the probe knows about itself
 * @probe: running (calibration only) or stopped
 *
 * Return: borrowed.
 */
const struct probe_header *probe_header(const struct probe *probe);

/**
 * probe_running - has it not been stopped yet?
 * @probe: may be NULL
 */
bool probe_running(const struct probe *probe);

/**
 * probe_pid - the probe's process
 * @probe: running or stopped
 */
int probe_pid(const struct probe *probe);

/**
 * probe_write - write probe.bin (probe_format.h)
 * @probe: a stopped probe
 * @fd: a file
 *
 * Return: 0, -EBUSY while the probe runs, or another -errno.
 */
int probe_write(const struct probe *probe, int fd);

/**
 * probe_free - end the probe at once, free its records
 * @probe: may be NULL
 */
void probe_free(struct probe *probe);

#endif
