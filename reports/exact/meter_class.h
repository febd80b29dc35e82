/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a kernel function is to the meter's analysis, by its name. */
#ifndef VCPULAT_METER_CLASS_H
#define VCPULAT_METER_CLASS_H

#include <stdbool.h>

enum meter_class {
	METER_CLASS_PLAIN,
	METER_CLASS_USER,     /* user space of any program */
	METER_CLASS_ENTRY,    /* an interrupt or exception enters the kernel here */
	METER_CLASS_STUB,     /* the vectors that jump to asm_common_interrupt */
	METER_CLASS_WORK,     /* calls work items: process_one_work() */
	METER_CLASS_WORKER,   /* the workqueue's own code */
	METER_CLASS_IPI,      /* calls what other CPUs asked for */
	METER_CLASS_SOFTIRQ,  /* calls softirq handlers */
	METER_CLASS_SWITCH,   /* changes the task */
	METER_CLASS_THROTTLE, /* of direct reclaim: what it executes is a context of its own */
	METER_CLASS_RECLAIM,  /* calls that, and goes on behind it */
	METER_CLASS_FLUSH,    /* adds up the statistics of memory groups: likewise, and a cause */
	METER_CLASS_FLUSHER,  /* calls that, and goes on behind it */
	METER_CLASS_THUNK,    /* a retpoline: calls on behalf of its caller */
	METER_CLASS_NOISE,    /* may be called through a pointer where a work item is expected */
	METER_CLASS_KVM,      /* only vCPU threads execute it */
	METER_CLASS_THREAD,   /* main function of a kernel thread */
	METER_CLASS_IDLE,     /* the idle loop */
	METER_CLASS_MAX
};

/**
 * meter_class_of - classify a function
 * @name: folded
 */
enum meter_class meter_class_of(const char *name);

/**
 * meter_class_is_tracer - is the function part of tracing?
 * @name: folded
 */
bool meter_class_is_tracer(const char *name);

/**
 * meter_class_entry - what an entry point is for
 * @name: e.g. "asm_sysvec_apic_timer_interrupt"
 *
 * Return: a cause's class and name as the trace would give it, e.g. "irq/local_timer"; to be
 * freed; NULL when memory is short.
 */
char *meter_class_entry(const char *name);

/**
 * meter_class_softirq - the softirq that a handler serves
 * @name: e.g. "run_timer_softirq"
 *
 * Return: e.g. "timer"; @name itself when it is not known.
 */
const char *meter_class_softirq(const char *name);

/**
 * meter_class_thread - the kernel thread of a main function
 * @name: of class THREAD or IDLE
 *
 * Return: e.g. "ksoftirqd".
 */
const char *meter_class_thread(const char *name);

#endif
