// SPDX-License-Identifier: GPL-2.0-or-later
/* What is concluded from a meter's data: known interruptions, and causes of a run without a trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/marks.h"
#include "reports/exact/exact.h"
#include "reports/exact/exact_attribute.h"
#include "reports/exact/exact_calibrate.h"
#include "reports/exact/exact_faults.h"
#include "reports/exact/meter_fold.h"

#define CPU 1

static struct meter_mark mark(uint32_t code, uint64_t position)
{
	return (struct meter_mark){ .code = code, .cpu = CPU, .position = position };
}

/* A gap of one function in one context. */
static struct meter_gap gap_of(struct names *names, struct meter_cost *cost, uint64_t position, const char *context,
			       const char *function, uint64_t insns)
{
	*cost = (struct meter_cost){ .context = names_intern(names, context, SIZE_MAX),
				     .function = names_intern(names, function, SIZE_MAX),
				     .insns = insns };
	return (struct meter_gap){ .flags = METER_GAP_BY_INSNS,
				   .position = position,
				   .insns = { insns + 100 },
				   .slack = 3,
				   .whole = true,
				   .cost = cost,
				   .costs = 1 };
}

static json_t *result_of_three(void)
{
	return json_pack("{s:[{s:s, s:s}, {s:s}, {s:s, s:s}, {s:s, s:s}]}", "actions", "role", "primer", "detail",
			 "plain 1000", "role", "settle", "role", "primer", "detail", "irq 900", "role", "primer",
			 "detail", "rep 50");
}

/* A task between its marks, an interrupt after its primer, a string instruction; noise of the same functions outside.
 */
