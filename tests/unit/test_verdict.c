// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"

#define CAUSE "host/kworker/vmstat_update"

static const struct pool full = { .runs = 1, .armed = { 26, 26, 26, 40 }, .explained = 26 };
static const struct pool none = { .runs = 1, .armed = { 26, 0, 0, 40 } };
static const struct pool few = { .runs = 1, .armed = { 26, 3, 3, 40 }, .explained = 3 };
static const struct pool brief = { .runs = 1, .armed = { 3, 3, 3, 4 }, .explained = 3 };
static const struct pool brief_none = { .runs = 1, .armed = { 3, 0, 0, 4 } };
static const struct pool unprimed = { .runs = 1, .armed = { 0, 0, 3, 4 }, .explained = 3 };
static const struct pool unprimed_none = { .runs = 1, .armed = { 0, 0, 0, 4 } };
static const struct pool leaky = { .runs = 1, .armed = { 26, 0, 0, 40 }, .lost = 12 };
static const struct pool control_only = { .runs = 1, .armed = { 26, 0, 0, 40 }, .control = { 26, 2, 2, 40 } };
static const struct pool absent = { 0 };

struct expectation {
	const struct pool *base;
	const struct pool *arm;
	bool provoked;
	bool removes;
	double p;
	enum verdict_state state;
	const char *text; /* after the cause */
};

static const struct expectation expectations[] = {
	{ &full, &none, true, true, 0.0001, VERDICT_REMOVED,
	  "26 of 26 hits explained on stock; 0 in 40 s on fix (< 4.5 per minute at 95%): removed" },
	{ &full, &full, true, true, 1, VERDICT_REMAINS,
	  "26 of 26 hits explained on stock; 26 in 40 s on fix (39 per minute, 25 to 58 at 95%): remains" },
	{ &full, &few, true, true, 0.002, VERDICT_REDUCED,
	  "26 of 26 hits explained on stock; 3 in 40 s on fix (4.5 per minute, 0.93 to 14 at 95%): reduced, not "
	  "removed" },
	{ &full, &control_only, true, true, 0.002, VERDICT_REDUCED,
	  "26 of 26 hits explained on stock; 0 in 40 s on fix (< 4.5 per minute at 95%), 2 in control windows: "
	  "reduced, "
	  "not removed" },
	{ &brief, &brief_none, true, true, 0.1, VERDICT_UNDECIDED,
	  "3 of 3 hits explained on stock; 0 in 4 s on fix (< 45 per minute at 95%): undecided, too few; 24 s of armed "
	  "windows an arm would do" },
	{ &unprimed, &unprimed_none, true, true, 0.1, VERDICT_UNDECIDED,
	  "3 of 3 hits explained on stock; 0 in 4 s on fix (< 45 per minute at 95%): undecided, too few; 39 s of armed "
	  "windows an arm would do" },
	{ &none, &none, true, true, 1, VERDICT_UNDECIDED,
	  "0 in 40 s on stock (< 4.5 per minute at 95%); 0 in 40 s on fix (< 4.5 per minute at 95%): undecided, "
	  "nothing was "
	  "there to remove" },
	{ &full, &leaky, true, true, 0.0001, VERDICT_UNDECIDED,
	  "26 of 26 hits explained on stock; 0 in 40 s on fix (< 4.5 per minute at 95%): undecided, what was lost may "
	  "have "
	  "held it; 12 events or gaps lost on fix" },
	{ &full, &absent, true, true, 1, VERDICT_UNDECIDED, "not measured on fix: undecided" },
	{ &full, &full, true, false, 1, VERDICT_AS_EXPECTED,
	  "26 of 26 hits explained on stock; 26 of 26 hits explained on fix: as expected" },
	{ &full, &none, true, false, 0.0001, VERDICT_UNEXPECTED,
	  "26 of 26 hits explained on stock; 0 in 40 s on fix (< 4.5 per minute at 95%): unexpected, no patch of this "
	  "arm "
	  "claims to remove it" },
	{ &none, &full, true, false, 0.0001, VERDICT_UNEXPECTED,
	  "0 in 40 s on stock (< 4.5 per minute at 95%); 26 of 26 hits explained on fix: unexpected, it does not occur "
	  "without this arm's patches" },
	{ &none, &full, false, true, 0.0001, VERDICT_REMAINS,
	  "0 in 40 s on stock (< 4.5 per minute at 95%); 26 in 40 s on fix (39 per minute, 25 to 58 at 95%): remains" },
};

