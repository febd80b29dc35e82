// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/exact/meter_class.h"

#include <stddef.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fs.h"

struct pair {
	const char *from;
	const char *to;
};

/* Main functions that show which kernel thread runs (kernel 6.1 and later names). */
static const struct pair threads[] = {
	{ "run_ksoftirqd", "ksoftirqd" },  { "cpu_stopper_thread", "migration" },
	{ "kcompactd", "kcompactd" },	   { "kswapd", "kswapd" },
	{ "khugepaged", "khugepaged" },	   { "ksm_scan_thread", "ksmd" },
	{ "rcu_gp_kthread", "rcu_gp" },	   { "rcu_nocb_gp_kthread", "rcuog" },
	{ "rcu_nocb_cb_kthread", "rcuo" }, { "rcu_cpu_kthread", "rcuc" },
	{ "irq_thread", "irq" },	   { "kthread_worker_fn", "kthread_worker" },
	{ "oom_reaper", "oom_reaper" },	   { "vhost_worker", "vhost" },
	{ "vhost_task_fn", "vhost" },	   { "do_idle", "idle" },
	{ "default_idle_call", "idle" },
};

/* Entry points whose tracepoint has another name (arch/x86/include/asm/trace/irq_vectors.h). */
static const struct pair vectors[] = {
	{ "apic_timer_interrupt", "local_timer" },
	{ "reschedule_ipi", "reschedule" },
	{ "spurious_apic_interrupt", "spurious_apic" },
	{ "error_interrupt", "error_apic" },
	{ "thermal", "thermal_apic" },
	{ "threshold", "threshold_apic" },
	{ "deferred_error", "deferred_error_apic" },
};

static const struct pair softirqs[] = {
	{ "run_timer_softirq", "timer" },     { "hrtimer_run_softirq", "hrtimer" }, { "rcu_core_si", "rcu" },
	{ "run_rebalance_domains", "sched" }, { "sched_balance_softirq", "sched" }, { "net_rx_action", "net_rx" },
	{ "net_tx_action", "net_tx" },	      { "blk_done_softirq", "block" },	    { "irq_poll_softirq", "irq_poll" },
	{ "tasklet_action", "tasklet" },      { "tasklet_hi_action", "hi" },
};

static bool begins(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

static bool begins_any(const char *name, const char *const *prefix)
{
	for (; *prefix; prefix++) {
		if (begins(name, *prefix))
			return true;
	}
	return false;
}

static const char *look_up(const struct pair *pairs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(pairs[i].from, name))
			return pairs[i].to;
	}
	return NULL;
}

bool meter_class_is_tracer(const char *name)
{
	static const char *const prefix[] = { "ring_buffer_",
					      "__rb_",
					      "trace_event_",
					      "trace_buffer",
					      "trace_raw_",
					      "__traceiter_",
					      "perf_trace_",
					      "trace_clock_",
					      "tracing_",
					      "__trace_",
					      "ftrace_",
					      "event_trigger",
					      "filter_match_preds",
					      "filter_pred_",
					      "function_trace",
					      "trace_function",
					      "trace_save_",
					      "trace_find_",
					      "trace_call_bpf",
					      "perf_call_bpf",
					      "kprobe_",
					      "trace_graph",
					      "prepare_ftrace_return",
					      "__bpf_trace_",
					      "perf_tp_",
					      "perf_swevent_",
					      "trace_pid",
					      "__SCT__tp_func_",
					      "rb_reserve",
					      "rb_commit",
					      "rb_move_tail",
					      "rb_update",
					      "rb_wake",
					      "rb_head",
					      "rb_set_",
					      "rb_advance",
					      "rb_inc",
					      "rb_end",
					      "rb_handle",
					      "rb_try",
					      "rb_start",
					      "rb_time",
					      "rb_add_t",
					      "rb_is_",
					      "rb_get_",
					      "rb_event",
					      "rb_check",
					      "rb_per_cpu",
					      "rb_set",
					      "rb_tail",
					      "rb_page",
					      NULL };

	return begins_any(name, prefix);
}

