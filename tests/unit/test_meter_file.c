// SPDX-License-Identifier: GPL-2.0-or-later
/* From synthetic blocks through meter.bin to functions, contexts and exact figures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/json.h"
#include "common/marks.h"
#include "host/meter/meter.h"
#include "host/meter/meter_file.h"
#include "reports/exact/exact_arms.h"
#include "reports/exact/flame.h"
#include "reports/exact/meter.h"
#include "reports/exact/meter_read.h"

#define RET "\xc3"
#define IRET "\x48\xcf"
#define VMRUN "\x0f\x01\xd8"
#define CALL_RAX "\xff\xd0"
#define PROBE_PC 0x400000

DEFINE_CLEANUP(struct meter *, meter_free)

/* A kernel's functions, 0x100 bytes apart. */
enum function {
	SVM_RUN,
	SYSVEC,
	PROCESS_WORK,
	VMSTAT,
	REFRESH,
	SWITCH,
	TRACE,
	KVM_RUN,
	SPIN,
	CALL,
	QUEUE,
	BH,
	RECLAIM,
	THROTTLE,
	FLUSHER,
	FLUSH,
	PAGE_FAULT,
	FUNCTIONS
};

static const char *const function_names[FUNCTIONS] = { "__svm_vcpu_run",
						       "asm_sysvec_reschedule_ipi",
						       "process_one_work",
						       "vmstat_update",
						       "refresh_cpu_vm_stats.isra.0",
						       "__switch_to_asm",
						       "ring_buffer_lock_reserve",
						       "kvm_arch_vcpu_ioctl_run",
						       "_raw_spin_unlock",
						       "asm_sysvec_call_function_single",
						       "__flush_smp_call_function_queue",
						       "invalidate_bh_lru",
						       "try_to_free_pages",
						       "throttle_direct_reclaim",
						       "__mem_cgroup_flush_stats",
						       "cgroup_rstat_flush_irqsafe",
						       "asm_exc_page_fault" };

static uint64_t address_of(enum function function)
{
	return 0xffffffff81000000 + (uint64_t)function * 0x100;
}

struct fixture {
	char dir[32];
	char *meter;
	char *host;
	char *guest;
};

static void write_kallsyms(const char *path)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	for (int i = 0; i < FUNCTIONS; i++)
		fprintf(out, "%016llx t %s\n", (unsigned long long)address_of(i), function_names[i]);
	fprintf(out, "%016llx D some_data\nnonsense\n", (unsigned long long)address_of(FUNCTIONS));
	fclose(out);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/vcpulat-meter-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->meter = str_printf("%s/meter.bin", f->dir);
	f->host = str_printf("%s/kallsyms-host.txt", f->dir);
	f->guest = str_printf("%s/kallsyms-guest.txt", f->dir);
	write_kallsyms(f->host);
	write_kallsyms(f->guest);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	fs_remove_tree(f->dir, NULL);
	free(f->meter);
	free(f->host);
	free(f->guest);
	free(f);
	return 0;
}

static void execute(struct meter *meter, uint64_t pc, size_t nops, const char *last)
{
	struct meter_insn insns[64];

	for (size_t i = 0; i < nops; i++)
		insns[i] = (struct meter_insn){ (const uint8_t *)"\x90", 1 };
	insns[nops] = (struct meter_insn){ (const uint8_t *)last, strlen(last) };
	meter_block(meter, 0, meter_table_intern(meter_get_table(meter), pc, insns, nops + 1));
}

static void run_function(struct meter *meter, enum function function, size_t nops, const char *last)
{
	execute(meter, address_of(function), nops, last);
}

static void turn(struct meter *meter, bool gap)
{
	execute(meter, PROBE_PC, 9, RET);
	meter_mark(meter, 0, MARK_TURN, 6);
	if (gap)
		meter_mark(meter, 0, MARK_GAP, 5);
}

/* The guest is left for an interrupt, a work item runs, the guest goes on. @extra: instructions of the work's callee.
 */
