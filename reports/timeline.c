// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/timeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME_PENDING UINT32_MAX /* no name has this number, so no event can carry it; spelled "unknown" */
#define KEY_VECTOR 0x80000000U	/* keeps names of vectors apart from numbers of interrupts */

static uint32_t cause(struct timeline *t, enum cause_class class, uint32_t name)
{
	return causes_get(t->causes, t->params.layer, class, name);
}

void timeline_init(struct timeline *timeline, const struct timeline_params *params, struct names *names,
		   struct causes *causes)
{
	struct timeline *t = timeline;

	*t = (struct timeline){ .params = *params, .names = names, .causes = causes, .pid = -1 };
	t->pending_work = cause(t, CAUSE_KWORKER, NAME_PENDING);
	t->pending_exit = cause(t, CAUSE_EXIT, NAME_PENDING);
	t->pending_ipi = t->ipi = cause(t, CAUSE_IPI, NAME_PENDING);
	t->unknown_work = cause(t, CAUSE_KWORKER, 0);
	t->unknown_exit = cause(t, CAUSE_EXIT, 0);
	t->sleep = TIMELINE_NONE;
	t->npf = names_intern(names, "npf", NAMES_MAX_CHARS);
	t->ept_violation = names_intern(names, "ept_violation", NAMES_MAX_CHARS);
	t->page_fault = names_intern(names, "page_fault", NAMES_MAX_CHARS);
	t->hlt = names_intern(names, "hlt", 3);
	t->barrier = names_intern(names, "wq_barrier_func", NAMES_MAX_CHARS);
	t->call = names_intern(names, "call_function", NAMES_MAX_CHARS);
	t->call_single = names_intern(names, "call_function_single", NAMES_MAX_CHARS);
	t->exit = t->unknown_exit;
	t->work = t->unknown_work;
	t->in_guest = params->is_vcpu;
}

uint32_t timeline_settle(const struct timeline *t, uint32_t id)
{
	if (id == t->pending_work)
		return t->unknown_work;
	if (id == t->pending_ipi)
		return t->ipi;
	return id == t->pending_exit ? t->unknown_exit : id;
}

static bool is_subject(const struct timeline *t)
{
	return t->pid == t->params.subject_tid || t->pid == -1;
}

uint32_t timeline_owner(const struct timeline *t)
{
	if (t->depth)
		return t->frame[t->depth - 1].cause;
	if (is_subject(t))
		return t->params.is_vcpu && !t->in_guest ? t->exit : TIMELINE_SUBJECT;
	return t->is_kworker ? t->work : t->task;
}

static void rename_step(struct timeline_step *step, uint32_t from, uint32_t to)
{
	step->rename_from = from;
	step->rename_to = to;
}

