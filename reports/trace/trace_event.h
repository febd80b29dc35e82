/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One trace event after decoding: fixed size, no pointers, the same for host and guest. */
#ifndef VCPULAT_TRACE_EVENT_H
#define VCPULAT_TRACE_EVENT_H

#include <stdint.h>

enum trace_layer { TRACE_HOST, TRACE_GUEST, TRACE_LAYER_MAX };

enum trace_type {
	TRACE_OTHER,	     /* name: the function it names, if any */
	TRACE_SWITCH,	     /* name: next task; peer: its pid; arg: state of the previous task */
	TRACE_WAKEUP,	     /* name: task; peer: its pid; arg: target CPU */
	TRACE_WORK_QUEUE,    /* name: function; peer: CPU it will run on; arg: work item */
	TRACE_WORK_START,    /* name: function; arg: work item */
	TRACE_WORK_END,	     /* name: function; arg: work item */
	TRACE_IRQ_ENTRY,     /* name: handler; peer: interrupt number */
	TRACE_IRQ_EXIT,	     /* peer: interrupt number */
	TRACE_VECTOR_ENTRY,  /* name: local_timer, reschedule, ... */
	TRACE_VECTOR_EXIT,   /* name: as entry */
	TRACE_SOFTIRQ_ENTRY, /* name: timer, sched, rcu, ... */
	TRACE_SOFTIRQ_EXIT,  /* name: as entry */
	TRACE_NMI,	     /* name: handler, which has just ended; arg: ns it took */
	TRACE_CPU_IDLE,	     /* arg: C-state that the CPU enters; UINT32_MAX: it left it */
	TRACE_KVM_EXIT,	     /* name: reason; peer: vCPU; arg: guest instruction pointer */
	TRACE_KVM_ENTRY,     /* peer: vCPU; arg: guest instruction pointer */
	TRACE_TSC_OFFSET,    /* peer: vCPU; arg: its new offset */
	TRACE_STACK,	     /* name: functions, innermost first, of the event before it on the same CPU */
	TRACE_FUNCTION,	     /* name: a function of the kernel that begins, see kprobes.h */
	TRACE_CALL,	     /* name: likewise, and its end will come: TRACE_RETURN */
	TRACE_RETURN,	     /* name: as call */
	TRACE_LOST,	     /* the kernel dropped events of this CPU between arg (TSC) and this */
	TRACE_TYPE_MAX
};

struct trace_event {
	uint64_t tsc;	/* cycles of the layer, or of the host once mapped */
	uint64_t arg;	/* see enum trace_type */
	uint32_t name;	/* names_text() */
	uint32_t event; /* names_text(): the event's own name */
	int32_t pid;	/* the task on whose behalf the CPU ran; 0: idle */
	int32_t peer;	/* see enum trace_type */
	uint16_t cpu;
	uint8_t type;  /* enum trace_type */
	uint8_t layer; /* enum trace_layer */
	uint8_t flags; /* the kernel's: interrupt contexts */
};

#endif