static void interrupted_turn(struct meter *meter, size_t extra, bool gap)
{
	execute(meter, address_of(SVM_RUN) + 13, 6, RET); /* behind VMRUN */
	run_function(meter, SYSVEC, 4, IRET);
	run_function(meter, KVM_RUN, 2, RET);
	run_function(meter, SWITCH, 2, RET);
	run_function(meter, PROCESS_WORK, 3, CALL_RAX);
	run_function(meter, VMSTAT, 9, RET);
	run_function(meter, REFRESH, extra, RET);
	run_function(meter, TRACE, 7, RET);
	execute(meter, address_of(PROCESS_WORK) + 5, 1, RET);
	run_function(meter, SWITCH, 2, RET);
	execute(meter, address_of(KVM_RUN) + 0x40, 3, RET);
	run_function(meter, SVM_RUN, 10, VMRUN);
	turn(meter, gap);
}

/* The guest is left because another CPU has this one call a function. */
static void called_turn(struct meter *meter)
{
	execute(meter, address_of(SVM_RUN) + 13, 6, RET);
	run_function(meter, CALL, 4, "\x90");
	run_function(meter, QUEUE, 3, CALL_RAX);
	run_function(meter, BH, 19, RET);
	execute(meter, address_of(QUEUE) + 5, 1, RET);
	execute(meter, address_of(CALL) + 5, 2, IRET);
	run_function(meter, SVM_RUN, 10, VMRUN);
	turn(meter, true);
}

static struct meter *start_meter(void)
{
	const struct meter_options options = {
		.threshold_insns = 30, .steps_max = 256, .block_limit = 1000, .cpus = 1
	};
	struct meter *meter = meter_new(&options);

	assert_non_null(meter);
	run_function(meter, SVM_RUN, 10, VMRUN);
	execute(meter, PROBE_PC, 9, RET);
	return meter;
}

static void record_two_runs(const struct fixture *f, size_t extra)
{
	_cleanup_(meter_freep) struct meter *meter = start_meter();
	struct meter_file *file = meter_file_open(f->meter, meter, 1 << 20);

	assert_non_null(file);
	/* So that the entry point is known as one before it counts. */
	execute(meter, PROBE_PC + 0x100, 1, "\x90");
	run_function(meter, SYSVEC, 4, IRET);
	execute(meter, PROBE_PC + 0x102, 1, RET);
	for (int run = 0; run < 2; run++) {
		meter_mark(meter, 0, MARK_PROBE_START, 1);
		meter_mark(meter, 0, MARK_ARMED, 1);
		turn(meter, false);
		turn(meter, true);
		for (int i = 0; i < 3 + run; i++)
			interrupted_turn(meter, extra + (size_t)(i == 2), i != 1);
		turn(meter, false);
		meter_mark(meter, 0, MARK_PROBE_STOP, 1);
	}
	assert_int_equal(meter_file_close(file), 0);
}

static void load(const struct fixture *f, uint32_t run, struct meter_data *ret)
{
	const char *const kallsyms[METER_LAYERS] = { f->host, f->guest };
	struct err err = { "" };
	int rc = meter_load(f->meter, kallsyms, run, ret, &err);

	if (rc)
		fail_msg("%s", err.msg);
}

static uint64_t cost_of(const struct meter_data *data, const struct meter_gap *gap, const char *context,
			const char *function)
{
	for (size_t i = 0; i < gap->costs; i++) {
		if (!strcmp(names_text(data->names, gap->cost[i].context), context) &&
		    !strcmp(names_text(data->names, gap->cost[i].function), function))
			return gap->cost[i].insns;
	}
	return 0;
}

