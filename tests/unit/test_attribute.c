// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The join: known sequences give known parts, and for any sequence whatever, also cut,
 * reordered or with losses, the parts of each gap sum to the gap.
 */
#include "reports/attribute.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HZ 1000000000ULL /* a cycle is a nanosecond */
#define VCPU 100
#define PROBE 200
#define STIMULUS 300
#define MAX_GAPS 64

struct world {
	struct names *names;
	struct causes *causes;
	struct gap gap[MAX_GAPS];
	size_t n_gaps;
	struct attribution *join;
	unsigned int started; /* by the observer */
};

static const int32_t stimulus_pids[] = { STIMULUS };

static void on_started(void *ctx, uint32_t cause, uint64_t tsc)
{
	struct world *w = ctx;

	(void)cause;
	(void)tsc;
	w->started++;
}

static void world_init(struct world *w, bool has_guest)
{
	struct attribute_params params = {
		.gaps = w->gap,
		.n_gaps = w->n_gaps,
		.host = { .layer = TRACE_HOST,
			  .subject_tid = has_guest ? VCPU : PROBE,
			  .is_vcpu = has_guest,
			  .stimulus = stimulus_pids,
			  .n_stimulus = 1 },
		.host_cpu = 1,
		.has_guest = has_guest,
		.guest = { .layer = TRACE_GUEST, .subject_tid = PROBE },
		.guest_cpu = 1,
		.cycles_per_second = HZ,
		.observer = { .started = on_started, .ctx = w },
	};

	w->names = names_new();
	w->causes = causes_new(w->names);
	assert_non_null(w->causes);
	params.names = w->names;
	params.causes = w->causes;
	w->join = attribution_new(&params);
	assert_non_null(w->join);
}

static void world_done(struct world *w)
{
	for (size_t i = 0; i < w->n_gaps; i++)
		gap_done(&w->gap[i]);
	attribution_free(w->join);
	causes_free(w->causes);
	names_free(w->names);
}

static uint32_t name(struct world *w, const char *text)
{
	return names_intern(w->names, text, strlen(text));
}

static void feed(struct world *w, enum trace_layer layer, uint64_t tsc, enum trace_type type, int32_t pid,
		 const char *text, int32_t peer, uint64_t arg)
{
	struct trace_event event = { .tsc = tsc,
				     .arg = arg,
				     .name = name(w, text),
				     .pid = pid,
				     .peer = peer,
				     .cpu = 1,
				     .type = (uint8_t)type,
				     .layer = (uint8_t)layer };

	assert_int_equal(attribution_feed(w->join, &event), 0);
}

static uint64_t part(const struct world *w, const struct gap *gap, const char *text)
{
	for (size_t i = 0; i < gap->n_parts; i++)
		if (strcmp(causes_text(w->causes, gap->part[i].cause), text) == 0)
			return gap->part[i].cycles;
	return 0;
}

static void assert_sums(const struct gap *gap)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < gap->n_parts; i++)
		sum += gap->part[i].cycles;
	assert_int_equal(sum, gap->t1 - gap->t0);
	assert_true(gap->guest_cycles <= gap->t1 - gap->t0);
	assert_true(gap->n_roots > 0);
}

static void assert_cause(const struct world *w, const struct gap *gap, const char *text, bool single)
{
	assert_string_equal(causes_text(w->causes, gap->cause), text);
	assert_int_equal(gap->single, single);
	assert_sums(gap);
}

/* As kvm_amd on a preemptible kernel records it: the vCPU is preempted before kvm_exit is. */
static void feed_vmstat_hit(struct world *w, uint64_t t)
{
	feed(w, TRACE_HOST, t + 10, TRACE_VECTOR_ENTRY, VCPU, "reschedule", 0, 0);
	feed(w, TRACE_HOST, t + 15, TRACE_VECTOR_EXIT, VCPU, "reschedule", 0, 0);
	feed(w, TRACE_HOST, t + 20, TRACE_SWITCH, VCPU, "kworker/1:1", 38, 0);
	feed(w, TRACE_HOST, t + 25, TRACE_WORK_START, 38, "vmstat_update", 0, 0xabc);
	feed(w, TRACE_HOST, t + 60, TRACE_WORK_END, 38, "vmstat_update", 0, 0xabc);
	feed(w, TRACE_HOST, t + 70, TRACE_SWITCH, 38, "CPU 1/KVM", VCPU, 0x80);
	feed(w, TRACE_HOST, t + 75, TRACE_KVM_EXIT, VCPU, "interrupt", 1, 0);
	feed(w, TRACE_HOST, t + 85, TRACE_KVM_ENTRY, VCPU, "", 1, 0);
}

