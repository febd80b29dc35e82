/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Causes: what took a CPU away, as layer, class and name; each is called by a small number.
 * A table only grows; its texts live as long as it does.
 */
#ifndef VCPULAT_CAUSES_H
#define VCPULAT_CAUSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "reports/names.h"
#include "reports/trace/trace_event.h"

/* In the order in which they qualify as the root of a gap: the highest that is present decides. */
enum cause_class {
	CAUSE_UNEXPLAINED, /* "unexplained" */
	CAUSE_BELOW_HOST,  /* "below-host": no layer ran, and something else confirms it */
	CAUSE_PENDING,	   /* never shown: time of which only the next event decides whether it is the kernel's */
	CAUSE_KERNEL,  /* "host/kernel": that layer's kernel around interrupts and switches, where no event says what */
	CAUSE_IDLE,    /* "host/idle": the CPU had nothing to do */
	CAUSE_CSTATE,  /* "host/cstate/<number>": likewise, and it is known how deep it slept */
	CAUSE_HALTED,  /* "host/halted": the vCPU waits in HLT */
	CAUSE_EXIT,    /* "host/exit/<reason>" */
	CAUSE_SOFTIRQ, /* "host/softirq/<name>" */
	CAUSE_NMI,     /* "host/nmi/<handler>" */
	CAUSE_IRQ,     /* "host/irq/<vector or handler>" */
	CAUSE_IPI,     /* "host/ipi/<function>": an interrupt by which another CPU has this one call it */
	CAUSE_CALL,    /* "host/call/<function>": what the probe or the vCPU's thread itself called in the kernel */
	CAUSE_WAIT,    /* "host/wait/<exit>": the vCPU's thread sleeps in an exit that is no HLT, e.g. for a page */
	CAUSE_TRACER,  /* "tracer": the tracing itself */
	CAUSE_STIMULUS, /* "host/stimulus": a primer, its sham or a stimulus */
	CAUSE_TASK,	/* "host/task/<comm>" */
	CAUSE_VMM,	/* "host/vmm/<part>": a helper of a guest, not its vCPU */
	CAUSE_KWORKER,	/* "host/kworker/<function>" */
	CAUSE_HANG,	/* "host/hang/<stimulus>": no gap; its caller waited, see bundle_action_hung() */
	CAUSE_CLASS_MAX
};

#define CAUSE_ID_UNEXPLAINED 0U

struct causes;

/**
 * causes_new - a table that knows "unexplained" only
 * @names: where names live; must outlive the table
 *
 * Return: the table, or NULL with errno ENOMEM.
 */
struct causes *causes_new(struct names *names);

/** causes_free - drop the table; NULL is fine */
void causes_free(struct causes *causes);
DEFINE_CLEANUP(struct causes *, causes_free)

/**
 * causes_get - the number of a cause
 * @causes: the table
 * @layer: host or guest; of no matter where the text has none
 * @class: its class
 * @name: number of its name in the table's names; of no matter where the text has none
 *
 * Return: the number; CAUSE_ID_UNEXPLAINED when memory is exhausted.
 */
uint32_t causes_get(struct causes *causes, enum trace_layer layer, enum cause_class class, uint32_t name);

/**
 * causes_parse - the number of a cause by its text
 * @causes: the table
 * @text: e.g. "host/kworker/vmstat_update"
 *
 * Return: the number, or -1 when the text is no cause.
 */
int64_t causes_parse(struct causes *causes, const char *text);

/**
 * causes_can_name - could it be a cause?
 * @text: e.g. "host/kworker/vmstat_update": its layer and class are looked at, its name may be any
 */
bool causes_can_name(const char *text);

/** causes_text - "host/kworker/vmstat_update"; borrowed */
const char *causes_text(const struct causes *causes, uint32_t id);

/** causes_class - the class of a cause */
enum cause_class causes_class(const struct causes *causes, uint32_t id);

/** causes_count - numbers lie below this */
uint32_t causes_count(const struct causes *causes);

/**
 * cause_rank - how strongly a class claims to be the root of a gap
 * @class: the class
 *
 * Work items (kworker, vmm, task, stimulus, tracer) share the highest rank, interrupts the next.
 * Return: 0 for unexplained, and more for stronger ones.
 */
unsigned int cause_rank(enum cause_class class);

#endif