static void gaps_come_back_with_contexts(void **state)
{
	_cleanup_meter_ struct meter_data data = { 0 };

	record_two_runs(*state, 20);
	load(*state, 0, &data);
	assert_true(data.complete);
	assert_true(data.ended);
	assert_int_equal(data.run.layer, METER_GUEST);
	assert_int_equal(data.run.turn_insns, 10);
	assert_int_equal(data.gaps, 4);

	/* Too short for steps: noise of the machine. */
	assert_int_equal(data.gap[0].flags, METER_GAP_BY_TIME);
	assert_int_equal(data.gap[0].costs, 0);

	const struct meter_gap *gap = meter_find(&data, 1);

	assert_non_null(gap);
	assert_true(gap->whole);
	/* Both blocks that were interrupted end with ret: nothing proves that they were complete. */
	assert_int_equal(gap->slack, 10 + 7);
	assert_int_equal(gap->insns[METER_GUEST], 10);
	assert_int_equal(gap->insns[METER_HOST], 7 + 5 + 3 + 3 + 4 + 10 + 21 + 8 + 2 + 3 + 4 + 11);
	assert_int_equal(gap->exits, 1);
	assert_int_equal(gap->tracer[METER_HOST], 8);
	assert_int_equal(gap->roots, 1);
	assert_string_equal(names_text(data.names, gap->root[0].cause), "host/kworker/vmstat_update");
	assert_int_equal(cost_of(&data, gap, "probe", "[user]"), 10);
	assert_int_equal(cost_of(&data, gap, "kvm_exit", "__svm_vcpu_run"), 7);
	assert_int_equal(cost_of(&data, gap, "irq/reschedule", "asm_sysvec_reschedule_ipi"), 5);
	assert_int_equal(cost_of(&data, gap, "kvm", "kvm_arch_vcpu_ioctl_run"), 3);
	assert_int_equal(cost_of(&data, gap, "kworker/vmstat_update", "vmstat_update"), 10);
	assert_int_equal(cost_of(&data, gap, "kworker/vmstat_update", "refresh_cpu_vm_stats"), 21);
	assert_int_equal(cost_of(&data, gap, "kworker", "process_one_work"), 6);
	assert_int_equal(cost_of(&data, gap, "kvm_entry", "kvm_arch_vcpu_ioctl_run"), 4);
	assert_int_equal(cost_of(&data, gap, "kvm_entry", "__svm_vcpu_run"), 11);
	/* Same functions in the same order, whatever they cost. */
	assert_int_equal(data.gap[2].path, gap->path);
	assert_int_equal(data.gap[3].path, gap->path);
	assert_int_equal(data.gap[2].gap, METER_NO_GAP);
}

static void ipis_are_named_by_what_they_call(void **state)
{
	struct fixture *f = *state;
	_cleanup_(meter_freep) struct meter *meter = start_meter();
	struct meter_file *file = meter_file_open(f->meter, meter, 1 << 20);
	_cleanup_meter_ struct meter_data data = { 0 };

	assert_non_null(file);
	execute(meter, PROBE_PC + 0x100, 1, "\x90");
	run_function(meter, CALL, 4, IRET);
	execute(meter, PROBE_PC + 0x102, 1, RET);
	meter_mark(meter, 0, MARK_PROBE_START, 1);
	meter_mark(meter, 0, MARK_ARMED, 1);
	turn(meter, false);
	called_turn(meter);
	turn(meter, false);
	meter_mark(meter, 0, MARK_PROBE_STOP, 1);
	assert_int_equal(meter_file_close(file), 0);
	load(f, 0, &data);
	assert_int_equal(data.gaps, 1);
	assert_int_equal(data.gap[0].roots, 1);
	assert_string_equal(names_text(data.names, data.gap[0].root[0].cause), "host/ipi/invalidate_bh_lru");
	assert_int_equal(cost_of(&data, &data.gap[0], "ipi/invalidate_bh_lru", "invalidate_bh_lru"), 20);
}

