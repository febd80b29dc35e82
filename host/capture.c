// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fs.h"
#include "common/kprobes.h"

/*
 * Seen on a measured CPU: 100 to 700 KiB a second on the host, a tenth of that in the guest; more where it is not as
 * isolated as it should be. A guest's first touch of each page of its buffers is a nested page fault.
 */
#define HOST_KIB_PER_SECOND 1024
#define GUEST_KIB_PER_SECOND 256
#define MIN_KIB 4096
#define MAX_HOST_KIB (64 * 1024)
#define MAX_GUEST_KIB (24 * 1024) /* of a guest of some 384 MiB, for each vCPU */

#define HERE "CPU == @"

struct event {
	const char *name;
	const char *filter; /* @: the measured CPU; NULL: everything */
	bool host_only;
};

static const struct event events[] = {
	{ "sched:sched_switch", HERE, false },
	{ "sched:sched_waking", "CPU == @ || target_cpu == @", false },
	{ "sched:sched_wakeup", "CPU == @ || target_cpu == @", false },
	{ "sched:sched_wakeup_new", "CPU == @ || target_cpu == @", false },
	{ "sched:sched_migrate_task", "CPU == @ || dest_cpu == @ || orig_cpu == @", false },
	{ "workqueue:workqueue_queue_work", "CPU == @ || cpu == @", false },
	{ "workqueue:workqueue_activate_work", HERE, false },
	{ "workqueue:workqueue_execute_start", HERE, false },
	{ "workqueue:workqueue_execute_end", HERE, false },
	{ "power:cpu_idle", HERE, false },
	{ "irq:irq_handler_entry", HERE, false },
	{ "irq:irq_handler_exit", HERE, false },
	{ "irq:softirq_entry", HERE, false },
	{ "irq:softirq_exit", HERE, false },
	{ "irq_vectors:local_timer_entry", HERE, false },
	{ "irq_vectors:local_timer_exit", HERE, false },
	{ "irq_vectors:reschedule_entry", HERE, false },
	{ "irq_vectors:reschedule_exit", HERE, false },
	{ "irq_vectors:call_function_entry", HERE, false },
	{ "irq_vectors:call_function_exit", HERE, false },
	{ "irq_vectors:call_function_single_entry", HERE, false },
	{ "irq_vectors:call_function_single_exit", HERE, false },
	{ "irq_vectors:irq_work_entry", HERE, false },
	{ "irq_vectors:irq_work_exit", HERE, false },
	{ "irq_vectors:x86_platform_ipi_entry", HERE, false },
	{ "irq_vectors:x86_platform_ipi_exit", HERE, false },
	{ "irq_vectors:error_apic_entry", HERE, false },
	{ "irq_vectors:error_apic_exit", HERE, false },
	{ "irq_vectors:spurious_apic_entry", HERE, false },
	{ "irq_vectors:spurious_apic_exit", HERE, false },
	{ "irq_vectors:thermal_apic_entry", HERE, false },
	{ "irq_vectors:thermal_apic_exit", HERE, false },
	{ "irq_vectors:deferred_error_apic_entry", HERE, false },
	{ "irq_vectors:deferred_error_apic_exit", HERE, false },
	{ "irq_vectors:threshold_apic_entry", HERE, false },
	{ "irq_vectors:threshold_apic_exit", HERE, false },
	{ "nmi:nmi_handler", HERE, false },
	{ "ipi:ipi_send_cpu", "CPU == @ || cpu == @", false },
	{ "timer:tick_stop", HERE, false },
	{ "timer:timer_expire_entry", HERE, false },
	{ "timer:timer_expire_exit", HERE, false },
	{ "timer:hrtimer_expire_entry", HERE, false },
	{ "timer:hrtimer_expire_exit", HERE, false },
	{ "kvm:kvm_entry", HERE, true },
	{ "kvm:kvm_exit", HERE, true },
	{ "kvm:kvm_page_fault", HERE, true },
	{ "kvm:kvm_inj_virq", HERE, true },
	{ "kvm:kvm_write_tsc_offset", NULL, true },
};