static void host_kworker(void **state)
{
	struct world w = { .gap = { { .t0 = 1000, .t1 = 1100 } }, .n_gaps = 1 };
	struct gap *gap = &w.gap[0];

	(void)state;
	world_init(&w, true);
	feed(&w, TRACE_HOST, 500, TRACE_KVM_ENTRY, VCPU, "", 1, 0);
	feed_vmstat_hit(&w, 1000);
	assert_int_equal(attribution_finish(w.join), 0);
	assert_cause(&w, gap, "host/kworker/vmstat_update", true);
	assert_int_equal(part(&w, gap, "host/kworker/vmstat_update"), 50); /* switch in to switch out */
	assert_int_equal(part(&w, gap, "host/irq/reschedule"), 5);
	assert_int_equal(part(&w, gap, "host/exit/interrupt"), 5 + 5 + 10);
	assert_int_equal(part(&w, gap, "unexplained"), 10 + 15);
	assert_int_equal(gap->guest_cycles, 25);
	assert_int_equal(gap->exits, 1);
	assert_int_equal(gap->n_roots, 1);
	world_done(&w);
}

static void guest_kworker(void **state)
{
	struct world w = { .gap = { { .t0 = 1000, .t1 = 1100 } }, .n_gaps = 1 };

	(void)state;
	world_init(&w, true);
	feed(&w, TRACE_HOST, 500, TRACE_KVM_ENTRY, VCPU, "", 1, 0);
	feed(&w, TRACE_GUEST, 1005, TRACE_VECTOR_ENTRY, PROBE, "local_timer", 0, 0);
	feed(&w, TRACE_HOST, 1010, TRACE_KVM_EXIT, VCPU, "msr", 1, 0);
	feed(&w, TRACE_HOST, 1030, TRACE_KVM_ENTRY, VCPU, "", 1, 0);
	feed(&w, TRACE_GUEST, 1040, TRACE_VECTOR_EXIT, PROBE, "local_timer", 0, 0);
	feed(&w, TRACE_GUEST, 1042, TRACE_SWITCH, PROBE, "kworker/1:0", 40, 0);
	feed(&w, TRACE_GUEST, 1045, TRACE_WORK_START, 40, "vmstat_update", 0, 1);
	feed(&w, TRACE_GUEST, 1080, TRACE_WORK_END, 40, "vmstat_update", 0, 1);
	feed(&w, TRACE_GUEST, 1090, TRACE_SWITCH, 40, "vcpulat-probe", PROBE, 0);
	assert_int_equal(attribution_finish(w.join), 0);
	assert_cause(&w, &w.gap[0], "guest/kworker/vmstat_update", true);
	assert_int_equal(part(&w, &w.gap[0], "guest/kworker/vmstat_update"), 48);
	assert_int_equal(part(&w, &w.gap[0], "guest/irq/local_timer"), 5 + 10);
	assert_int_equal(part(&w, &w.gap[0], "host/exit/msr"), 20);
	assert_int_equal(part(&w, &w.gap[0], "guest/kernel"), 2);
	assert_int_equal(w.gap[0].guest_cycles, 80);
	world_done(&w);
}

/* A vCPU that halts does what its guest wants; one that sleeps in another exit is kept waiting. */
static void vcpu_sleeps(void **state)
{
	static const struct {
		const char *exit;
		const char *cause;
	} exits[] = { { "npf", "host/wait/page_fault" },
		      { "ept_violation", "host/wait/page_fault" },
		      { "io", "host/wait/io" },
		      { "hlt", "host/irq/reschedule" } };

	(void)state;
	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
		struct world w = { .gap = { { .t0 = 1000, .t1 = 1500 } }, .n_gaps = 1 };

		world_init(&w, true);
		feed(&w, TRACE_HOST, 900, TRACE_KVM_ENTRY, VCPU, "", 1, 0);
		feed(&w, TRACE_HOST, 1010, TRACE_KVM_EXIT, VCPU, exits[i].exit, 1, 0);
		feed(&w, TRACE_HOST, 1030, TRACE_SWITCH, VCPU, "swapper/1", 0, 1);
		feed(&w, TRACE_HOST, 1035, TRACE_CPU_IDLE, 0, "", 0, 1);
		feed(&w, TRACE_HOST, 1400, TRACE_VECTOR_ENTRY, 0, "reschedule", 0, 0);
		feed(&w, TRACE_HOST, 1410, TRACE_VECTOR_EXIT, 0, "reschedule", 0, 0);
		feed(&w, TRACE_HOST, 1420, TRACE_SWITCH, 0, "CPU 1/KVM", VCPU, 0);
		feed(&w, TRACE_HOST, 1490, TRACE_KVM_ENTRY, VCPU, "", 1, 0);
		assert_int_equal(attribution_finish(w.join), 0);
		assert_cause(&w, &w.gap[0], exits[i].cause, true);
		assert_int_equal(
			part(&w, &w.gap[0], strcmp(exits[i].exit, "hlt") == 0 ? "host/halted" : exits[i].cause), 380);
		world_done(&w);
	}
}