/* From its beginning until its caller goes on, whatever it calls; the caller itself is not of it. */
static void what_throttles_reclaim_stands_apart(void **state)
{
	struct fixture *f = *state;
	_cleanup_(meter_freep) struct meter *meter = start_meter();
	struct meter_file *file = meter_file_open(f->meter, meter, 1 << 20);
	_cleanup_meter_ struct meter_data data = { 0 };

	assert_non_null(file);
	meter_mark(meter, 0, MARK_PROBE_START, 1);
	meter_mark(meter, 0, MARK_ARMED, 1);
	turn(meter, false);
	execute(meter, address_of(SVM_RUN) + 13, 6, RET);
	run_function(meter, RECLAIM, 3, RET);
	run_function(meter, THROTTLE, 4, RET);
	run_function(meter, REFRESH, 10, RET);
	execute(meter, address_of(THROTTLE) + 0x20, 5, RET);
	execute(meter, address_of(RECLAIM) + 0x20, 6, RET);
	run_function(meter, REFRESH, 20, RET);
	run_function(meter, SVM_RUN, 10, VMRUN);
	turn(meter, true);
	meter_mark(meter, 0, MARK_PROBE_STOP, 1);
	assert_int_equal(meter_file_close(file), 0);
	load(f, 0, &data);
	assert_int_equal(data.gaps, 1);
	assert_int_equal(cost_of(&data, &data.gap[0], "throttle", "throttle_direct_reclaim"), 5 + 6);
	assert_int_equal(cost_of(&data, &data.gap[0], "throttle", "refresh_cpu_vm_stats"), 11);
	assert_int_equal(cost_of(&data, &data.gap[0], "throttle", "try_to_free_pages"), 0);
	assert_int_equal(cost_of(&data, &data.gap[0], "kvm_entry", "refresh_cpu_vm_stats"), 21);
	assert_int_equal(data.gap[0].roots, 0);
}

/* It is a cause, also of a page fault that makes it; what goes on behind it is not of it. */
static void adding_up_statistics_is_a_call(void **state)
{
	static const char call[] = "call/cgroup_rstat_flush_irqsafe";
	struct fixture *f = *state;
	_cleanup_(meter_freep) struct meter *meter = start_meter();
	struct meter_file *file = meter_file_open(f->meter, meter, 1 << 20);
	_cleanup_meter_ struct meter_data data = { 0 };

	assert_non_null(file);
	meter_mark(meter, 0, MARK_PROBE_START, 1);
	meter_mark(meter, 0, MARK_ARMED, 1);
	turn(meter, false);
	execute(meter, address_of(SVM_RUN) + 13, 6, RET);
	run_function(meter, PAGE_FAULT, 2, RET);
	run_function(meter, FLUSHER, 3, RET);
	run_function(meter, FLUSH, 4, RET);
	run_function(meter, REFRESH, 10, RET);
	execute(meter, address_of(FLUSHER) + 0x20, 6, RET);
	run_function(meter, REFRESH, 20, RET);
	execute(meter, address_of(PAGE_FAULT) + 0x20, 2, IRET);
	run_function(meter, SVM_RUN, 10, VMRUN);
	turn(meter, true);
	execute(meter, address_of(SVM_RUN) + 13, 6, RET);
	run_function(meter, SWITCH, 2, RET);
	execute(meter, PROBE_PC, 5, RET);
	run_function(meter, FLUSHER, 3, RET);
	run_function(meter, FLUSH, 4, RET);
	execute(meter, address_of(FLUSHER) + 0x20, 6, RET);
	run_function(meter, SWITCH, 2, RET);
	execute(meter, address_of(KVM_RUN) + 0x40, 3, RET);
	run_function(meter, SVM_RUN, 10, VMRUN);
	turn(meter, true);
	meter_mark(meter, 0, MARK_PROBE_STOP, 1);
	assert_int_equal(meter_file_close(file), 0);
	load(f, 0, &data);
	assert_int_equal(data.gaps, 2);
	assert_int_equal(cost_of(&data, &data.gap[0], call, "cgroup_rstat_flush_irqsafe"), 5);
	assert_int_equal(cost_of(&data, &data.gap[0], call, "refresh_cpu_vm_stats"), 11);
	assert_int_equal(cost_of(&data, &data.gap[0], "exception/page_fault", "refresh_cpu_vm_stats"), 21);
	assert_int_equal(data.gap[0].roots, 1);
	assert_string_equal(names_text(data.names, data.gap[0].root[0].cause), "host/call/cgroup_rstat_flush_irqsafe");
	/* That of another program is its own affair. */
	assert_int_equal(data.gap[1].roots, 1);
	assert_string_equal(names_text(data.names, data.gap[1].root[0].cause), "host/task");
	assert_int_equal(cost_of(&data, &data.gap[1], call, "cgroup_rstat_flush_irqsafe"), 5);
}

