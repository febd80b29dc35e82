// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/json.h"
#include "reports/analyze.h"

#define REFUSED "Permission denied"

static struct bundle_action action(enum bundle_role role, const char *kind, const char *failure)
{
	struct bundle_action action = { .role = role };

	snprintf(action.kind, sizeof(action.kind), "%s", kind);
	snprintf(action.failure, sizeof(action.failure), "%s", failure);
	return action;
}

static json_t *judge(struct bundle_action *actions, size_t n)
{
	_cleanup_json_ json_t *manifest = json_object();
	struct bundle bundle = { .manifest = manifest,
				 .is_complete = true,
				 .probe.turns = 1,
				 .cycles_per_second = 1000000000,
				 .actions = actions,
				 .n_actions = n };
	struct analysis analysis = { .bundle = &bundle, .has_host_trace = true };

	return result_verdict(&analysis);
}

static void assert_verdict(struct bundle_action *actions, size_t n, const char *state, const char *reason)
{
	_cleanup_json_ json_t *verdict = judge(actions, n);
	const json_t *reasons = json_object_get(verdict, "reasons");

	assert_string_equal(json_get_string(verdict, "state"), state);
	assert_int_equal(json_array_size(reasons), reason ? 1 : 0);
	if (reason)
		assert_string_equal(json_string_value(json_array_get(reasons, 0)), reason);
}

static void actions_that_all_failed(void **state)
{
	struct bundle_action actions[] = {
		action(BUNDLE_PRIMER, "fault", ""),
		action(BUNDLE_STIMULUS, "write", REFUSED),
		action(BUNDLE_SETTLE, "spin", "Interrupted system call"),
		action(BUNDLE_STIMULUS, "write", REFUSED),
		action(BUNDLE_SHAM, "fault", ""),
	};

	(void)state;
	assert_verdict(actions, 5, "no-verdict", "stimulus write: 2 of 2 failed: " REFUSED);
	actions[0] = action(BUNDLE_PRIMER, "touch", "No such device");
	assert_verdict(actions, 1, "no-verdict", "primer touch: 1 of 1 failed: No such device");
}

static void some_failed(void **state)
{
	struct bundle_action actions[] = {
		action(BUNDLE_STIMULUS, "write", ""),
		action(BUNDLE_STIMULUS, "write", "Device or resource busy"),
	};

	(void)state;
	assert_verdict(actions, 2, "passed", "stimulus write: 1 of 2 failed: Device or resource busy");
	assert_verdict(actions, 1, "passed", NULL);
}

/* A debug kernel is told in every mode, a bad TSC only where it spoils what is judged. */
static void findings_fail_a_qualification(void **state)
{
	static const struct {
		const char *mode, *state, *reasons;
	} rows[] = { { "functional", "passed", "[\"debug: lengths are not told\"]" },
		     { "qualification", "failed", "[\"tsc\",\"debug: lengths are not told\"]" } };
	_cleanup_json_ json_t *tsc = json_pack("[{s:s}]", "text", "tsc");
	_cleanup_json_ json_t *debug = json_pack("[{s:s}]", "text", "debug");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_json_ json_t *manifest = json_pack("{s:s}", "mode", rows[i].mode);
		struct bundle bundle = { .manifest = manifest, .is_complete = true, .probe.turns = 1 };
		struct analysis analysis = { .bundle = &bundle, .has_host_trace = true, .tsc = tsc, .debug = debug };
		_cleanup_json_ json_t *verdict = result_verdict(&analysis);
		_cleanup_free_ char *reasons = json_dumps(json_object_get(verdict, "reasons"), JSON_COMPACT);

		assert_string_equal(json_get_string(verdict, "state"), rows[i].state);
		assert_string_equal(reasons, rows[i].reasons);
	}
}

static void missing_log_is_told_not_judged(void **state)
{
	_cleanup_json_ json_t *manifest = json_object();
	_cleanup_json_ json_t *missing = json_pack("[{s:s}]", "text", "torn off");
	struct bundle bundle = { .manifest = manifest, .is_complete = true, .probe.turns = 1 };
	struct analysis analysis = { .bundle = &bundle, .has_host_trace = true, .kernel_log.missing = missing };
	_cleanup_json_ json_t *verdict = result_verdict(&analysis);

	(void)state;
	assert_string_equal(json_get_string(verdict, "state"), "passed");
	assert_string_equal(json_string_value(json_array_get(json_object_get(verdict, "reasons"), 0)), "torn off");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(actions_that_all_failed),
		cmocka_unit_test(some_failed),
		cmocka_unit_test(findings_fail_a_qualification),
		cmocka_unit_test(missing_log_is_told_not_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
