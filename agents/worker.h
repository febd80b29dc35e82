/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A forked process that waits on one CPU for a word of the agent. It has an address
 * space of its own, so that nothing the agent does to its memory reaches the measured
 * CPU as a TLB shootdown; it is locked in memory; and it never outlives the agent.
 *
 * The agent wakes it through one eventfd and it answers through another; what they say
 * lies in a mapping that both share.
 */
#ifndef VCPULAT_WORKER_H
#define VCPULAT_WORKER_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"

struct worker_options {
	const char *name;	       /* of the process, as ps and traces show it; cut to 15 characters */
	int cpu;		       /* where it is to run; -1: on the housekeeping CPUs */
	const cpu_set_t *housekeeping; /* where everything else runs */
	size_t shared_bytes;	       /* of the mapping */
	int other_go_fd;	       /* 0: a go_fd of its own; otherwise that of the worker it is to wake */
};

struct worker {
	pid_t pid;   /* 0: none */
	int go_fd;   /* agent to worker */
	int done_fd; /* worker to agent */
	int cpu;
	cpu_set_t housekeeping;
	void *shared; /* zeroed at the start, every page present */
	size_t shared_bytes;
};

/**
 * worker_start - fork a worker
 * @options: how it runs
 * @body: its life, in the new process, still on a housekeeping CPU, with all memory locked: prepares,
 *        calls worker_pin(), then worker_report() once it is ready; gets the worker as the process
 *        sees it and @ctx; what it returns (0 or -errno) ends the process
 * @ctx: for @body; a copy of the agent's
 * @timeout_ms: for being ready
 * @ret: filled in; to be given to worker_end()
 * @err: says what failed
 *
 * Return: 0 or -errno, also that of @body.
 */
int worker_start(const struct worker_options *options, int (*body)(struct worker *self, void *ctx), void *ctx,
		 int timeout_ms, struct worker *ret, struct err *err);

/**
 * worker_wake - let the worker begin (agent's side)
 * @worker: waits in worker_await()
 *
 * Return: 0 or -errno.
 */
int worker_wake(struct worker *worker);

/**
 * worker_wait - wait for the worker's next worker_report() (agent's side)
 * @worker: a running worker
 * @timeout_ms: milliseconds
 * @err: says what failed
 *
 * Return: 0, -ETIMEDOUT, -EINTR on a stop request, or what the worker's body returned when it ended instead.
 */
int worker_wait(struct worker *worker, int timeout_ms, struct err *err);

/**
 * worker_reap - kill and reap the process; what it shared stays (agent's side)
 * @worker: may be reaped already
 *
 * One that waits inside the kernel is left alone after a while. Return: is it gone?
 */
bool worker_reap(struct worker *worker);

/**
 * worker_end - kill and reap the worker, give back what it used (agent's side)
 * @worker: may be zeroed, or ended before
 */
void worker_end(struct worker *worker);

/**
 * worker_run_on - move to one CPU; for tasks and threads that a worker starts, too
 * @cpu: its number
 *
 * Return: 0 or -errno.
 */
int worker_run_on(int cpu);

/**
 * worker_pin - move to the CPU of the options (worker's side)
 * @self: as the body got it
 *
 * Return: 0 or -errno.
 */
int worker_pin(const struct worker *self);

/**
 * worker_leave - move to the housekeeping CPUs, as an ordinary task (worker's side)
 * @self: as the body got it
 */
void worker_leave(const struct worker *self);

/**
 * worker_await - sleep until worker_wake() (worker's side)
 * @self: as the body got it
 *
 * Return: 0 or -errno.
 */
int worker_await(const struct worker *self);

/**
 * worker_report - tell the agent: ready, or done (worker's side)
 * @self: as the body got it
 */
void worker_report(const struct worker *self);

#endif