static void a_cut_holds_one_run(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *cut = str_printf("%s/cut.bin", f->dir);
	_cleanup_meter_ struct meter_data data = { 0 };
	const char *const kallsyms[METER_LAYERS] = { f->host, f->guest };
	struct err err = { "" };

	record_two_runs(f, 20);
	assert_int_equal(meter_cut(f->meter, 1, cut, &err), 0);
	assert_int_equal(meter_load(cut, kallsyms, METER_NO_GAP, &data, &err), 0);
	assert_int_equal(data.run.run, 1);
	assert_int_equal(data.gaps, 5);
	assert_true(meter_find(&data, 1)->whole);
	assert_int_equal(meter_cut(f->meter, 2, cut, &err), -ENOENT);
	assert_false(fs_exists(cut));
}

static void figures_per_cause(void **state)
{
	_cleanup_meter_ struct meter_data data = { 0 };
	_cleanup_json_ json_t *exact = NULL;
	const json_t *cause;
	const json_t *values;

	record_two_runs(*state, 20);
	load(*state, 0, &data);
	assert_int_equal(exact_build(&data, NULL, &exact), 0);
	assert_int_equal(json_array_size(json_object_get(exact, "causes")), 1);
	cause = json_array_get(json_object_get(exact, "causes"), 0);
	assert_string_equal(json_get_string(cause, "cause"), "host/kworker/vmstat_update");
	assert_int_equal(json_get_u64(cause, "gaps"), 3);
	assert_int_equal(json_get_u64(json_object_get(cause, "host"), "median"), 81);
	assert_int_equal(json_get_u64(json_object_get(cause, "host"), "max"), 82);
	values = json_array_get(json_object_get(json_object_get(cause, "host"), "values"), 0);
	assert_int_equal(json_integer_value(json_array_get(values, 1)), 2);
	assert_int_equal(json_array_size(json_object_get(cause, "paths")), 1);
	assert_int_equal(json_get_u64(json_object_get(cause, "switches"), "max"), 1);
}

/* The trace's word goes first; what only the meter saw counts when its window is armed. */
static void figures_follow_the_trace(void **state)
{
	_cleanup_meter_ struct meter_data data = { 0 };
	_cleanup_json_ json_t *exact = NULL;
	_cleanup_json_ json_t *result =
		json_pack("{s:{s:b},s:[{s:i,s:s,s:b,s:s,s:[]},{s:i,s:s,s:b,s:s,s:[{s:s}]},{s:i,s:s,s:b,s:s,s:[]}]}",
			  "trace", "host", 1, "gaps", "turn", 2, "cause", "unexplained", "single", 0, "window", "armed",
			  "roots", "turn", 3, "cause", "host/kworker/vmstat_update", "single", 1, "window", "armed",
			  "roots", "cause", "host/kworker/vmstat_update", "turn", 5, "cause",
			  "host/kworker/vmstat_update", "single", 1, "window", "control", "roots");
	const json_t *join;

	record_two_runs(*state, 20);
	load(*state, 0, &data);
	assert_non_null(result);
	assert_int_equal(exact_build(&data, result, &exact), 0);
	join = json_object_get(exact, "join");
	assert_int_equal(json_get_u64(join, "joined"), 3);
	assert_int_equal(json_get_u64(join, "noise"), 1);
	assert_int_equal(json_get_u64(join, "meter_only"), 1);
	assert_int_equal(json_get_u64(json_array_get(json_object_get(exact, "causes"), 0), "gaps"), 2);
	/* The trace missed the work item of the last one, the clock the one before. */
	assert_int_equal(json_array_size(json_object_get(exact, "misses")), 2);
}

static json_t *exact_of_run(const struct fixture *f, size_t extra, int hits)
{
	_cleanup_(meter_freep) struct meter *meter = start_meter();
	struct meter_file *file = meter_file_open(f->meter, meter, 1 << 20);
	struct meter_data data;
	json_t *exact = NULL;

	assert_non_null(file);
	meter_mark(meter, 0, MARK_PROBE_START, 1);
	turn(meter, false);
	for (int i = 0; i < hits; i++) {
		interrupted_turn(meter, extra + (size_t)(i & 1), true);
		meter_file_drain(file);
	}
	turn(meter, false);
	assert_int_equal(meter_file_close(file), 0);
	load(f, METER_NO_GAP, &data);
	assert_int_equal(exact_build(&data, NULL, &exact), 0);
	meter_done(&data);
	return exact;
}

