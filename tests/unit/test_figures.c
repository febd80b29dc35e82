// SPDX-License-Identifier: GPL-2.0-or-later
/* Which trial a cause answers, what a kernel's log says, and what events say about the clock. */
#include "reports/figures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/json.h"
#include "reports/analyze.h"
#include "reports/clock_check.h"
#include "reports/kernel_log.h"

#define SECOND 1000000000ULL
#define CAUSE 70

static struct bundle_window windows[] = {
	{ .state = BUNDLE_GUARD, .t0 = 0, .t1 = 2 * SECOND },
	{ .state = BUNDLE_ARMED, .t0 = 2 * SECOND, .t1 = 10 * SECOND },
	{ .state = BUNDLE_GUARD, .t0 = 10 * SECOND, .t1 = 12 * SECOND },
	{ .state = BUNDLE_CONTROL, .t0 = 12 * SECOND, .t1 = 20 * SECOND },
	{ .state = BUNDLE_GUARD, .t0 = 20 * SECOND, .t1 = 30 * SECOND },
};

#define ACTION(role_, kind_, by_probe_, t0_, t1_, window_)                                                             \
	((struct bundle_action){ .role = (role_),                                                                      \
				 .kind = kind_,                                                                        \
				 .layer = TRACE_HOST,                                                                  \
				 .by_probe = (by_probe_),                                                              \
				 .t0 = (t0_),                                                                          \
				 .t1 = (t1_),                                                                          \
				 .window = (window_) })

static struct bundle_action primers[] = {
	ACTION(BUNDLE_SETTLE, "spin", false, SECOND, SECOND + 100, 0),
	ACTION(BUNDLE_PRIMER, "mlock", false, 3 * SECOND, 3 * SECOND + 100, 1),
	ACTION(BUNDLE_PRIMER, "mlock", false, 6 * SECOND, 6 * SECOND + 100, 1),
	ACTION(BUNDLE_SHAM, "mlock", false, 13 * SECOND, 13 * SECOND + 100, 3),
};

static struct bundle bundle_of(struct bundle_action *actions, size_t n)
{
	return (struct bundle){ .cycles_per_second = SECOND,
				.windows = windows,
				.n_windows = ARRAY_SIZE(windows),
				.actions = actions,
				.n_actions = n };
}

static void assert_figure(const struct figures *f, enum bundle_state state, unsigned int hit, unsigned int count)
{
	struct figure figure = figures_get(f, CAUSE, state);

	assert_int_equal(figure.hit, hit);
	assert_int_equal(figure.count, count);
}

static void primers_and_shams(void **state)
{
	static const uint32_t by_window[ARRAY_SIZE(windows)] = { 0, 5, 1, 2, 1 };
	struct bundle b = bundle_of(primers, ARRAY_SIZE(primers));
	struct figures *f = figures_new(&b);

	(void)state;
	assert_int_equal(figures_trials(f, BUNDLE_ARMED), 2);
	assert_int_equal(figures_trials(f, BUNDLE_CONTROL), 1);
	figures_add(f, CAUSE, 2 * SECOND + 5, 2 * SECOND + 5); /* before the first primer: counts, hits nothing */
	assert_figure(f, BUNDLE_ARMED, 0, 1);
	figures_add(f, CAUSE, 3 * SECOND + 50, 3 * SECOND + 50); /* while it spins: left over */
	assert_figure(f, BUNDLE_ARMED, 0, 2);
	figures_add(f, CAUSE, 3 * SECOND + 200, 3 * SECOND + 60); /* runs later, was queued before */
	assert_figure(f, BUNDLE_ARMED, 0, 3);
	figures_add(f, CAUSE, 4 * SECOND, 4 * SECOND);
	figures_add(f, CAUSE, 5 * SECOND, 5 * SECOND); /* the same trial once only */
	assert_figure(f, BUNDLE_ARMED, 1, 5);
	figures_add(f, CAUSE, 11 * SECOND, 11 * SECOND); /* behind the window, within two seconds */
	assert_figure(f, BUNDLE_ARMED, 2, 5);
	figures_add(f, CAUSE, 12 * SECOND + 1, 12 * SECOND + 1); /* too late for the primer */
	assert_figure(f, BUNDLE_CONTROL, 0, 1);
	figures_add(f, CAUSE, 14 * SECOND, 14 * SECOND);
	assert_figure(f, BUNDLE_CONTROL, 1, 2);
	figures_add(f, CAUSE, 29 * SECOND, 29 * SECOND);
	assert_figure(f, BUNDLE_CONTROL, 1, 2);
	assert_int_equal(figures_get(f, CAUSE + 1000, BUNDLE_ARMED).count, 0);
	for (size_t i = 0; i < ARRAY_SIZE(by_window); i++)
		assert_int_equal(figures_by_window(f, CAUSE)[i], by_window[i]);
	assert_null(figures_by_window(f, CAUSE + 1000));
	figures_free(f);
}

