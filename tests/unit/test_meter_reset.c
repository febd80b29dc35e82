// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/meter/meter_reset.h"

static int set_up(void **state)
{
	static struct meter_reset reset;

	*state = &reset;
	return meter_reset_init(&reset, 3);
}

static int tear_down(void **state)
{
	meter_reset_done(*state);
	return 0;
}

#define NOW (10 * METER_RESET_REST_NS)

static void test_none_without_a_request(void **state)
{
	assert_false(meter_reset_take(*state, 0, NOW));
}

static void test_at_once_where_nobody_is_in_a_guest(void **state)
{
	meter_reset_ask(*state, 1);
	assert_true(meter_reset_asks(*state, 1));
	assert_true(meter_reset_take(*state, 1, NOW));
	assert_false(meter_reset_take(*state, 1, NOW));
	assert_false(meter_reset_asks(*state, 1));
}

static void test_who_asks_may_be_in_a_guest(void **state)
{
	meter_reset_enter(*state, 1);
	meter_reset_ask(*state, 1);
	assert_true(meter_reset_take(*state, 1, NOW));
}

static void test_another_does_it_when_it_leaves_its_guest(void **state)
{
	meter_reset_enter(*state, 0);
	meter_reset_enter(*state, 1);
	meter_reset_ask(*state, 1);
	assert_false(meter_reset_take(*state, 1, NOW));
	meter_reset_leave(*state, 0, NOW);
	assert_false(meter_reset_take(*state, 1, NOW)); /* it may enter the next moment */
	assert_true(meter_reset_take(*state, 0, NOW));
}

static void test_a_third_is_waited_for(void **state)
{
	meter_reset_enter(*state, 2);
	meter_reset_ask(*state, 1);
	meter_reset_leave(*state, 0, NOW);
	assert_false(meter_reset_take(*state, 0, NOW));
	meter_reset_leave(*state, 2, NOW);
	assert_false(meter_reset_take(*state, 0, NOW + METER_RESET_REST_NS - 1));
	assert_true(meter_reset_take(*state, 0, NOW + METER_RESET_REST_NS));
}

static void test_who_left_long_ago_is_not_waited_for(void **state)
{
	meter_reset_leave(*state, 0, NOW);
	meter_reset_ask(*state, 1);
	assert_false(meter_reset_take(*state, 1, NOW + METER_RESET_REST_NS - 1));
	assert_true(meter_reset_take(*state, 1, NOW + METER_RESET_REST_NS));
}

static void test_two_requests_are_one(void **state)
{
	meter_reset_enter(*state, 1);
	meter_reset_enter(*state, 2);
	meter_reset_ask(*state, 1);
	assert_false(meter_reset_take(*state, 1, NOW));
	meter_reset_ask(*state, 2);
	assert_true(meter_reset_take(*state, 2, NOW));
	assert_false(meter_reset_take(*state, 1, NOW));
}

static void test_unknown_cpus_are_ignored(void **state)
{
	meter_reset_enter(*state, 3);
	meter_reset_ask(*state, 3);
	assert_false(meter_reset_asks(*state, 3));
	assert_false(meter_reset_take(*state, 3, NOW));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_none_without_a_request),     TEST(test_at_once_where_nobody_is_in_a_guest),
		TEST(test_who_asks_may_be_in_a_guest), TEST(test_another_does_it_when_it_leaves_its_guest),
		TEST(test_a_third_is_waited_for),      TEST(test_who_left_long_ago_is_not_waited_for),
		TEST(test_two_requests_are_one),       TEST(test_unknown_cpus_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