/* The filter with the CPU's number for each '@'. */
static char *expand(const char *filter, int cpu)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return NULL;
	for (const char *p = filter ? filter : ""; *p; p++) {
		if (*p == '@')
			fprintf(out, "%d", cpu);
		else
			fputc(*p, out);
	}
	return fclose(out) == 0 ? text : NULL;
}

static int add_event(json_t *list, const char *name, const char *filter, int cpu, bool stack)
{
	_cleanup_free_ char *expanded = expand(filter, cpu);

	if (!expanded)
		return -1;
	return json_array_append_new(list,
				     json_pack("{s:s, s:s, s:b}", "name", name, "filter", expanded, "stack", stack));
}

/* Of a call its end is wanted, too. */
static int add_extra(json_t *list, const struct scenario_event *event, int cpu)
{
	static const char call[] = KPROBE_CALL ":";
	_cleanup_free_ char *end = NULL;
	int ret = add_event(list, event->name, event->filter, cpu, event->stack);

	if (ret < 0 || strncmp(event->name, call, strlen(call)) != 0)
		return ret;
	end = str_printf(KPROBE_RETURN ":%s", event->name + strlen(call));
	return end ? add_event(list, end, event->filter, cpu, false) : -1;
}

static bool is_replaced(const char *name, enum layer layer, const struct schema_list *extra)
{
	const struct scenario_event *more = extra->item;

	for (size_t i = 0; i < extra->count; i++)
		if (more[i].layer == (int)layer && strcmp(more[i].name, name) == 0)
			return true;
	return false;
}

static json_int_t buffer_kib(enum layer layer, uint64_t duration_ns)
{
	uint64_t rate = layer == LAYER_HOST ? HOST_KIB_PER_SECOND : GUEST_KIB_PER_SECOND;
	uint64_t kib = duration_ns / 1000000000 * rate;
	uint64_t most = layer == LAYER_HOST ? MAX_HOST_KIB : MAX_GUEST_KIB;

	if (kib < MIN_KIB)
		return MIN_KIB;
	return (json_int_t)(kib < most ? kib : most);
}

json_t *capture_request(enum layer layer, int cpu, uint64_t duration_ns, const struct schema_list *extra)
{
	const struct scenario_event *more = extra->item;
	json_t *list = json_array();
	int ret = list ? 0 : -1;

	for (size_t i = 0; ret == 0 && i < ARRAY_SIZE(events); i++)
		if ((layer == LAYER_HOST || !events[i].host_only) && !is_replaced(events[i].name, layer, extra))
			ret = add_event(list, events[i].name, events[i].filter, cpu, false);
	for (size_t i = 0; ret == 0 && i < extra->count; i++)
		if (more[i].layer == (int)layer)
			ret = add_extra(list, &more[i], cpu);
	if (ret < 0) {
		json_decref(list);
		return NULL;
	}
	return json_pack("{s:s, s:o, s:I}", "op", "capture.start", "events", list, "buffer_kib",
			 buffer_kib(layer, duration_ns));
}

json_t *capture_fetch_request(enum layer layer, uint64_t trace_id, const struct clock_reading *clock)
{
	uint64_t own = trace_id + (layer == LAYER_GUEST);
	json_t *vcpus;

	if (!clock || !clock_fits_traces(clock))
		return json_pack("{s:s, s:I}", "op", "capture.fetch", "trace_id", (json_int_t)own);
	vcpus = json_array();
	for (size_t i = 0; i < clock->count; i++)
		json_array_append_new(vcpus, json_pack("{s:I, s:i}", "shift", (json_int_t)-clock->vcpu[i].map.offset,
						       "tid", (int)clock->vcpu[i].tid));
	return json_pack("{s:s, s:I, s:I, s:b, s:o}", "op", "capture.fetch", "trace_id", (json_int_t)own, "peer_id",
			 (json_int_t)(trace_id + (layer == LAYER_HOST)), "is_guest", layer == LAYER_GUEST, "vcpus",
			 vcpus);
}
