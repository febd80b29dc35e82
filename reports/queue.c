// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/queue.h"

#include <stddef.h>

/* common_flags of a trace event, as the kernel's enum trace_flag_type has them. */
#define FLAG_HARDIRQ 0x08
#define FLAG_SOFTIRQ 0x10
#define FLAG_NMI 0x40

static enum queue_context context_of(uint8_t flags)
{
	if (flags & FLAG_NMI)
		return QUEUE_NMI;
	if (flags & FLAG_HARDIRQ)
		return QUEUE_IRQ;
	return flags & FLAG_SOFTIRQ ? QUEUE_SOFTIRQ : QUEUE_TASK;
}

const struct queued_work *queue_feed(struct queue *queue, const struct trace_event *event)
{
	struct queued_work *slot = &queue->slot[event->layer][(event->arg >> 3 ^ event->arg >> 11) % QUEUE_SLOTS];
	struct queued_work **last = &queue->last[event->layer][event->cpu % QUEUE_CPUS];

	if (event->type == TRACE_WORK_QUEUE) {
		*slot = (struct queued_work){ .work = event->arg,
					      .tsc = event->tsc,
					      .pid = event->pid,
					      .cpu = event->cpu,
					      .context = context_of(event->flags) };
		*last = slot;
		return NULL;
	}
	if (event->type == TRACE_STACK && *last && (*last)->cpu == event->cpu && (*last)->pid == event->pid)
		(*last)->stack = event->name;
	*last = NULL;
	return event->type == TRACE_WORK_START && slot->work == event->arg ? slot : NULL;
}

const char *queue_context_name(enum queue_context context)
{
	static const char *const names[QUEUE_CONTEXT_MAX] = {
		[QUEUE_TASK] = "task", [QUEUE_SOFTIRQ] = "softirq", [QUEUE_IRQ] = "irq", [QUEUE_NMI] = "nmi"
	};

	return names[context];
}