static void a_longer_function_is_named(void **state)
{
	_cleanup_json_ json_t *before = exact_of_run(*state, 20, 12);
	_cleanup_json_ json_t *after = exact_of_run(*state, 50, 12);
	_cleanup_json_ json_t *comparison = NULL;
	const json_t *context;
	const json_t *function;

	assert_int_equal(exact_compare(after, before, &comparison), 0);
	assert_int_equal(json_array_size(comparison), 1);
	assert_string_equal(json_get_string(json_array_get(comparison, 0), "state"), "changed");
	context = json_array_get(json_object_get(json_array_get(comparison, 0), "contexts"), 0);
	assert_string_equal(json_get_string(context, "context"), "kworker/vmstat_update");
	assert_int_equal(json_integer_value(json_object_get(context, "delta")), 30);
	function = json_array_get(json_object_get(context, "functions"), 0);
	assert_string_equal(json_get_string(function, "function"), "refresh_cpu_vm_stats");
	assert_string_equal(json_get_string(function, "state"), "changed");
}

/* 4 gaps against 4: chance sets one function's ranges apart in 2 of 70 comparisons, one of two functions in 4 of 70. */
static void functions_that_never_vary_are_not_corrected_for(void **state)
{
	_cleanup_json_ json_t *before = exact_of_run(*state, 20, 4);
	_cleanup_json_ json_t *after = exact_of_run(*state, 50, 4);
	_cleanup_json_ json_t *comparison = NULL;

	assert_int_equal(exact_compare(after, before, &comparison), 0);
	assert_string_equal(json_get_string(json_array_get(comparison, 0), "state"), "changed");
}

static void few_gaps_claim_nothing(void **state)
{
	_cleanup_json_ json_t *before = exact_of_run(*state, 20, 2);
	_cleanup_json_ json_t *after = exact_of_run(*state, 50, 2);
	_cleanup_json_ json_t *comparison = NULL;

	assert_int_equal(exact_compare(after, before, &comparison), 0);
	assert_string_equal(json_get_string(json_array_get(comparison, 0), "state"), "same");
}

static void runs_merge(void **state)
{
	_cleanup_json_ json_t *a = exact_of_run(*state, 20, 3);
	_cleanup_json_ json_t *b = exact_of_run(*state, 30, 4);
	_cleanup_json_ json_t *merged = NULL;
	_cleanup_json_ json_t *row = NULL;
	const json_t *const both[] = { a, b };
	const char *name = "host/kworker/vmstat_update";
	const json_t *cause;

	assert_int_equal(exact_merge(both, 2, &merged), 0);
	cause = exact_find(merged, name);
	assert_int_equal(json_get_u64(cause, "gaps"), 7);
	/* 91, 92, 91 and 101, 102, 101, 102 */
	assert_int_equal(json_get_u64(json_object_get(cause, "total"), "median"), 101);
	assert_int_equal(json_get_u64(json_object_get(cause, "total"), "min"), 91);
	assert_int_equal(json_get_u64(json_object_get(cause, "total"), "max"), 102);
	assert_int_equal(json_get_u64(json_object_get(cause, "total"), "distinct"), 4);
	assert_int_equal(json_array_size(json_object_get(cause, "functions")),
			 json_array_size(json_object_get(exact_find(a, name), "functions")));
	assert_null(exact_find(merged, "host/irq/none"));

	row = exact_row(a, b, a, name);
	assert_int_equal(json_get_u64(json_object_get(json_object_get(row, "guest"), "total"), "median"), 101);
	assert_true(json_real_value(json_object_get(row, "amplification")) > 1.1);
	json_decref(row);
	row = exact_row(NULL, NULL, b, name);
	assert_true(json_is_null(json_object_get(row, "amplification")) && json_is_null(json_object_get(row, "guest")));
	assert_int_equal(json_get_u64(json_object_get(json_object_get(row, "bare"), "total"), "median"), 101);
	json_decref(row);
	row = exact_row(a, NULL, NULL, "host/irq/none");
	assert_true(json_is_null(row));
}