static bool is_stimulus(const struct timeline *t, int32_t pid)
{
	for (size_t i = 0; i < t->params.n_stimulus; i++)
		if (t->params.stimulus[i] == pid)
			return true;
	return false;
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* "ksoftirqd/1" and "migration/1" are one cause on all CPUs. */
static uint32_t strip_cpu(struct timeline *t, uint32_t name)
{
	const char *text = names_text(t->names, name);
	const char *slash = strrchr(text, '/');

	if (!slash || !slash[1] || slash[1 + strspn(slash + 1, "0123456789")])
		return name;
	return names_intern(t->names, text, (size_t)(slash - text));
}

/* Threads of QEMU and of KVM that serve a guest, by the beginning of their names. */
static const char *vmm_part(const char *comm)
{
	static const struct {
		const char *comm;
		const char *part;
	} parts[] = { { "vhost-", "vhost" }, { "kvm-pit/", "kvm-pit" }, { "kvm-nx-lpage-re", "nx-recovery" },
		      { "IO ", "iothread" }, { "qemu-", "emulator" },	{ "CPU ", "another-vcpu" } };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (starts_with(comm, parts[i].comm))
			return parts[i].part;
	return NULL;
}

static uint32_t task_cause(struct timeline *t, int32_t pid, uint32_t name)
{
	const char *comm = names_text(t->names, name);
	const char *part;

	if (pid == 0)
		return t->sleep != TIMELINE_NONE ? t->sleep : cause(t, CAUSE_IDLE, 0);
	if (is_stimulus(t, pid))
		return cause(t, CAUSE_STIMULUS, 0);
	if (starts_with(comm, "trace-cmd") || starts_with(comm, "vcpulat-agent"))
		return cause(t, CAUSE_TRACER, 0);
	part = vmm_part(comm);
	if (part)
		return cause(t, CAUSE_VMM, names_intern(t->names, part, SIZE_MAX));
	return cause(t, CAUSE_TASK, strip_cpu(t, name));
}

static struct timeline_worker *find_worker(struct timeline *t, int32_t pid)
{
	for (size_t i = 0; i < TIMELINE_WORKERS; i++)
		if (t->worker[i].pid == pid && t->worker[i].work)
			return &t->worker[i];
	return NULL;
}

/* A kworker that is switched out in mid-work goes on with it later. */
static void remember_work(struct timeline *t)
{
	struct timeline_worker *worker = find_worker(t, t->pid);

	if (worker)
		worker->work = 0;
	if (!t->is_kworker || !t->is_working)
		return;
	if (!worker)
		worker = &t->worker[t->next_worker++ % TIMELINE_WORKERS];
	*worker = (struct timeline_worker){ t->pid, t->work };
}

/* @name is 0 where only the pid is known, after lost or cut events. */
static void enter_task(struct timeline *t, int32_t pid, uint32_t name)
{
	const struct timeline_worker *worker = find_worker(t, pid);

	t->depth = 0;
	t->pid = pid;
	t->is_kworker = worker || starts_with(names_text(t->names, name), "kworker/");
	t->is_working = worker;
	t->work = worker ? worker->work : t->pending_work;
	if (is_subject(t)) {
		t->sleep = TIMELINE_NONE;
		t->in_guest = false;
		return;
	}
	t->task = task_cause(t, pid, name);
}

/* A vCPU gives its CPU up by itself: it halts, or what its exit asks for takes a while. */
static void fall_asleep(struct timeline *t, struct timeline_step *step)
{
	bool faults = t->exit_name == t->npf || t->exit_name == t->ept_violation;

	if (t->exit_name == t->hlt) {
		t->sleep = cause(t, CAUSE_HALTED, 0);
		return;
	}
	t->sleep = cause(t, CAUSE_WAIT, faults ? t->page_fault : t->exit_name);
	step->started = t->sleep;
}

/* The trace does not show how the CPU came to this task. */
static void resync(struct timeline *t, int32_t pid)
{
	bool was_unknown = t->pid == -1;

	if (t->pid == pid)
		return;
	if (!was_unknown)
		remember_work(t);
	enter_task(t, pid, 0);
	/* At the very start the vCPU is more likely in guest mode than anywhere else. */
	if (was_unknown && is_subject(t))
		t->in_guest = true;
}

static void on_switch(struct timeline *t, const struct trace_event *event, struct timeline_step *step)
{
	bool sleeps = event->arg & 0xff;

	/* A kworker that leaves without having started anything is never named. */
	if (!is_subject(t) && t->is_kworker && t->work == t->pending_work)
		rename_step(step, t->pending_work, t->unknown_work);
	if (is_subject(t) && t->params.is_vcpu && sleeps)
		fall_asleep(t, step);
	remember_work(t);
	enter_task(t, event->peer, event->name);
	if (!is_subject(t) && !t->is_kworker && t->pid != 0)
		step->started = t->task;
}

static void on_work_start(struct timeline *t, const struct trace_event *event, struct timeline_step *step)
{
	uint32_t work = cause(t, CAUSE_KWORKER, event->name);

	if (is_subject(t))
		return;
	/* Who flushes a work item puts a barrier behind it, which the same kworker runs next: one interruption. */
	if (event->name == t->barrier && t->is_kworker && t->work != t->pending_work)
		return;
	if (!t->is_kworker || t->work == t->pending_work)
		rename_step(step, t->pending_work, work);
	t->is_kworker = true;
	t->is_working = true;
	t->work = work;
	step->started = work;
}

static void push_cause(struct timeline *t, enum cause_class class, uint32_t key, uint32_t id)
{
	if (t->depth < TIMELINE_DEPTH)
		t->frame[t->depth++] = (struct timeline_frame){ class, key, id };
}

static void push(struct timeline *t, enum cause_class class, uint32_t key, uint32_t name, struct timeline_step *step)
{
	step->started = cause(t, class, name);
	push_cause(t, class, key, step->started);
}

static void pop(struct timeline *t, enum cause_class class, uint32_t key)
{
	for (unsigned int i = t->depth; i; i--) {
		if (t->frame[i - 1].class != class || t->frame[i - 1].key != key)
			continue;
		t->depth = i - 1;
		return;
	}
}

static void on_vector(struct timeline *t, const struct trace_event *event, struct timeline_step *step)
{
	if (event->name != t->call && event->name != t->call_single) {
		push(t, CAUSE_IRQ, KEY_VECTOR | event->name, event->name, step);
		return;
	}
	t->ipi = cause(t, CAUSE_IRQ, event->name);
	push_cause(t, CAUSE_IRQ, KEY_VECTOR | event->name, t->pending_ipi);
}

/* What such an interrupt calls, if that function is probed. */
static void on_function(struct timeline *t, const struct trace_event *event, struct timeline_step *step)
{
	struct timeline_frame *frame = t->depth ? &t->frame[t->depth - 1] : NULL;
	uint32_t id = cause(t, CAUSE_IPI, event->name);

	if (!frame || (frame->key != (KEY_VECTOR | t->call) && frame->key != (KEY_VECTOR | t->call_single)))
		return;
	if (frame->cause == t->pending_ipi)
		rename_step(step, t->pending_ipi, id);
	frame->cause = id;
	step->started = id;
}

/* What the subject itself calls, on its own behalf. */
static void on_call(struct timeline *t, const struct trace_event *event, struct timeline_step *step)
{
	if (is_subject(t) && !t->depth)
		push(t, CAUSE_CALL, event->name, event->name, step);
}

static void on_vector_exit(struct timeline *t, const struct trace_event *event, struct timeline_step *step)
{
	if (t->depth && t->frame[t->depth - 1].cause == t->pending_ipi) {
		rename_step(step, t->pending_ipi, t->ipi);
		step->started = t->ipi;
	}
	pop(t, CAUSE_IRQ, KEY_VECTOR | event->name);
}

/*
 * kvm_amd records kvm_exit after it has let in the interrupt that forced the exit, and even
 * after the vCPU was preempted for it: whatever the host does on this CPU, it is not in guest
 * mode any more. Other events of KVM may lie between kvm_entry and the entry itself.
 */
static void leave_guest(struct timeline *t, const struct trace_event *event)
{
	if (event->type == TRACE_OTHER || event->type == TRACE_STACK || event->type == TRACE_KVM_EXIT ||
	    event->type == TRACE_KVM_ENTRY || event->type == TRACE_LOST || !t->in_guest || !is_subject(t))
		return;
	t->in_guest = false;
	t->exit = t->pending_exit;
	t->exit_name = 0;
}

static void on_kvm_exit(struct timeline *t, const struct trace_event *event, struct timeline_step *step)
{
	uint32_t id = cause(t, CAUSE_EXIT, event->name);

	if (!t->params.is_vcpu || !is_subject(t))
		return;
	if (t->exit == t->pending_exit)
		rename_step(step, t->pending_exit, id);
	t->in_guest = false;
	t->exit = id;
	t->exit_name = event->name;
	step->started = id;
	step->is_exit = true;
}

static void on_kvm_entry(struct timeline *t, struct timeline_step *step)
{
	if (!t->params.is_vcpu || !is_subject(t))
		return;
	if (t->exit == t->pending_exit)
		rename_step(step, t->pending_exit, t->unknown_exit);
	t->exit = t->unknown_exit;
	t->exit_name = 0;
	t->in_guest = true;
	t->depth = 0;
}

/* A CPU that idles because its vCPU halted or waits does that, however deep it sleeps. */
static void on_cpu_idle(struct timeline *t, const struct trace_event *event)
{
	char state[16];

	if (t->pid != 0 || t->sleep != TIMELINE_NONE)
		return;
	snprintf(state, sizeof(state), "%" PRIu32, (uint32_t)event->arg);
	t->task = (uint32_t)event->arg == UINT32_MAX ? cause(t, CAUSE_IDLE, 0)
						     : cause(t, CAUSE_CSTATE, names_intern(t->names, state, SIZE_MAX));
}

static void on_lost(struct timeline *t)
{
	t->depth = 0;
	t->pid = -1;
	t->exit = t->unknown_exit;
	t->exit_name = 0;
	t->in_guest = t->params.is_vcpu;
	memset(t->worker, 0, sizeof(t->worker));
}

void timeline_feed(struct timeline *t, const struct trace_event *event, struct timeline_step *ret)
{
	*ret = (struct timeline_step){ .started = TIMELINE_NONE };
	if (event->type != TRACE_LOST)
		resync(t, event->pid);
	leave_guest(t, event);
	switch ((enum trace_type)event->type) {
	case TRACE_SWITCH:
		on_switch(t, event, ret);
		break;
	case TRACE_WORK_START:
		on_work_start(t, event, ret);
		break;
	case TRACE_WORK_END:
		t->is_working = false;
		break;
	case TRACE_IRQ_ENTRY:
		push(t, CAUSE_IRQ, (uint32_t)event->peer, event->name, ret);
		break;
	case TRACE_IRQ_EXIT:
		pop(t, CAUSE_IRQ, (uint32_t)event->peer);
		break;
	case TRACE_VECTOR_ENTRY:
		on_vector(t, event, ret);
		break;
	case TRACE_VECTOR_EXIT:
		on_vector_exit(t, event, ret);
		break;
	case TRACE_FUNCTION:
		on_function(t, event, ret);
		break;
	case TRACE_CALL:
		on_call(t, event, ret);
		break;
	case TRACE_RETURN:
		pop(t, CAUSE_CALL, event->name);
		break;
	case TRACE_SOFTIRQ_ENTRY:
		push(t, CAUSE_SOFTIRQ, event->name, event->name, ret);
		break;
	case TRACE_SOFTIRQ_EXIT:
		pop(t, CAUSE_SOFTIRQ, event->name);
		break;
	case TRACE_NMI:
		ret->started = cause(t, CAUSE_NMI, event->name);
		break;
	case TRACE_CPU_IDLE:
		on_cpu_idle(t, event);
		break;
	case TRACE_KVM_EXIT:
		on_kvm_exit(t, event, ret);
		break;
	case TRACE_KVM_ENTRY:
		on_kvm_entry(t, ret);
		break;
	case TRACE_LOST:
		on_lost(t);
		break;
	case TRACE_OTHER:
	case TRACE_STACK:
	case TRACE_WAKEUP:
	case TRACE_WORK_QUEUE:
	case TRACE_TSC_OFFSET:
	case TRACE_TYPE_MAX:
		break;
	}
}
