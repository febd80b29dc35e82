// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/stimulus_figures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/json.h"

static void figures_stand_among_words(void **state)
{
	const char *at = "held back at most=48 pages, 3 of 4 turns; OOM kills=-1 times,threads=2 faults=4 ms, x=7 ms";
	struct stimulus_figure f;

	(void)state;
	assert_true(stimulus_figure_next(&at, &f));
	assert_string_equal(f.name, "held back at most");
	assert_string_equal(f.unit, "pages");
	assert_int_equal(f.value, 48);
	assert_true(stimulus_figure_next(&at, &f));
	assert_string_equal(f.name, "OOM kills");
	assert_int_equal(f.value, -1);
	assert_true(stimulus_figure_next(&at, &f));
	assert_string_equal(f.name, "x");
	assert_int_equal(f.value, 7);
	assert_false(stimulus_figure_next(&at, &f));
	assert_false(stimulus_figure_next(&at, &f));
}

/* Words come from whoever acts, a guest too. */
static void what_is_no_figure_is_left_alone(void **state)
{
	static const char *const none[] = {
		"",
		",;, ;",
		"=",
		"=1 pages",
		"x=",
		"x=1",
		"x=1 ",
		"x= 1 pages",
		"x=+1 pages",
		"x=- pages",
		"x=0x10 pages",
		"x=1.5 pages",
		"x=1e3 pages",
		"x=1  pages",
		"x=1 pages more",
		"x=1 pages\n",
		"x=1 \033[2J",
		"\033[2Jx=1 pages",
		"x\033[2J=1 pages",
		"<b>=1 pages",
		"1x=1 pages",
		"x=y=1 pages",
		"x=1000000000001 pages",
		"x=-1000000000001 pages",
		"x=9223372036854775808 pages",
		"x=-9223372036854775808 pages",
		"x=99999999999999999999999999999999999999999999999999999999 pages",
		"x=1 abcdefghijklmnop",
		"abcdefghijklmnopqrstuvwxyzabcdef=1 pages",
	};
	struct stimulus_figure f = { .value = 17 };
	char many[4096];
	const char *at;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		at = none[i];
		assert_false(stimulus_figure_next(&at, &f));
		assert_int_equal(f.value, 17);
	}
	memset(many, 'x', sizeof(many));
	memcpy(many + sizeof(many) - 10, ", a=1 ms", 9);
	at = many;
	assert_true(stimulus_figure_next(&at, &f));
	assert_string_equal(f.name, "a");
}

static void limits_are_within(void **state)
{
	const char *at = "abcdefghijklmnopqrstuvwxyzabcde=1000000000000 abcdefghijklmno, a=-1000000000000 b, c=0 d";
	struct stimulus_figure f;

	(void)state;
	assert_true(stimulus_figure_next(&at, &f));
	assert_true(f.value == STIMULUS_FIGURE_MAX);
	assert_true(stimulus_figure_next(&at, &f));
	assert_true(f.value == -STIMULUS_FIGURE_MAX);
	assert_true(stimulus_figure_next(&at, &f));
	assert_int_equal(f.value, 0);
}

static json_t *run(struct bundle_action *actions, size_t n, bool with_times)
{
	struct bundle_window windows[] = { { .state = BUNDLE_CONTROL },
					   { .state = BUNDLE_ARMED },
					   { .state = BUNDLE_GUARD } };
	const struct bundle b = { .windows = windows, .n_windows = 3, .actions = actions, .n_actions = n };

	return stimulus_figures_json(&b, with_times);
}

static struct bundle_action action(const char *kind, size_t window, const char *detail)
{
	struct bundle_action a = { .role = BUNDLE_STIMULUS, .window = window };

	snprintf(a.kind, sizeof(a.kind), "%s", kind);
	snprintf(a.detail, sizeof(a.detail), "%s", detail);
	return a;
}

static void actions_add_up_by_window(void **state)
{
	struct bundle_action actions[] = {
		action("stall", 1, "a=5 pages, b=1 ms"), action("stall", 1, "a=3 pages"),
		action("stall", 0, "a=9 pages"),	 action("stall", 2, "a=100 pages"), /* in a guard */
		action("stall", 3, "a=100 pages"),					    /* outside */
		action("stall", 1, "a=-4 pages"),	 action("storm", 1, "a=7 pages"),
		action("stall", 1, "a=6 pages"),	 action("x\033[2J", 1, "a=7 pages"),
	};
	_cleanup_json_ json_t *figures = run(actions, ARRAY_SIZE(actions), true);
	_cleanup_json_ json_t *wanted = json_loads(
		"[{\"kind\": \"stall\", \"figure\": \"a\", \"unit\": \"pages\","
		"  \"armed\": {\"n\": 4, \"min\": -4, \"median\": 3, \"max\": 6, \"values\": [5, 3, -4, 6]},"
		"  \"control\": {\"n\": 1, \"min\": 9, \"median\": 9, \"max\": 9, \"values\": [9]}},"
		" {\"kind\": \"stall\", \"figure\": \"b\", \"unit\": \"ms\","
		"  \"armed\": {\"n\": 1, \"min\": 1, \"median\": 1, \"max\": 1, \"values\": [1]}, \"control\": null},"
		" {\"kind\": \"storm\", \"figure\": \"a\", \"unit\": \"pages\","
		"  \"armed\": {\"n\": 1, \"min\": 7, \"median\": 7, \"max\": 7, \"values\": [7]}, \"control\": null}]",
		0, NULL);

	(void)state;
	assert_non_null(wanted);
	assert_true(json_equal(figures, wanted));
	assert_null(run(actions, 0, true));
}

/* Names without end are not kept. */
static void there_are_not_too_many(void **state)
{
	struct bundle_action actions[40];
	_cleanup_json_ json_t *figures = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		char detail[64];

		snprintf(detail, sizeof(detail), "a%zu=1 ms, b%zu=2 ms", i, i);
		actions[i] = action("stall", 1, detail);
	}
	figures = run(actions, ARRAY_SIZE(actions), true);
	assert_int_equal(json_array_size(figures), 64);
}

static void a_debug_kernel_has_no_times(void **state)
{
	struct bundle_action actions[] = { action("stall", 1, "took=90 ms, a=3 pages") };
	_cleanup_json_ json_t *figures = run(actions, ARRAY_SIZE(actions), false);

	(void)state;
	assert_int_equal(json_array_size(figures), 1);
	assert_string_equal(json_get_string(json_array_get(figures, 0), "figure"), "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_stand_among_words), cmocka_unit_test(what_is_no_figure_is_left_alone),
		cmocka_unit_test(limits_are_within),	     cmocka_unit_test(actions_add_up_by_window),
		cmocka_unit_test(there_are_not_too_many),    cmocka_unit_test(a_debug_kernel_has_no_times),
	};

	return cmocka_run_group_tests_name("stimulus_figures", tests, NULL, NULL);
}