/* The probe spins nothing away before it acts: what begins meanwhile is its action's. */
static void the_probe_itself(void **state)
{
	struct bundle_action act = ACTION(BUNDLE_PRIMER, "touch", true, 3 * SECOND, 3 * SECOND + 100, 1);
	struct bundle b = bundle_of(&act, 1);
	struct figures *f = figures_new(&b);

	(void)state;
	figures_add(f, CAUSE, 3 * SECOND + 50, 3 * SECOND + 50);
	assert_figure(f, BUNDLE_ARMED, 1, 1);
	figures_free(f);
}

static void a_hang_is_a_stimulus_that_lasts(void **state)
{
	struct bundle b = bundle_of(primers, ARRAY_SIZE(primers));
	struct bundle_action action = ACTION(BUNDLE_STIMULUS, "stall", false, SECOND, SECOND + BUNDLE_HANG_NS, 1);

	(void)state;
	assert_true(bundle_action_hung(&b, &action));
	action.t1--;
	assert_false(bundle_action_hung(&b, &action));
	action = ACTION(BUNDLE_PRIMER, "stall", false, SECOND, 9 * SECOND, 1);
	assert_false(bundle_action_hung(&b, &action));
}

static void stimuli_alone(void **state)
{
	struct bundle_action stimuli[] = { ACTION(BUNDLE_STIMULUS, "stat_refresh", false, 3 * SECOND, 4 * SECOND, 1) };
	struct bundle b = bundle_of(stimuli, 1);
	struct figures *f = figures_new(&b);

	(void)state;
	assert_int_equal(figures_trials(f, BUNDLE_ARMED), 1);
	figures_add(f, CAUSE, 3 * SECOND + 10, 3 * SECOND + 5); /* a stimulus may only return when its work is done */
	assert_figure(f, BUNDLE_ARMED, 1, 1);
	figures_free(f);
}

static void findings_in_logs(void **state)
{
	static const char *const findings[] = {
		"<4>[   12.345678] WARNING: CPU: 1 PID: 12 at mm/vmstat.c:100 foo+0x1/0x2",
		"[    1.0][    T1] BUG: kernel NULL pointer dereference, address: 0",
		"Oops: 0000 [#1] PREEMPT SMP",
		"[ 3.0] WARNING: possible circular locking dependency detected",
		"[ 60.1] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
		"[ 240.0] INFO: task tee:12 blocked for more than 120 seconds.",
		"[ 9.9] Out of memory: Killed process 12 (a)",
		"[ 9.9] a invoked oom-killer: gfp_mask=0x0",
		"[ 30.0] watchdog: BUG: soft lockup - CPU#1 stuck for 22s!",
		"[ 31.0] divide error: 0000 [#1] PREEMPT SMP NOPTI",
		"<4>[ 31.0][    T9] stack segment: 0000 [#12] SMP",
		"[ 32.0] INFO: trying to register non-static key.",
		"[ 32.1][   T12] [ BUG: Invalid wait context ]",
		"[ 32.2] WARNING: possible recursive locking detected",
		"[ 32.3] WARNING: inconsistent lock state",
		"[ 32.4] WARNING: suspicious RCU usage",
		"<4>[ 33.0] vmstat_refresh: nr_isolated_anon -4",
		"[ 34.0] BUG kmalloc-64 (Not tainted): Poison overwritten",
		"[ 34.1] BUG dentry (Tainted: G    B   W        ): Padding overwritten",
	};
	static const char *const harmless[] = {
		"[    0.1] Spectre V2 : WARNING: Unprivileged eBPF is enabled",
		"[    0.2] rcu: INFO: is fine",
		"[    0.3] Hierarchical RCU implementation.",
		"",
		"<",
		"[",
		"<4>",
		"[ 1.0]",
		"debug: Oops",
		"[ 1.0] queue [#a] of [#",
		"[ 1.0] the driver says: INFO: trying to register non-static key.",
		"[ 1.0] vmstat_refresh: nr_isolated_anon 4",
		"[ 1.0] BUG reports go to the list",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(findings); i++)
		assert_true(kernel_log_is_finding(findings[i]));
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		assert_false(kernel_log_is_finding(harmless[i]));
}

static void test_last_words(void **state)
{
	char fine[] = "[    1.000000] Linux version 6.1\n[    2.000000] Run /init as init process\n";
	char died[] =
		"[    1.000000] fine\n[    9.000000] BUG: kernel NULL pointer\x1b, address: 0\n[    9.1] #PF: x\n";

	(void)state;
	assert_null(kernel_log_find(fine));
	assert_string_equal(kernel_log_find(died), "[    9.000000] BUG: kernel NULL pointer?, address: 0");
}