static void native_kworker_and_stimulus(void **state)
{
	struct world w = { .gap = { { .t0 = 1000, .t1 = 1100 }, { .t0 = 2000, .t1 = 2100 } }, .n_gaps = 2 };

	(void)state;
	world_init(&w, false);
	feed(&w, TRACE_HOST, 1001, TRACE_SWITCH, PROBE, "kworker/1:1", 38, 0);
	feed(&w, TRACE_HOST, 1010, TRACE_WORK_START, 38, "vmstat_update", 0, 1);
	feed(&w, TRACE_HOST, 1050, TRACE_WORK_END, 38, "vmstat_update", 0, 1);
	feed(&w, TRACE_HOST, 1055, TRACE_WORK_START, 38, "lru_add_drain_per_cpu", 0, 2);
	feed(&w, TRACE_HOST, 1080, TRACE_WORK_END, 38, "lru_add_drain_per_cpu", 0, 2);
	feed(&w, TRACE_HOST, 1099, TRACE_SWITCH, 38, "vcpulat-probe", PROBE, 0);
	feed(&w, TRACE_HOST, 2001, TRACE_SWITCH, PROBE, "whatever", STIMULUS, 0);
	feed(&w, TRACE_HOST, 2099, TRACE_SWITCH, STIMULUS, "vcpulat-probe", PROBE, 0);
	assert_int_equal(attribution_finish(w.join), 0);
	assert_cause(&w, &w.gap[0], "host/kworker/vmstat_update", false);
	assert_int_equal(w.gap[0].n_roots, 2);
	assert_int_equal(part(&w, &w.gap[0], "host/kworker/vmstat_update"), 54);
	assert_int_equal(part(&w, &w.gap[0], "host/kworker/lru_add_drain_per_cpu"), 44);
	assert_int_equal(w.gap[0].guest_cycles, 0);
	assert_cause(&w, &w.gap[1], "host/stimulus", true);
	world_done(&w);
}

/* One part of the machinery is one cause, whichever guest it serves. */
static void helpers_of_a_guest(void **state)
{
	static const char *const comms[] = { "vhost-4711", "IO mon_iothread", "qemu-system-x86", "CPU 0/KVM",
					     "vhostile" };
	static const char *const causes[] = { "host/vmm/vhost", "host/vmm/iothread", "host/vmm/emulator",
					      "host/vmm/another-vcpu", "host/task/vhostile" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(comms); i++) {
		struct world w = { .gap = { { .t0 = 1000, .t1 = 1100 } }, .n_gaps = 1 };

		world_init(&w, false);
		feed(&w, TRACE_HOST, 1001, TRACE_SWITCH, PROBE, comms[i], 50, 0);
		feed(&w, TRACE_HOST, 1099, TRACE_SWITCH, 50, "vcpulat-probe", PROBE, 0);
		assert_int_equal(attribution_finish(w.join), 0);
		assert_cause(&w, &w.gap[0], causes[i], true);
		world_done(&w);
	}
}

static void idle_by_its_depth(void **state)
{
	struct world w = { .gap = { { .t0 = 1000, .t1 = 1100 } }, .n_gaps = 1 };

	(void)state;
	world_init(&w, false);
	feed(&w, TRACE_HOST, 1000, TRACE_SWITCH, PROBE, "swapper/1", 0, 0);
	feed(&w, TRACE_HOST, 1010, TRACE_CPU_IDLE, 0, "", 0, 3);
	feed(&w, TRACE_HOST, 1080, TRACE_CPU_IDLE, 0, "", 0, UINT32_MAX);
	feed(&w, TRACE_HOST, 1095, TRACE_SWITCH, 0, "vcpulat-probe", PROBE, 0);
	assert_int_equal(attribution_finish(w.join), 0);
	assert_int_equal(part(&w, &w.gap[0], "host/cstate/3"), 70);
	assert_int_equal(part(&w, &w.gap[0], "host/idle"), 25);
	world_done(&w);
}