static void test_sentences(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expectations); i++) {
		const struct expectation *e = &expectations[i];
		struct verdict_case question = { .cause = CAUSE,
						 .provoked = e->provoked,
						 .removes = e->removes,
						 .arm = { .arm = "fix", .pool = e->arm },
						 .base = { .arm = "stock", .pool = e->base },
						 .difference = { .p = e->p } };
		struct verdict got;

		assert_true(verdict_decide(&question, &got));
		assert_string_equal(got.text + strlen(CAUSE ": "), e->text);
		assert_int_equal(got.state, e->state);
		assert_true(got.decisive);
	}
}

static void test_nothing_to_say(void **state)
{
	struct verdict_case question = { .cause = CAUSE,
					 .removes = true,
					 .arm = { .arm = "fix", .pool = &none },
					 .base = { .arm = "stock", .pool = &full },
					 .difference = { .p = 0.0001 } };
	struct verdict got;

	(void)state;
	assert_false(verdict_decide(&question, &got));
	question.removes = false;
	assert_false(verdict_decide(&question, &got));
	question = (struct verdict_case){ .cause = CAUSE, .arm = { .arm = "stock", .pool = &full } };
	assert_false(verdict_decide(&question, &got));
}

static void test_an_arm_that_adds(void **state)
{
	static const struct {
		const struct pool *base;
		const struct pool *arm;
		double p;
		enum verdict_state state;
		const char *word;
	} cases[] = {
		{ &none, &full, 0.0001, VERDICT_AS_EXPECTED, "26 of 26 hits explained on old: added by this arm" },
		{ &none, &full, 0.2, VERDICT_UNDECIDED, "too few" },
		{ &leaky, &full, 0.0001, VERDICT_UNDECIDED, "lost" },
		{ &none, &none, 1, VERDICT_UNEXPECTED, "should have added it" },
		{ &full, &full, 1, VERDICT_UNEXPECTED, "not the one that adds it" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct verdict_case question = { .cause = CAUSE,
						 .provoked = true,
						 .adds = true,
						 .arm = { .arm = "old", .pool = cases[i].arm },
						 .base = { .arm = "stock", .pool = cases[i].base },
						 .difference = { .p = cases[i].p, .boots = true } };
		struct verdict got;

		assert_true(verdict_decide(&question, &got));
		assert_int_equal(got.state, cases[i].state);
		assert_non_null(strstr(got.text, cases[i].word));
		question.provoked = false; /* in a scenario that is about something else nobody asks */
		assert_false(verdict_decide(&question, &got));
	}
}

static void test_one_arm_alone(void **state)
{
	struct verdict_case question = { .cause = CAUSE, .provoked = true, .arm = { .arm = "stock", .pool = &full } };
	struct verdict got;

	(void)state;
	assert_true(verdict_decide(&question, &got));
	assert_int_equal(got.state, VERDICT_AS_EXPECTED);
	question.arm.pool = &none;
	assert_true(verdict_decide(&question, &got));
	assert_int_equal(got.state, VERDICT_UNEXPECTED);
	question.removes = true;
	assert_true(verdict_decide(&question, &got));
	assert_int_equal(got.state, VERDICT_UNDECIDED);
}

/* An upper bound is never rounded below itself. */
static void test_rates(void **state)
{
	char text[16];

	(void)state;
	verdict_format_rate(4.4936, true, text);
	assert_string_equal(text, "4.5");
	verdict_format_rate(4.41, true, text);
	assert_string_equal(text, "4.5");
	verdict_format_rate(0.0101, true, text);
	assert_string_equal(text, "0.02");
	verdict_format_rate(44.9, false, text);
	assert_string_equal(text, "45");
	verdict_format_rate(1234.2, true, text);
	assert_string_equal(text, "1235");
}

static void test_good_states(void **state)
{
	(void)state;
	for (int s = 0; s < VERDICT_STATE_MAX; s++)
		assert_true(verdict_good(verdict_state_name((enum verdict_state)s)) ==
			    (s == VERDICT_REMOVED || s == VERDICT_AS_EXPECTED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sentences),     cmocka_unit_test(test_nothing_to_say),
		cmocka_unit_test(test_one_arm_alone), cmocka_unit_test(test_rates),
		cmocka_unit_test(test_good_states),   cmocka_unit_test(test_an_arm_that_adds),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