static json_t *result_of(const char *arm, const char *guest, const json_t *exact)
{
	return json_pack("{s:{s:s},s:{s:s},s:s,s:O}", "scenario", "name", "vmstat-host", "arm", "name", arm, "guest",
			 guest, "exact", exact);
}

static void comparisons_gain_columns(void **state)
{
	_cleanup_json_ json_t *native = exact_of_run(*state, 20, 12);
	_cleanup_json_ json_t *guest = exact_of_run(*state, 50, 12);
	_cleanup_json_ json_t *a = result_of("stock", "none", native);
	_cleanup_json_ json_t *b = result_of("stock", "libvirt", guest);
	_cleanup_json_ json_t *c = result_of("patched", "libvirt", native);
	_cleanup_json_ json_t *plain = json_pack("{s:{s:s}}", "arm", "name", "stock");
	const json_t *const results[] = { a, b, c, plain };
	_cleanup_json_ json_t *comparison =
		json_pack("{s:[{s:s,s:s,s:s,s:b,s:n}],s:[{s:s,s:b}]}", "rows", "scenario", "vmstat-host", "cause",
			  "host/kworker/vmstat_update", "arm", "stock", "provoked", 1, "exact", "arms", "name", "stock",
			  "baseline", 1);
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	char budget[] = "host/kworker/vmstat_update<=100";
	char *const list[] = { budget };
	struct err err = { "" };
	bool met = true;

	assert_int_equal(exact_add(comparison, results, 4), 0);
	exact_print_rows(out, comparison, false);
	exact_print_arms(out, comparison);
	assert_int_equal(exact_check_budgets(out, results, 4, list, 1, &met, &err), 0);
	assert_false(met);
	assert_int_equal(exact_check_budgets(out, results + 3, 1, list, 1, &met, &err), -EINVAL);
	fclose(out);
	assert_non_null(strstr(text, "1.33x"));
	assert_non_null(strstr(text, "host;kworker/vmstat_update: -30 (refresh_cpu_vm_stats -30)"));
	assert_non_null(strstr(text, "EXCEEDED: host/kworker/vmstat_update, stock, guest libvirt: 121 instructions"));
	assert_non_null(strstr(text, "kept: host/kworker/vmstat_update, patched, guest libvirt: 91 instructions"));
}

/* Runs without a trace stay apart: their difference to the others is what tracing costs. */
static void untraced_runs_stand_beside_traced_ones(void **state)
{
	_cleanup_json_ json_t *with = exact_of_run(*state, 50, 12);
	_cleanup_json_ json_t *without = exact_of_run(*state, 20, 12);
	_cleanup_json_ json_t *a = result_of("stock", "none", with);
	_cleanup_json_ json_t *b = result_of("stock", "none", without);
	const json_t *const results[] = { a, b };
	_cleanup_json_ json_t *comparison = json_pack("{s:[{s:s,s:s,s:s}]}", "rows", "scenario", "vmstat-host", "cause",
						      "host/kworker/vmstat_update", "arm", "stock");
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	const json_t *row;

	json_object_set_new(with, "traced", json_true());
	json_object_set_new(without, "traced", json_false());
	assert_int_equal(exact_add(comparison, results, 2), 0);
	exact_print_arms(out, comparison);
	fclose(out);
	row = json_object_get(json_array_get(json_object_get(comparison, "rows"), 0), "exact");
	assert_int_equal(json_get_u64(json_object_get(json_object_get(row, "native"), "total"), "n"), 12);
	assert_int_equal(json_get_u64(json_object_get(json_object_get(row, "native"), "total"), "max"), 122);
	assert_non_null(strstr(text, "12       121         8       113      12        91      +22"));
}