static void flush_barrier_belongs_to_its_work(void **state)
{
	struct world w = { .gap = { { .t0 = 1000, .t1 = 1100 } }, .n_gaps = 1 };

	(void)state;
	world_init(&w, false);
	feed(&w, TRACE_HOST, 1000, TRACE_SWITCH, PROBE, "kworker/1:1", 38, 0);
	feed(&w, TRACE_HOST, 1010, TRACE_WORK_START, 38, "refresh_vm_stats", 0, 1);
	feed(&w, TRACE_HOST, 1050, TRACE_WORK_END, 38, "refresh_vm_stats", 0, 1);
	feed(&w, TRACE_HOST, 1055, TRACE_WORK_START, 38, "wq_barrier_func", 0, 2);
	feed(&w, TRACE_HOST, 1080, TRACE_WORK_END, 38, "wq_barrier_func", 0, 2);
	feed(&w, TRACE_HOST, 1100, TRACE_SWITCH, 38, "vcpulat-probe", PROBE, 0);
	assert_int_equal(attribution_finish(w.join), 0);
	assert_cause(&w, &w.gap[0], "host/kworker/refresh_vm_stats", true);
	assert_int_equal(part(&w, &w.gap[0], "host/kworker/refresh_vm_stats"), 100);
	world_done(&w);
}

static void irq_alone_and_nmi_inside(void **state)
{
	struct world w = { .gap = { { .t0 = 1000, .t1 = 1100 } }, .n_gaps = 1 };

	(void)state;
	world_init(&w, false);
	feed(&w, TRACE_HOST, 1005, TRACE_VECTOR_ENTRY, PROBE, "local_timer", 0, 0);
	feed(&w, TRACE_HOST, 1040, TRACE_NMI, PROBE, "perf_event_nmi_handler", 0, 10);
	feed(&w, TRACE_HOST, 1060, TRACE_VECTOR_EXIT, PROBE, "local_timer", 0, 0);
	feed(&w, TRACE_HOST, 1062, TRACE_SOFTIRQ_ENTRY, PROBE, "timer", 7, 0);
	feed(&w, TRACE_HOST, 1070, TRACE_IRQ_ENTRY, PROBE, "eth0", 25, 0);
	feed(&w, TRACE_HOST, 1080, TRACE_IRQ_EXIT, PROBE, "", 25, 0);
	feed(&w, TRACE_HOST, 1095, TRACE_SOFTIRQ_EXIT, PROBE, "timer", 7, 0);
	assert_int_equal(attribution_finish(w.join), 0);
	assert_cause(&w, &w.gap[0], "host/irq/local_timer", false);
	assert_int_equal(part(&w, &w.gap[0], "host/nmi/perf_event_nmi_handler"), 10);
	assert_int_equal(part(&w, &w.gap[0], "host/irq/local_timer"), 45);
	assert_int_equal(part(&w, &w.gap[0], "host/irq/eth0"), 10);
	assert_int_equal(part(&w, &w.gap[0], "host/softirq/timer"), 8 + 15);
	assert_int_equal(part(&w, &w.gap[0], "host/kernel"), 2);     /* between interrupt and softirq */
	assert_int_equal(part(&w, &w.gap[0], "unexplained"), 5 + 5); /* before the first and after the last event */
	assert_int_equal(w.gap[0].n_roots, 3);
	world_done(&w);
}

