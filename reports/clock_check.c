// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/clock_check.h"

void clock_check_init(struct clock_check *check, uint16_t host_cpu, uint16_t guest_cpu, int32_t vcpu_tid)
{
	*check = (struct clock_check){ .host_cpu = host_cpu,
				       .guest_cpu = guest_cpu,
				       .vcpu_tid = vcpu_tid,
				       .after_entry = UINT64_MAX,
				       .before_exit = UINT64_MAX };
}

static void keep_shortest(struct clock_check *check, uint64_t *shortest, uint64_t cycles)
{
	check->pairs++;
	if (cycles < *shortest)
		*shortest = cycles;
}

static void on_entry(struct clock_check *check, uint64_t tsc)
{
	if (check->is_known && !check->in_guest && check->first_early) {
		uint64_t late = check->first_early - check->since;
		uint64_t early = tsc - check->first_early;
		uint64_t off = late < early ? late : early;

		if (off > check->contradiction)
			check->contradiction = off;
	}
	check->is_known = true;
	check->in_guest = true;
	check->since = tsc;
	check->last = check->first_early = 0;
}

static void on_exit(struct clock_check *check, uint64_t tsc)
{
	if (!check->is_known || !check->in_guest)
		return;
	if (check->last)
		keep_shortest(check, &check->before_exit, tsc - check->last);
	check->in_guest = false;
	check->since = tsc;
	check->first_early = 0;
}

static void on_host(struct clock_check *check, const struct trace_event *event)
{
	switch ((enum trace_type)event->type) {
	case TRACE_KVM_ENTRY:
		if (event->pid == check->vcpu_tid)
			on_entry(check, event->tsc);
		break;
	case TRACE_LOST:
		check->is_known = false;
		break;
	case TRACE_STACK:
	case TRACE_FUNCTION:
	case TRACE_CALL:
	case TRACE_RETURN:
	case TRACE_OTHER: /* may lie between kvm_entry and the entry itself */
		break;
	default:
		on_exit(check, event->tsc);
		break;
	}
}

void clock_check_feed(struct clock_check *check, const struct trace_event *event)
{
	if (event->layer == TRACE_HOST) {
		if (event->type == TRACE_TSC_OFFSET && event->peer == check->guest_cpu)
			check->changed = true;
		if (event->cpu == check->host_cpu)
			on_host(check, event);
		return;
	}
	if (event->cpu != check->guest_cpu || event->type == TRACE_LOST || !check->is_known)
		return;
	if (!check->in_guest) {
		if (!check->first_early)
			check->first_early = event->tsc;
		return;
	}
	if (!check->last)
		keep_shortest(check, &check->after_entry, event->tsc - check->since);
	check->last = event->tsc;
}

uint64_t clock_check_error(const struct clock_check *check)
{
	uint64_t slack = check->after_entry > check->before_exit ? check->after_entry : check->before_exit;

	return slack > check->contradiction ? slack : check->contradiction;
}