static void log_done(struct kernel_log *log)
{
	json_decref(log->during);
	json_decref(log->before);
	json_decref(log->missing);
}

static struct kernel_log log_new(void)
{
	return (struct kernel_log){ .during = json_array(), .before = json_array(), .missing = json_array() };
}

static void logs_are_made_printable(void **state)
{
	_cleanup_(log_done) struct kernel_log log = log_new();
	char text[] = "[ 1.0] fine\n[ 2.0] BUG: \033[2J\xff\n\n[ 3.0] fine";

	(void)state;
	assert_int_equal(kernel_log_scan("guest", text, 0, NULL, &log), 0);
	assert_int_equal(json_array_size(log.before), 0);
	assert_int_equal(json_array_size(log.during), 1);
	assert_string_equal(json_get_string(json_array_get(log.during, 0), "line"), "[ 2.0] BUG: ?[2J?");
}

static void expected_findings_are_none(void **state)
{
	_cleanup_(log_done) struct kernel_log log = log_new();
	_cleanup_json_ json_t *expected = json_pack("[s, s]", "invoked oom-killer", "");
	char text[] = "[ 2.0] hog invoked oom-killer: order=0\n[ 2.1] BUG: in the midst of it\n";

	(void)state;
	assert_int_equal(kernel_log_scan("host", text, 0, expected, &log), 0);
	assert_int_equal(json_array_size(log.during), 1);
	assert_string_equal(json_get_string(json_array_get(log.during, 0), "line"), "[ 2.1] BUG: in the midst of it");
}

static size_t count_findings(bool emulated)
{
	_cleanup_(log_done) struct kernel_log log = log_new();
	_cleanup_json_ json_t *manifest =
		json_pack("{s:b, s:{s:[s]}}", "emulated", emulated, "scenario", "expected_log", "invoked oom-killer");
	_cleanup_json_ json_t *expected = kernel_log_expected(manifest);
	char text[] = "<4>[ 2.0] WARNING: CPU: 0 PID: 29 at kernel/sched/core.c:5623 sched_tick_remote+0x13a/0x190\n"
		      "[ 2.1] hog invoked oom-killer: order=0\n[ 2.2] WARNING: CPU: 0 at mm/vmstat.c:1 fold+0x1/0x2\n";

	assert_int_equal(kernel_log_scan("guest", text, 0, expected, &log), 0);
	return json_array_size(log.during);
}

static void an_emulated_host_may_stand_still(void **state)
{
	(void)state;
	assert_int_equal(count_findings(true), 1);
	assert_int_equal(count_findings(false), 2);
}

static void old_findings_are_apart(void **state)
{
	_cleanup_(log_done) struct kernel_log log = log_new();
	char text[] =
		"<4>[    1.613252] WARNING: CPU: 0\n[   40.000000] BUG: then\nBUG: without a stamp\n[   40.000001] "
		"BUG: now\n";

	(void)state;
	assert_int_equal(kernel_log_scan("guest", text, 40 * SECOND, NULL, &log), 0);
	assert_int_equal(json_array_size(log.before), 2);
	assert_int_equal(json_array_size(log.during), 2);
}

static const char *missing(const struct kernel_log *log, size_t i)
{
	return json_get_string(json_array_get(log->missing, i), "text");
}

/* However many a log has from before the run, or at the start of it, what follows is not hidden. */
static void each_list_is_cut_by_itself(void **state)
{
	_cleanup_(log_done) struct kernel_log log = log_new();
	char text[250 * 16 + 1] = "";
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 250; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "[ %d.0] BUG: x\n", i < 103 ? 10 : 50);
	assert_int_equal(kernel_log_scan("host", text, 40 * SECOND, NULL, &log), 0);
	assert_int_equal(json_array_size(log.before), KERNEL_LOG_MAX);
	assert_int_equal(json_array_size(log.during), KERNEL_LOG_MAX);
	assert_int_equal(json_array_size(log.missing), 2);
	assert_string_equal(missing(&log, 0), "the host's kernel log has 47 more faults of the run than are kept");
	assert_string_equal(missing(&log, 1), "the host's kernel log has 3 more faults before the run than are kept");
}

