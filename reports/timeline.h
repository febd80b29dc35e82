/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who owns one CPU of one layer, at every instant: a state machine over that CPU's events,
 * nested innermost first: NMI, interrupt, softirq, task. Pure, of fixed size, the same for
 * host and guest. It never fails: what a truncated or lossy trace hides shows up as
 * "unexplained" or as a neighbour's time, and the next event sets it right, because each
 * event carries the task on whose behalf the CPU ran.
 */
#ifndef VCPULAT_TIMELINE_H
#define VCPULAT_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/causes.h"
#include "reports/trace/trace_event.h"

#define TIMELINE_DEPTH 8    /* softirq, irq, several NMIs: deeper does not occur */
#define TIMELINE_WORKERS 16 /* kworkers that were switched out in mid-work */

/* Owner: nobody took the CPU; the probe ran, or the vCPU was in guest mode. */
#define TIMELINE_SUBJECT UINT32_MAX
/* No cause begins with this event. */
#define TIMELINE_NONE (UINT32_MAX - 1)

struct timeline_params {
	enum trace_layer layer;
	int32_t subject_tid;	 /* whose CPU time this is about: the vCPU thread, or the probe */
	bool is_vcpu;		 /* the subject is a vCPU: outside guest mode it handles exits */
	const int32_t *stimulus; /* tasks whose time is "stimulus"; must outlive the timeline */
	size_t n_stimulus;
};

struct timeline_frame {
	enum cause_class class;
	uint32_t key; /* name, or interrupt number: its end must say the same */
	uint32_t cause;
};

struct timeline_worker {
	int32_t pid;
	uint32_t work; /* cause of the work it has not ended */
};

struct timeline {
	struct timeline_params params;
	struct names *names;
	struct causes *causes;
	struct timeline_frame frame[TIMELINE_DEPTH];
	unsigned int depth;
	int32_t pid;   /* current task; -1: not known yet */
	uint32_t task; /* its cause, when it is no kworker */
	bool is_kworker;
	bool is_working;       /* between start and end of @work */
	uint32_t work;	       /* of the current kworker: the present or last function */
	bool in_guest;	       /* of the subject */
	uint32_t sleep;	       /* cause: why the subject sleeps; TIMELINE_NONE: it does not */
	uint32_t exit;	       /* cause of the subject's last exit */
	uint32_t exit_name;    /* its name; 0: not known */
	uint32_t pending_work; /* causes that stand for what the next event will name */
	uint32_t pending_exit;
	uint32_t pending_ipi;
	uint32_t ipi; /* cause of the last interrupt of this kind when no event says what it calls */
	uint32_t unknown_work;
	uint32_t unknown_exit;
	uint32_t hlt; /* name "hlt" */
	uint32_t npf; /* names of one and the same exit, by processor */
	uint32_t ept_violation;
	uint32_t page_fault; /* and for both */
	uint32_t barrier;    /* name "wq_barrier_func" */
	uint32_t call;	     /* names "call_function" and "call_function_single" */
	uint32_t call_single;
	struct timeline_worker worker[TIMELINE_WORKERS];
	unsigned int next_worker; /* slot to forget first */
};

/* What one event says besides who owns the CPU from now on. */
struct timeline_step {
	uint32_t started;     /* cause that begins with this event; TIMELINE_NONE */
	uint32_t rename_from; /* time given to this cause so far... */
	uint32_t rename_to;   /* ...belongs to this one; equal: nothing to do */
	bool is_exit;	      /* the vCPU left guest mode */
};

/**
 * timeline_init - before the first event
 * @timeline: to set up
 * @params: copied
 * @names: names of the events
 * @causes: where causes are called by number; must outlive the timeline
 *
 * Until the first event the subject is taken to run.
 */
void timeline_init(struct timeline *timeline, const struct timeline_params *params, struct names *names,
		   struct causes *causes);

/**
 * timeline_feed - take in the next event of the CPU
 * @timeline: the machine
 * @event: of this layer and CPU
 * @ret: what it says
 */
void timeline_feed(struct timeline *timeline, const struct trace_event *event, struct timeline_step *ret);

/**
 * timeline_owner - who owns the CPU from the last event on
 * @timeline: the machine
 *
 * Return: a cause, or TIMELINE_SUBJECT.
 */
uint32_t timeline_owner(const struct timeline *timeline);

/**
 * timeline_settle - what a provisional cause becomes when nothing names it any more
 * @timeline: the machine
 * @cause: any
 *
 * Return: @cause itself, unless it is provisional.
 */
uint32_t timeline_settle(const struct timeline *timeline, uint32_t cause);

#endif