static void ipis_are_named_by_what_they_call(void **state)
{
	struct world w = {
		.gap = { { .t0 = 1000, .t1 = 1100 }, { .t0 = 2000, .t1 = 2100 }, { .t0 = 3000, .t1 = 3100 } },
		.n_gaps = 3
	};

	(void)state;
	world_init(&w, false);
	feed(&w, TRACE_HOST, 1000, TRACE_VECTOR_ENTRY, PROBE, "call_function_single", 0, 0);
	feed(&w, TRACE_HOST, 1030, TRACE_FUNCTION, PROBE, "invalidate_bh_lru", 0, 0);
	feed(&w, TRACE_HOST, 1100, TRACE_VECTOR_EXIT, PROBE, "call_function_single", 0, 0);
	feed(&w, TRACE_HOST, 2000, TRACE_VECTOR_ENTRY, PROBE, "call_function", 0, 0);
	feed(&w, TRACE_HOST, 2100, TRACE_VECTOR_EXIT, PROBE, "call_function", 0, 0);
	feed(&w, TRACE_HOST, 2500, TRACE_FUNCTION, PROBE, "invalidate_bh_lru", 0, 0); /* called by the CPU itself */
	feed(&w, TRACE_HOST, 3000, TRACE_VECTOR_ENTRY, PROBE, "call_function", 0, 0);
	feed(&w, TRACE_HOST, 3010, TRACE_FUNCTION, PROBE, "flush_tlb_func", 0, 0);
	feed(&w, TRACE_HOST, 3070, TRACE_FUNCTION, PROBE, "ack_kick", 0, 0);
	feed(&w, TRACE_HOST, 3100, TRACE_VECTOR_EXIT, PROBE, "call_function", 0, 0);
	assert_int_equal(attribution_finish(w.join), 0);
	assert_cause(&w, &w.gap[0], "host/ipi/invalidate_bh_lru", true);
	assert_int_equal(part(&w, &w.gap[0], "host/ipi/invalidate_bh_lru"), 100);
	assert_cause(&w, &w.gap[1], "host/irq/call_function", true);
	assert_int_equal(part(&w, &w.gap[1], "host/irq/call_function"), 100);
	assert_cause(&w, &w.gap[2], "host/ipi/flush_tlb_func", false);
	assert_int_equal(part(&w, &w.gap[2], "host/ipi/ack_kick"), 30);
	assert_int_equal(w.started, 4);
	world_done(&w);
}

/* Of an interrupt, of other tasks, and where the call began elsewhere, it is no cause. */
static void calls_are_the_probes_own(void **state)
{
	struct world w = { .gap = { { .t0 = 1000, .t1 = 1100 },
				    { .t0 = 2000, .t1 = 2100 },
				    { .t0 = 3000, .t1 = 3100 },
				    { .t0 = 4000, .t1 = 4100 } },
			   .n_gaps = 4 };

	(void)state;
	world_init(&w, false);
	feed(&w, TRACE_HOST, 1000, TRACE_OTHER, PROBE, "page_fault_user", 0, 0);
	feed(&w, TRACE_HOST, 1010, TRACE_CALL, PROBE, "cgroup_rstat_flush", 0, 0);
	feed(&w, TRACE_HOST, 1070, TRACE_RETURN, PROBE, "cgroup_rstat_flush", 0, 0);
	feed(&w, TRACE_HOST, 1080, TRACE_VECTOR_ENTRY, PROBE, "local_timer", 0, 0);
	feed(&w, TRACE_HOST, 1090, TRACE_VECTOR_EXIT, PROBE, "local_timer", 0, 0);
	feed(&w, TRACE_HOST, 2000, TRACE_VECTOR_ENTRY, PROBE, "local_timer", 0, 0);
	feed(&w, TRACE_HOST, 2010, TRACE_CALL, PROBE, "cgroup_rstat_flush", 0, 0);
	feed(&w, TRACE_HOST, 2020, TRACE_RETURN, PROBE, "cgroup_rstat_flush", 0, 0);
	feed(&w, TRACE_HOST, 2100, TRACE_VECTOR_EXIT, PROBE, "local_timer", 0, 0);
	feed(&w, TRACE_HOST, 3000, TRACE_SWITCH, PROBE, "cat", 70, 0);
	feed(&w, TRACE_HOST, 3010, TRACE_CALL, 70, "cgroup_rstat_flush", 0, 0);
	feed(&w, TRACE_HOST, 3020, TRACE_RETURN, 70, "cgroup_rstat_flush", 0, 0);
	feed(&w, TRACE_HOST, 3100, TRACE_SWITCH, 70, "vcpulat-probe", PROBE, 0);
	feed(&w, TRACE_HOST, 4000, TRACE_RETURN, PROBE, "cgroup_rstat_flush", 0, 0);
	assert_int_equal(attribution_finish(w.join), 0);
	assert_cause(&w, &w.gap[0], "host/call/cgroup_rstat_flush", true);
	assert_int_equal(part(&w, &w.gap[0], "host/call/cgroup_rstat_flush"), 60);
	assert_int_equal(part(&w, &w.gap[0], "host/kernel"), 20);
	assert_cause(&w, &w.gap[1], "host/irq/local_timer", true);
	assert_int_equal(part(&w, &w.gap[1], "host/irq/local_timer"), 100);
	assert_cause(&w, &w.gap[2], "host/task/cat", true);
	assert_int_equal(part(&w, &w.gap[2], "host/task/cat"), 100);
	assert_cause(&w, &w.gap[3], "unexplained", true);
	assert_int_equal(w.started, 4);
	world_done(&w);
}