static void budgets(void **state)
{
	_cleanup_json_ json_t *exact = exact_of_run(*state, 20, 3);
	struct exact_budget budget;
	struct err err = { "" };
	uint64_t insns = 0;
	static const char *const bad[] = { "",	     "x", "<=12", "x<=", "x<=-1", "x<=1 2", "x<=99999999999999999999",
					   ":max<=1" };

	assert_int_equal(exact_budget_parse("host/kworker/vmstat_update<=91", &budget, &err), 0);
	assert_true(exact_budget_met(&budget, exact, &insns));
	assert_int_equal(insns, 91);
	assert_int_equal(exact_budget_parse("host/kworker/vmstat_update:max<=91", &budget, &err), 0);
	assert_false(exact_budget_met(&budget, exact, &insns));
	assert_int_equal(insns, 92);
	assert_int_equal(exact_budget_parse("host/kworker/vmstat_update;refresh_cpu_vm_stats<=20", &budget, &err), 0);
	assert_false(exact_budget_met(&budget, exact, &insns));
	assert_int_equal(insns, 21);
	assert_int_equal(exact_budget_parse("host/kworker/vmstat_update;no_such_function<=0", &budget, &err), 0);
	assert_true(exact_budget_met(&budget, exact, &insns));
	assert_int_equal(exact_budget_parse("host/irq/none<=0", &budget, &err), 0);
	assert_true(exact_budget_met(&budget, exact, &insns));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(exact_budget_parse(bad[i], &budget, &err), -EINVAL);
}

static void pages_and_stacks(void **state)
{
	_cleanup_meter_ struct meter_data data = { 0 };
	const struct meter_gap *gap = NULL;
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	struct err err = { "" };
	FILE *out = open_memstream(&text, &len);

	record_two_runs(*state, 20);
	load(*state, 0, &data);
	assert_int_equal(flame_pick(&data, NULL, "host/kworker/nothing", &gap, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "host/kworker/vmstat_update"));
	assert_int_equal(flame_pick(&data, NULL, "host/kworker/vmstat_update", &gap, &err), 0);
	assert_int_equal(flame_write_folded(out, &data, gap), 0);
	assert_int_equal(flame_write_page(out, "no mark", "t", &data, gap), -EINVAL);
	assert_int_equal(flame_write_page(out, "[" FLAME_MARK "]", "</script><b>&", &data, gap), 0);
	fclose(out);
	assert_non_null(strstr(text, "host;kworker/vmstat_update;refresh_cpu_vm_stats 21\n"));
	assert_non_null(strstr(text, "\\u003c/script\\u003e\\u003cb\\u003e\\u0026"));
	assert_null(strstr(text, "<"));
}

/* Whatever is cut off or overwritten: an error or less data, never more. */
static void damaged_files_are_survived(void **state)
{
	struct fixture *f = *state;
	const char *const kallsyms[METER_LAYERS] = { f->host, NULL };
	_cleanup_free_ char *whole = NULL;
	size_t len = 0;
	unsigned int seed = 1;

	record_two_runs(f, 20);
	assert_int_equal(fs_read(f->meter, 1 << 20, &whole, &len, NULL), 0);
	for (int i = 0; i < 3000; i++) {
		_cleanup_free_ char *copy = malloc(len);
		struct meter_data data;

		memcpy(copy, whole, len);
		for (int j = 0; j < 4; j++)
			copy[(size_t)rand_r(&seed) % len] = (char)rand_r(&seed);
		assert_int_equal(fs_write_atomic(f->meter, copy, i % 2 ? len : (size_t)rand_r(&seed) % len, NULL), 0);
		if (!meter_load(f->meter, kallsyms, METER_NO_GAP, &data, NULL)) {
			json_t *exact = NULL;

			assert_int_equal(exact_build(&data, NULL, &exact), 0);
			json_decref(exact);
			meter_done(&data);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(gaps_come_back_with_contexts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ipis_are_named_by_what_they_call, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_throttles_reclaim_stands_apart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(adding_up_statistics_is_a_call, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_cut_holds_one_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(figures_per_cause, set_up, tear_down),
		cmocka_unit_test_setup_teardown(figures_follow_the_trace, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_longer_function_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(functions_that_never_vary_are_not_corrected_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(few_gaps_claim_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(comparisons_gain_columns, set_up, tear_down),
		cmocka_unit_test_setup_teardown(runs_merge, set_up, tear_down),
		cmocka_unit_test_setup_teardown(untraced_runs_stand_beside_traced_ones, set_up, tear_down),
		cmocka_unit_test_setup_teardown(budgets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pages_and_stacks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damaged_files_are_survived, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("meter file", tests, NULL, NULL);
}