static bool is_entry(const char *name)
{
	return begins(name, "asm_sysvec_") || begins(name, "asm_exc_") || begins(name, "asm_common_interrupt") ||
	       begins(name, "asm_spurious");
}

static bool is_kvm(const char *name)
{
	static const char *const prefix[] = {
		"kvm_", "svm_", "__svm_", "vmx_", "__vmx_", "vcpu_enter_guest", "vcpu_run", "fast_page_fault", NULL
	};

	/* Also found in guests, which are clients of KVM. */
	static const char *const guest[] = { "kvm_clock", "kvm_guest", "kvm_steal",    "kvm_sched_clock",
					     "kvm_kick",  "kvm_wait",  "kvm_send_ipi", "kvm_read_and_reset",
					     "kvm_io_",	  NULL };

	return begins_any(name, prefix) && !begins_any(name, guest);
}

enum meter_class meter_class_of(const char *name)
{
	static const char *const noise[] = { "_raw_", "__raw_", "trace_", "__traceiter_", "perf_", "lock_", NULL };

	if (is_entry(name))
		return METER_CLASS_ENTRY;
	if (begins(name, "irq_entries_start") || begins(name, "spurious_entries_start"))
		return METER_CLASS_STUB;
	if (!strcmp(name, "process_one_work"))
		return METER_CLASS_WORK;
	if (!strcmp(name, "worker_thread"))
		return METER_CLASS_WORKER;
	if (!strcmp(name, "__flush_smp_call_function_queue"))
		return METER_CLASS_IPI;
	if (!strcmp(name, "__do_softirq") || !strcmp(name, "handle_softirqs"))
		return METER_CLASS_SOFTIRQ;
	if (!strcmp(name, "__switch_to_asm"))
		return METER_CLASS_SWITCH;
	if (!strcmp(name, "throttle_direct_reclaim"))
		return METER_CLASS_THROTTLE;
	if (!strcmp(name, "try_to_free_pages"))
		return METER_CLASS_RECLAIM;
	if (!strcmp(name, "cgroup_rstat_flush_irqsafe"))
		return METER_CLASS_FLUSH;
	if (!strcmp(name, "__mem_cgroup_flush_stats") || !strcmp(name, "mem_cgroup_flush_stats"))
		return METER_CLASS_FLUSHER;
	if (begins(name, "__x86_indirect_") || begins(name, "__x86_return_") || begins(name, "srso_"))
		return METER_CLASS_THUNK;
	if (!strcmp(name, "do_idle") || !strcmp(name, "default_idle_call"))
		return METER_CLASS_IDLE;
	if (look_up(threads, ARRAY_SIZE(threads), name))
		return METER_CLASS_THREAD;
	if (is_kvm(name))
		return METER_CLASS_KVM;
	if (meter_class_is_tracer(name) || begins_any(name, noise))
		return METER_CLASS_NOISE;
	return METER_CLASS_PLAIN;
}

char *meter_class_entry(const char *name)
{
	if (begins(name, "asm_exc_nmi"))
		return str_printf("nmi");
	if (begins(name, "asm_exc_"))
		return str_printf("exception/%s", name + strlen("asm_exc_"));
	if (!begins(name, "asm_sysvec_"))
		return str_printf("irq/%s", begins(name, "asm_") ? name + strlen("asm_") : name);

	const char *vector = name + strlen("asm_sysvec_");
	const char *known = look_up(vectors, ARRAY_SIZE(vectors), vector);

	return str_printf("irq/%s", known ? known : vector);
}

const char *meter_class_softirq(const char *name)
{
	const char *known = look_up(softirqs, ARRAY_SIZE(softirqs), name);

	return known ? known : name;
}

const char *meter_class_thread(const char *name)
{
	const char *known = look_up(threads, ARRAY_SIZE(threads), name);

	return known ? known : name;
}