static void lost_events_claim_nothing(void **state)
{
	struct world w = { .gap = { { .t0 = 900, .t1 = 950 }, { .t0 = 1000, .t1 = 1100 }, { .t0 = 3000, .t1 = 3100 } },
			   .n_gaps = 3 };

	(void)state;
	world_init(&w, true);
	feed(&w, TRACE_HOST, 500, TRACE_KVM_ENTRY, VCPU, "", 1, 0);
	feed_vmstat_hit(&w, 1000);
	feed(&w, TRACE_HOST, 1200, TRACE_LOST, 38, "", 0, 940);
	feed(&w, TRACE_HOST, 1200, TRACE_WORK_END, 38, "vmstat_update", 0, 1);
	feed(&w, TRACE_HOST, 1300, TRACE_SWITCH, 38, "CPU 1/KVM", VCPU, 0);
	feed(&w, TRACE_HOST, 1310, TRACE_KVM_ENTRY, VCPU, "", 1, 0);
	feed_vmstat_hit(&w, 3000);
	assert_int_equal(attribution_finish(w.join), 0);
	assert_true(w.gap[0].lost && w.gap[1].lost && !w.gap[2].lost);
	assert_cause(&w, &w.gap[0], "unexplained", false);
	assert_cause(&w, &w.gap[1], "unexplained", false);
	assert_cause(&w, &w.gap[2], "host/kworker/vmstat_update", true);
	world_done(&w);
}

/* Where the meter saw nothing executed, what no layer shows passed below the host; it is no interrupt's gap. */
static void quiet_time_is_below_the_host(void **state)
{
	struct world w = { .gap = { { .t0 = 1000, .t1 = 1400, .quiet = true },
				    { .t0 = 2000, .t1 = 2100, .quiet = true },
				    { .t0 = 2200, .t1 = 2250 },
				    { .t0 = 2300, .t1 = 2350, .quiet = true } },
			   .n_gaps = 4 };

	(void)state;
	world_init(&w, false);
	feed(&w, TRACE_HOST, 900, TRACE_SWITCH, 0, "probe", PROBE, 0);
	feed(&w, TRACE_HOST, 1010, TRACE_VECTOR_ENTRY, PROBE, "local_timer", 0, 0);
	feed(&w, TRACE_HOST, 1020, TRACE_VECTOR_EXIT, PROBE, "local_timer", 0, 0);
	feed(&w, TRACE_HOST, 2010, TRACE_VECTOR_ENTRY, PROBE, "local_timer", 0, 0);
	feed(&w, TRACE_HOST, 2090, TRACE_VECTOR_EXIT, PROBE, "local_timer", 0, 0);
	assert_int_equal(attribution_finish(w.join), 0);
	assert_cause(&w, &w.gap[0], "below-host", false);
	assert_int_equal(part(&w, &w.gap[0], "below-host"), 390);
	assert_int_equal(part(&w, &w.gap[0], "unexplained"), 0);
	assert_cause(&w, &w.gap[1], "host/irq/local_timer", true);
	assert_cause(&w, &w.gap[2], "unexplained", true);
	assert_cause(&w, &w.gap[3], "below-host", true);
	world_done(&w);
}

static void mostly_unexplained_is_not_claimed(void **state)
{
	struct world w = { .gap = { { .t0 = 1000, .t1 = 2000 } }, .n_gaps = 1 };

	(void)state;
	world_init(&w, true);
	feed(&w, TRACE_HOST, 500, TRACE_KVM_ENTRY, VCPU, "", 1, 0);
	feed_vmstat_hit(&w, 1000);
	assert_int_equal(attribution_finish(w.join), 0);
	assert_cause(&w, &w.gap[0], "unexplained", false);
	assert_string_equal(causes_text(w.causes, w.gap[0].root[0].cause), "host/kworker/vmstat_update");
	gap_claim(&w.gap[0], w.causes, true);
	assert_cause(&w, &w.gap[0], "host/kworker/vmstat_update", true);
	world_done(&w);
}