/* The kernel keeps so much of its log only. */
static void a_log_that_begins_too_late_is_told(void **state)
{
	static const struct {
		const char *text;
		uint64_t last_ns;
		size_t missing;
	} rows[] = { { "<6>[   42.500000][    T1] fine\n[   43.0] fine\n", 40 * SECOND, 1 },
		     { "without a stamp\n[   99.0] fine\n", 40 * SECOND, 1 },
		     { "[   40.0] fine\n[   99.0] fine\n", 40 * SECOND, 0 },
		     { "[    0.0] fine\n[   99.0] fine\n", 40 * SECOND, 0 },
		     { "[   99.0] fine\n", 0, 0 },
		     { "without a stamp\n", 40 * SECOND, 0 },
		     { "", 40 * SECOND, 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(log_done) struct kernel_log log = log_new();
		_cleanup_free_ char *text = strdup(rows[i].text);

		assert_int_equal(kernel_log_scan("guest", text, rows[i].last_ns, NULL, &log), 0);
		assert_int_equal(json_array_size(log.missing), rows[i].missing);
		if (rows[i].missing)
			assert_non_null(strstr(missing(&log, 0), "the guest's kernel log begins after the run did"));
	}
}

static void clock_feed(struct clock_check *check, enum trace_layer layer, uint64_t tsc, enum trace_type type)
{
	struct trace_event event = { .tsc = tsc,
				     .pid = layer == TRACE_HOST ? 100 : 5,
				     .cpu = 1,
				     .type = (uint8_t)type,
				     .layer = (uint8_t)layer,
				     .peer = 1 };

	clock_check_feed(check, &event);
}

static void clock_from_events(void **state)
{
	struct clock_check check;

	(void)state;
	clock_check_init(&check, 1, 1, 100);
	clock_feed(&check, TRACE_GUEST, 5, TRACE_OTHER); /* before anything is known */
	assert_int_equal(clock_check_error(&check), UINT64_MAX);
	clock_feed(&check, TRACE_HOST, 100, TRACE_KVM_ENTRY);
	clock_feed(&check, TRACE_GUEST, 130, TRACE_SWITCH);
	clock_feed(&check, TRACE_GUEST, 150, TRACE_SWITCH);
	clock_feed(&check, TRACE_HOST, 160, TRACE_KVM_EXIT);
	assert_int_equal(clock_check_error(&check), 30);
	clock_feed(&check, TRACE_HOST, 200, TRACE_KVM_ENTRY);
	clock_feed(&check, TRACE_GUEST, 204, TRACE_SWITCH);
	clock_feed(&check, TRACE_HOST, 300, TRACE_VECTOR_ENTRY);
	assert_int_equal(clock_check_error(&check), 10);
	assert_int_equal(check.contradiction, 0);
	clock_feed(&check, TRACE_GUEST, 370, TRACE_SWITCH); /* 70 behind the exit, 30 before the entry */
	clock_feed(&check, TRACE_HOST, 400, TRACE_KVM_ENTRY);
	assert_int_equal(check.contradiction, 30);
	assert_false(check.changed);
	clock_feed(&check, TRACE_HOST, 500, TRACE_TSC_OFFSET);
	assert_true(check.changed);
}

/* Of two bounds the better one counts, unless an event contradicts it. */
static void bound_of_the_clock(void **state)
{
	static const struct {
		uint64_t measured, after_entry, before_exit, contradiction, error;
	} rows[] = {
		{ 0, 30, 10, 0, 30 },
		{ 20, 30, 10, 0, 20 },
		{ 50, 30, 10, 0, 30 },
		{ 20, 30, 10, 90, 90 },
		{ 50, UINT64_MAX, UINT64_MAX, 0, 50 },
		{ 0, UINT64_MAX, 10, 0, UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bundle bundle = { .has_guest = true, .clock.error_cycles = rows[i].measured };
		struct analysis a = { .bundle = &bundle,
				      .clock = { .after_entry = rows[i].after_entry,
						 .before_exit = rows[i].before_exit,
						 .contradiction = rows[i].contradiction } };

		assert_true(analysis_clock_error(&a) == rows[i].error);
		bundle.has_guest = false;
		assert_true(analysis_clock_error(&a) == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_last_words),
		cmocka_unit_test(primers_and_shams),
		cmocka_unit_test(stimuli_alone),
		cmocka_unit_test(the_probe_itself),
		cmocka_unit_test(a_hang_is_a_stimulus_that_lasts),
		cmocka_unit_test(findings_in_logs),
		cmocka_unit_test(logs_are_made_printable),
		cmocka_unit_test(expected_findings_are_none),
		cmocka_unit_test(an_emulated_host_may_stand_still),
		cmocka_unit_test(old_findings_are_apart),
		cmocka_unit_test(each_list_is_cut_by_itself),
		cmocka_unit_test(a_log_that_begins_too_late_is_told),
		cmocka_unit_test(clock_from_events),
		cmocka_unit_test(bound_of_the_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