static void test_known_interruptions(void **state)
{
	_cleanup_(names_freep) struct names *names = names_new();
	struct meter_mark marks[] = { mark('P', 1000), mark('K', 1100), mark('K', 2100), mark('D', 2200),
				      mark('P', 5000), mark('D', 5100), mark('H', 8000), mark('P', 9000),
				      mark('K', 9100), mark('K', 9111), mark('D', 9200) };
	struct meter_cost cost[5];
	struct meter_gap gaps[] = {
		gap_of(names, &cost[0], 500, "irq/local_timer", "___bpf_prog_run", 77),
		gap_of(names, &cost[1], 2300, "task", METER_CALIBRATED, 1011),
		gap_of(names, &cost[2], 7000, "irq/local_timer", "___bpf_prog_run", 915),
		gap_of(names, &cost[3], 7900, "kworker/x", "___bpf_prog_run", 55),
		gap_of(names, &cost[4], 9150, "task", METER_CALIBRATED, 11),
	};
	struct meter_data data = { .run = { .cpu = CPU },
				   .names = names,
				   .gap = gaps,
				   .gaps = ARRAY_SIZE(gaps),
				   .mark = marks,
				   .marks = ARRAY_SIZE(marks) };
	_cleanup_json_ json_t *result = result_of_three();
	_cleanup_json_ json_t *found = NULL;
	_cleanup_free_ char *text = NULL;

	(void)state;
	gaps[4].calibrated_rep = 50;
	gaps[4].whole = false;
	found = exact_calibration(&data, result);
	text = json_dumps(found, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(
		text,
		"[{\"gaps\":1,\"insns\":1011,\"known\":1000,\"payload\":\"plain\",\"rep\":0,\"slack\":3,\"whole\":true}"
		","
		"{\"gaps\":1,\"insns\":915,\"known\":900,\"payload\":\"irq\",\"rep\":0,\"slack\":3,\"whole\":true},"
		"{\"gaps\":1,\"insns\":11,\"known\":50,\"payload\":\"rep\",\"rep\":50,\"slack\":3,\"whole\":false}]");
}

static void test_without_known_interruptions(void **state)
{
	struct meter_mark marks[] = { mark('A', 10), mark('W', 20) };
	struct meter_data data = { .run = { .cpu = CPU }, .mark = marks, .marks = ARRAY_SIZE(marks) };

	(void)state;
	assert_null(exact_calibration(&data, NULL));
}

static struct meter_mark fault_mark(uint32_t code, uint32_t cpu, uint64_t turn, uint64_t position)
{
	return (struct meter_mark){ .code = code, .cpu = cpu, .position = position, .probe_turn = turn };
}

/* Two actions, stamped on another CPU than the faults; of a third one mark is lost, and nothing of it is known. */
static void test_page_faults(void **state)
{
	struct meter_mark marks[] = {
		fault_mark('F', 2, 11, 5000),  fault_mark('F', 2, 12, 6000),  fault_mark('F', 2, 13, 7000),
		fault_mark('F', 2, 14, 8010),  fault_mark('F', 2, 21, 10000), fault_mark('F', 2, 22, 11500),
		fault_mark('F', 3, 21, 50000), fault_mark('F', 3, 23, 51600), fault_mark('F', 2, 31, 20000),
		fault_mark('U', 0, 10, 100),   fault_mark('D', 0, 15, 200),   fault_mark('D', 1, 17, 90),
		fault_mark('U', 4, 20, 50),    fault_mark('D', 4, 25, 60),    fault_mark('U', 0, 30, 300),
		fault_mark('D', 0, 35, 400),
	};
	struct meter_data data = {
		.header = { .outer_cpus = 5 }, .run = { .cpu = 1 }, .mark = marks, .marks = ARRAY_SIZE(marks)
	};
	_cleanup_json_ json_t *result = json_pack(
		"{s:[{s:s}, {s:s, s:s, s:s}, {s:s, s:s, s:s}, {s:s, s:s, s:s}]}", "actions", "role", "primer", "role",
		"stimulus", "kind", "fault_rate", "detail", "threads=1 faults=200 wall_ns=1 cpu_ns=1 ipis=0", "role",
		"stimulus", "kind", "fault_rate", "detail", "threads=2 faults=200 wall_ns=1 cpu_ns=1 ipis=0", "role",
		"stimulus", "kind", "fault_rate", "detail", "threads=1 faults=100 wall_ns=1 cpu_ns=1 ipis=0");
	_cleanup_json_ json_t *none =
		json_pack("{s:[{s:s, s:s, s:s}]}", "actions", "role", "stimulus", "kind", "fault_rate", "detail",
			  "threads=0 faults=200 wall_ns=1 cpu_ns=1 ipis=0");
	_cleanup_json_ json_t *found = exact_faults(&data, result);
	_cleanup_free_ char *text = json_dumps(found, JSON_COMPACT);

	(void)state;
	assert_string_equal(text, "[{\"threads\":1,\"pages\":100,\"insns\":{\"n\":2,\"median\":1000,\"min\":1000,"
				  "\"max\":1010,\"distinct\":2,\"values\":[[1000,1],[1010,1]]}},"
				  "{\"threads\":2,\"pages\":100,\"insns\":{\"n\":2,\"median\":1500,\"min\":1500,"
				  "\"max\":1600,\"distinct\":2,\"values\":[[1500,1],[1600,1]]}}]");
	assert_null(exact_faults(&data, none));
	assert_null(exact_faults(&data, NULL));
}

static void test_causes_without_a_trace(void **state)
{
	_cleanup_(names_freep) struct names *names = names_new();
	_cleanup_(causes_freep) struct causes *causes = causes_new(names);
	struct bundle_window window = { .state = BUNDLE_ARMED, .t0 = 0, .t1 = 100000 };
	struct bundle_action primer = { .role = BUNDLE_PRIMER, .kind = "mlock", .t0 = 900, .t1 = 1100 };
	struct bundle bundle = {
		.windows = &window, .n_windows = 1, .actions = &primer, .n_actions = 1, .cycles_per_second = 1000000000
	};
	_cleanup_(figures_freep) struct figures *figures = figures_new(&bundle);
	struct meter_root task = { names_intern(names, "host/task", SIZE_MAX), 1 };
	struct meter_root work = { names_intern(names, "host/kworker/vmstat_update", SIZE_MAX), 1 };
	struct meter_gap seen[] = { { .turn = 2, .roots = 1, .root = &work },
				    { .turn = 3, .roots = 1, .root = &task },
				    { .turn = 4 },
				    { .turn = 7, .roots = 1, .root = &work, .exits = 2 },
				    { .turn = 9, .roots = 1, .root = &task } };
	struct meter_data data = { .names = names, .gap = seen, .gaps = ARRAY_SIZE(seen) };
	struct gap gaps[] = { { .t0 = 800, .t1 = 1000, .turn = 2 },
			      { .t0 = 1010, .t1 = 1200, .turn = 3 },
			      { .t0 = 1300, .t1 = 1400, .turn = 4 },
			      { .t0 = 2000, .t1 = 2600, .turn = 7 },
			      { .t0 = 3000, .t1 = 3100, .turn = 9 } };
	const struct exact_attribute_params params = { .data = &data,
						       .bundle = &bundle,
						       .causes = causes,
						       .figures = figures,
						       .gaps = gaps,
						       .n_gaps = ARRAY_SIZE(gaps) };
	uint32_t fold = (uint32_t)causes_parse(causes, "host/kworker/vmstat_update");

	(void)state;
	assert_int_equal(exact_attribute(&params), 0);
	/* A work item in the primer's own gap is not alone there, and nothing that the primer hit. */
	assert_int_equal(gaps[0].cause, fold);
	assert_false(gaps[0].single);
	assert_int_equal(gaps[0].n_roots, 2);
	assert_string_equal(causes_text(causes, gaps[1].cause), "host/stimulus");
	assert_int_equal(gaps[2].n_roots, 0);
	assert_int_equal(gaps[3].cause, fold);
	assert_true(gaps[3].single);
	assert_int_equal(gaps[3].part[0].cycles, 600);
	assert_int_equal(gaps[3].exits, 2);
	assert_string_equal(causes_text(causes, gaps[4].cause), "host/task/unknown");
	assert_int_equal(figures_get(figures, fold, BUNDLE_ARMED).hit, 1);
	for (size_t i = 0; i < ARRAY_SIZE(gaps); i++)
		gap_done(&gaps[i]);
}

/* Its gap began with its last turn, before the action. */
static void test_what_the_probe_does_itself(void **state)
{
	_cleanup_(names_freep) struct names *names = names_new();
	_cleanup_(causes_freep) struct causes *causes = causes_new(names);
	struct bundle_window window = { .state = BUNDLE_ARMED, .t0 = 0, .t1 = 100000 };
	struct bundle_action primer = {
		.role = BUNDLE_PRIMER, .kind = "refault", .t0 = 910, .t1 = 980, .by_probe = true
	};
	struct bundle bundle = {
		.windows = &window, .n_windows = 1, .actions = &primer, .n_actions = 1, .cycles_per_second = 1000000000
	};
	_cleanup_(figures_freep) struct figures *figures = figures_new(&bundle);
	struct meter_root call = { names_intern(names, "host/call/cgroup_rstat_flush_irqsafe", SIZE_MAX), 1 };
	struct meter_gap seen = { .turn = 2, .roots = 1, .root = &call };
	struct meter_data data = { .names = names, .gap = &seen, .gaps = 1 };
	struct gap gap = { .t0 = 900, .t1 = 1000, .turn = 2 };
	const struct exact_attribute_params params = {
		.data = &data, .bundle = &bundle, .causes = causes, .figures = figures, .gaps = &gap, .n_gaps = 1
	};

	(void)state;
	assert_int_equal(exact_attribute(&params), 0);
	assert_string_equal(causes_text(causes, gap.cause), "host/call/cgroup_rstat_flush_irqsafe");
	assert_true(gap.single);
	assert_int_equal(figures_get(figures, gap.cause, BUNDLE_ARMED).hit, 1);
	gap_done(&gap);
}

/* A part of a recorded run with a guest. */
static void load_recorded(struct meter_data *ret_data, json_t **ret_result, json_t **ret_exact)
{
	struct err err = { "" };

	*ret_result = json_load_file("tests/data/exact-libvirt/result.json", 0, NULL);
	assert_non_null(*ret_result);
	assert_int_equal(meter_load_bundle("tests/data/exact-libvirt", ret_data, &err), 0);
	assert_int_equal(exact_build(ret_data, *ret_result, ret_exact), 0);
}

/* Both saw the same work items, and the one miss has its reason. */
static void test_trace_and_meter_agree(void **state)
{
	_cleanup_meter_ struct meter_data data = { 0 };
	_cleanup_json_ json_t *result = NULL;
	_cleanup_json_ json_t *exact = NULL;
	_cleanup_free_ char *hits = NULL;
	_cleanup_free_ char *misses = NULL;

	(void)state;
	load_recorded(&data, &result, &exact);
	hits = json_dumps(json_object_get(exact, "hits"), JSON_COMPACT);
	misses = json_dumps(json_object_get(exact, "misses"), JSON_COMPACT);
	assert_string_equal(
		hits, "[{\"cause\":\"host/kworker/vmstat_update\",\"both\":6,\"trace_only\":0,\"meter_only\":0},"
		      "{\"cause\":\"guest/kworker/vmstat_update\",\"both\":0,\"trace_only\":1,\"meter_only\":0}]");
	assert_string_equal(misses, "[{\"turn\":54605163,\"cause\":\"guest/kworker/vmstat_update\",\"seen_by\":"
				    "\"trace\",\"why\":\"steps of the gap were not kept\"}]");
}

/* What a gap from before the meter counted lacks is neither noise nor a miss of the meter's. */
static void test_gaps_before_the_meter_counted(void **state)
{
	_cleanup_meter_ struct meter_data data = { 0 };
	_cleanup_json_ json_t *result = NULL;
	_cleanup_json_ json_t *counted = NULL;
	_cleanup_json_ json_t *uncounted = NULL;
	const json_t *join;
	const json_t *before;

	(void)state;
	load_recorded(&data, &result, &counted);
	for (size_t i = 0; i < data.gaps; i++)
		if (data.gap[i].turn == 54605163)
			data.gap[i].flags = METER_GAP_BY_TIME | METER_GAP_UNCOUNTED;
	assert_int_equal(exact_build(&data, result, &uncounted), 0);
	before = json_object_get(counted, "join");
	join = json_object_get(uncounted, "join");
	assert_int_equal(json_get_u64(before, "uncounted"), 0);
	assert_int_equal(json_get_u64(join, "uncounted"), 1);
	assert_int_equal(json_get_u64(join, "noise"), json_get_u64(before, "noise"));
	assert_string_equal(json_get_string(json_array_get(json_object_get(uncounted, "misses"), 0), "why"),
			    "the meter did not count yet");
}

/* The same path through the kernels has the same name in every run, and nearly the same length in each. */
static void test_recorded_figures(void **state)
{
	_cleanup_meter_ struct meter_data data = { 0 };
	_cleanup_json_ json_t *result = NULL;
	_cleanup_json_ json_t *exact = NULL;
	_cleanup_free_ char *text = NULL;
	const json_t *cause;
	const json_t *path;

	(void)state;
	load_recorded(&data, &result, &exact);
	cause = exact_find(exact, "host/irq/local_timer");
	path = json_array_get(json_object_get(cause, "paths"), 0);
	assert_string_equal(json_get_string(path, "path"), "96d95ea9dd47cb44");
	text = json_dumps(json_object_get(json_object_get(path, "total"), "values"), JSON_COMPACT);
	assert_string_equal(text, "[[7507,1],[7517,1]]");
	assert_int_equal(json_get_u64(json_object_get(path, "len_ns"), "max"), 392114);
	assert_int_equal(json_get_u64(exact_find(exact, "host/kworker/vmstat_update"), "gaps"), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_interruptions),    cmocka_unit_test(test_without_known_interruptions),
		cmocka_unit_test(test_causes_without_a_trace), cmocka_unit_test(test_what_the_probe_does_itself),
		cmocka_unit_test(test_trace_and_meter_agree),  cmocka_unit_test(test_page_faults),
		cmocka_unit_test(test_recorded_figures),       cmocka_unit_test(test_gaps_before_the_meter_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