static void preempted_work_goes_on(void **state)
{
	struct world w = { .gap = { { .t0 = 2000, .t1 = 2100 } }, .n_gaps = 1 };

	(void)state;
	world_init(&w, false);
	feed(&w, TRACE_HOST, 1000, TRACE_SWITCH, PROBE, "kworker/1:1", 38, 0);
	feed(&w, TRACE_HOST, 1010, TRACE_WORK_START, 38, "vmstat_update", 0, 1);
	feed(&w, TRACE_HOST, 1020, TRACE_SWITCH, 38, "vcpulat-probe", PROBE, 0);
	feed(&w, TRACE_HOST, 2000, TRACE_SWITCH, PROBE, "kworker/1:1", 38, 0);
	feed(&w, TRACE_HOST, 2080, TRACE_WORK_END, 38, "vmstat_update", 0, 1);
	feed(&w, TRACE_HOST, 2100, TRACE_SWITCH, 38, "vcpulat-probe", PROBE, 0);
	assert_int_equal(attribution_finish(w.join), 0);
	assert_cause(&w, &w.gap[0], "host/kworker/vmstat_update", true);
	assert_int_equal(part(&w, &w.gap[0], "host/kworker/vmstat_update"), 100);
	world_done(&w);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void random_gaps(struct world *w, uint64_t *seed)
{
	uint64_t t = 0;

	w->n_gaps = next_random(seed) % MAX_GAPS;
	for (size_t i = 0; i < w->n_gaps; i++) {
		t += next_random(seed) % 300;
		w->gap[i] = (struct gap){ .t0 = t, .t1 = t + 1 + next_random(seed) % 500 };
		t = w->gap[i].t1;
	}
}

/* Any event, in no order that a kernel would produce; time mostly goes on, at times a little back. */
static void feed_random(struct world *w, uint64_t *seed, uint64_t *t)
{
	static const char *const texts[] = { "",	  "kworker/1:1",  "vmstat_update",
					     "hlt",	  "local_timer",  "timer",
					     "CPU 1/KVM", "trace-cmd",	  "ksoftirqd/1",
					     "interrupt", "call_function" };
	static const int32_t pids[] = { 0, VCPU, PROBE, STIMULUS, 38, 39, -1, 7 };
	enum trace_type type = (enum trace_type)(next_random(seed) % TRACE_TYPE_MAX);
	uint64_t tsc;

	*t += next_random(seed) % 40;
	tsc = *t > 30 ? *t - next_random(seed) % 30 : *t;
	feed(w, next_random(seed) % 2 ? TRACE_GUEST : TRACE_HOST, tsc, type, pids[next_random(seed) % 8],
	     texts[next_random(seed) % 11], pids[next_random(seed) % 8], next_random(seed) % 200);
}

static void parts_always_sum(void **state)
{
	uint64_t seed = 88172645463325252ULL;

	(void)state;
	for (int round = 0; round < 4000; round++) {
		struct world w = { 0 };
		uint64_t events = next_random(&seed) % 400;
		uint64_t t = 0;

		random_gaps(&w, &seed);
		world_init(&w, round % 2);
		for (uint64_t i = 0; i < events; i++)
			feed_random(&w, &seed, &t);
		assert_int_equal(attribution_finish(w.join), 0);
		for (size_t i = 0; i < w.n_gaps; i++)
			assert_sums(&w.gap[i]);
		world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_kworker),
		cmocka_unit_test(guest_kworker),
		cmocka_unit_test(vcpu_sleeps),
		cmocka_unit_test(native_kworker_and_stimulus),
		cmocka_unit_test(helpers_of_a_guest),
		cmocka_unit_test(idle_by_its_depth),
		cmocka_unit_test(flush_barrier_belongs_to_its_work),
		cmocka_unit_test(irq_alone_and_nmi_inside),
		cmocka_unit_test(ipis_are_named_by_what_they_call),
		cmocka_unit_test(calls_are_the_probes_own),
		cmocka_unit_test(lost_events_claim_nothing),
		cmocka_unit_test(quiet_time_is_below_the_host),
		cmocka_unit_test(mostly_unexplained_is_not_claimed),
		cmocka_unit_test(preempted_work_goes_on),
		cmocka_unit_test(parts_always_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
