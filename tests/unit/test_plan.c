// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/plan.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define S 1000000000ULL
#define MS 1000000ULL

static const struct plan_params typical = {
	.seed = 7,
	.length_ns = 10 * S,
	.armed_ns = 20 * S,
	.control_ns = 12 * S,
	.guard_ns = 2 * S,
	.primer = { 1500 * MS, 300 * MS, 1 * S },
};

static size_t count_state(const struct plan *plan, enum window_state state, uint64_t *ret_ns)
{
	size_t n = 0;

	*ret_ns = 0;
	for (size_t i = 0; i < plan->n_windows; i++)
		if (plan->windows[i].state == state) {
			n++;
			*ret_ns += plan->windows[i].length_ns;
		}
	return n;
}

static size_t count_role(const struct plan *plan, enum window_state state, enum action_role role)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->n_windows; i++)
		for (size_t k = 0; k < plan->windows[i].n_actions; k++)
			n += plan->windows[i].state == state && plan->windows[i].actions[k].role == role;
	return n;
}

static void test_states_and_times(void **state)
{
	_cleanup_plan_ struct plan plan = { 0 };
	uint64_t ns;

	(void)state;
	assert_int_equal(plan_make(&typical, &plan), 0);
	assert_int_equal(count_state(&plan, WINDOW_ARMED, &ns), 2);
	assert_int_equal(ns, 20 * S);
	assert_int_equal(count_state(&plan, WINDOW_CONTROL, &ns), 1);
	assert_int_equal(ns, 12 * S);
	assert_int_equal(count_state(&plan, WINDOW_GUARD, &ns), 3);
	assert_int_equal(ns, 6 * S);
	assert_int_equal(plan.total_ns, 38 * S);
}

static void test_a_guard_before_each_window(void **state)
{
	_cleanup_plan_ struct plan plan = { 0 };
	uint64_t at = 0;

	(void)state;
	assert_int_equal(plan_make(&typical, &plan), 0);
	for (size_t i = 0; i < plan.n_windows; i++) {
		assert_int_equal(plan.windows[i].state == WINDOW_GUARD, i % 2 == 0);
		assert_int_equal(plan.windows[i].start_ns, at);
		at += plan.windows[i].length_ns;
	}
	assert_int_not_equal(plan.windows[plan.n_windows - 1].state, WINDOW_GUARD);
}

static void check_window(const struct plan_window *w)
{
	for (size_t k = 0; k < w->n_actions; k++) {
		assert_true(w->actions[k].at_ns + typical.primer.tail_ns < w->length_ns);
		if (k == 0) {
			assert_true(w->actions[k].at_ns < typical.primer.period_ns);
		} else {
			uint64_t step = w->actions[k].at_ns - w->actions[k - 1].at_ns;

			assert_true(step >= typical.primer.period_ns);
			assert_true(step <= typical.primer.period_ns + typical.primer.jitter_ns);
		}
	}
}

static void test_primers_in_their_rhythm(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 500; seed++) {
		struct plan_params params = typical;
		_cleanup_plan_ struct plan plan = { 0 };

		params.seed = seed;
		assert_int_equal(plan_make(&params, &plan), 0);
		for (size_t i = 0; i < plan.n_windows; i++)
			check_window(&plan.windows[i]);
		assert_true(count_role(&plan, WINDOW_ARMED, ROLE_PRIMER) >= 9);
		assert_int_equal(count_role(&plan, WINDOW_ARMED, ROLE_SHAM), 0);
		assert_int_equal(count_role(&plan, WINDOW_CONTROL, ROLE_PRIMER), 0);
		assert_true(count_role(&plan, WINDOW_CONTROL, ROLE_SHAM) > 0);
		assert_int_equal(count_role(&plan, WINDOW_GUARD, ROLE_SHAM), 0);
	}
}

static void test_stimuli_in_armed_windows_only(void **state)
{
	_cleanup_plan_ struct plan plan = { 0 };
	struct plan_params params = typical;

	(void)state;
	params.stimulus = (struct plan_rhythm){ 700 * MS, 100 * MS, 0 };
	assert_int_equal(plan_make(&params, &plan), 0);
	assert_true(count_role(&plan, WINDOW_ARMED, ROLE_STIMULUS) >= 24);
	assert_int_equal(count_role(&plan, WINDOW_CONTROL, ROLE_STIMULUS), 0);
	for (size_t i = 0; i < plan.n_windows; i++)
		for (size_t k = 1; k < plan.windows[i].n_actions; k++)
			assert_true(plan.windows[i].actions[k].at_ns >= plan.windows[i].actions[k - 1].at_ns);
}

static void test_same_seed_same_plan(void **state)
{
	_cleanup_plan_ struct plan a = { 0 };
	_cleanup_plan_ struct plan b = { 0 };

	(void)state;
	assert_int_equal(plan_make(&typical, &a), 0);
	assert_int_equal(plan_make(&typical, &b), 0);
	assert_int_equal(a.n_windows, b.n_windows);
	for (size_t i = 0; i < a.n_windows; i++) {
		assert_int_equal(a.windows[i].state, b.windows[i].state);
		assert_int_equal(a.windows[i].n_actions, b.windows[i].n_actions);
		for (size_t k = 0; k < a.windows[i].n_actions; k++)
			assert_int_equal(a.windows[i].actions[k].at_ns, b.windows[i].actions[k].at_ns);
	}
}

static void test_order_is_drawn_and_alternates(void **state)
{
	unsigned int armed_first = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct plan_params params = { .seed = seed, .length_ns = S, .armed_ns = 4 * S, .control_ns = 4 * S };
		_cleanup_plan_ struct plan plan = { 0 };

		assert_int_equal(plan_make(&params, &plan), 0);
		armed_first += plan.windows[1].state == WINDOW_ARMED;
		/* Never three of a state in a row, so that a slow drift meets both alike. */
		for (size_t i = 1; i + 4 < plan.n_windows; i += 2)
			assert_false(plan.windows[i].state == plan.windows[i + 2].state &&
				     plan.windows[i].state == plan.windows[i + 4].state);
	}
	assert_in_range(armed_first, 60, 140);
}

static void test_odd_lengths(void **state)
{
	struct plan_params params = { .seed = 1, .length_ns = 0, .armed_ns = S, .control_ns = S };
	_cleanup_plan_ struct plan none = { 0 };
	_cleanup_plan_ struct plan plan = { 0 };
	uint64_t ns;

	(void)state;
	assert_int_equal(plan_make(&params, &none), -EINVAL);
	params = (struct plan_params){ .seed = 1, .length_ns = 10 * S, .armed_ns = S, .control_ns = 0 };
	assert_int_equal(plan_make(&params, &plan), 0);
	assert_int_equal(count_state(&plan, WINDOW_ARMED, &ns), 1);
	assert_int_equal(ns, S);
	assert_int_equal(count_state(&plan, WINDOW_CONTROL, &ns), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states_and_times),
		cmocka_unit_test(test_a_guard_before_each_window),
		cmocka_unit_test(test_primers_in_their_rhythm),
		cmocka_unit_test(test_stimuli_in_armed_windows_only),
		cmocka_unit_test(test_same_seed_same_plan),
		cmocka_unit_test(test_order_is_drawn_and_alternates),
		cmocka_unit_test(test_odd_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
