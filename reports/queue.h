/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who queued a work item that runs now: the last event that queued it says CPU and task, and
 * the stack that its trigger recorded behind it, if there is one, says why. Pure, of fixed
 * size; an item whose queueing was not seen has nobody.
 */
#ifndef VCPULAT_QUEUE_H
#define VCPULAT_QUEUE_H

#include <stdint.h>

#include "reports/trace/trace_event.h"

#define QUEUE_SLOTS 256
#define QUEUE_CPUS 64

/* What the CPU did when it queued. */
enum queue_context { QUEUE_TASK, QUEUE_SOFTIRQ, QUEUE_IRQ, QUEUE_NMI, QUEUE_CONTEXT_MAX };

struct queued_work {
	uint64_t work; /* address of the work item; 0: empty */
	uint64_t tsc;
	uint32_t stack; /* name: functions, innermost first, with spaces between; 0: not recorded */
	int32_t pid;	/* the task that queued it, or that was interrupted for it; 0: idle */
	uint16_t cpu;
	enum queue_context context;
};

struct queue {
	struct queued_work slot[TRACE_LAYER_MAX][QUEUE_SLOTS];
	struct queued_work *last[TRACE_LAYER_MAX][QUEUE_CPUS]; /* a stack that comes next on this CPU belongs to it */
};

/**
 * queue_feed - take in the next event of either layer
 * @queue: zeroed before the first
 * @event: of any CPU; stacks follow their event on the same CPU
 *
 * Return: who queued the work that starts with @event, valid until the next call; else NULL.
 */
const struct queued_work *queue_feed(struct queue *queue, const struct trace_event *event);

/**
 * queue_context_name - in a word
 * @context: what the CPU did
 */
const char *queue_context_name(enum queue_context context);

#endif
