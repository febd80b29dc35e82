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

static void test_none_without_a_request(void **state)
{
	assert_false(meter_reset_take(*state));
}

static void test_at_once_where_nobody_is_in_a_guest(void **state)
{
	meter_reset_ask(*state, 1);
	assert_true(meter_reset_take(*state));
	assert_false(meter_reset_take(*state));
}

static void test_who_asks_may_be_in_a_guest(void **state)
{
	meter_reset_switch(*state, 1, true);
	meter_reset_ask(*state, 1);
	assert_true(meter_reset_take(*state));
}

static void test_others_leave_their_guests_first(void **state)
{
	meter_reset_switch(*state, 0, true);
	meter_reset_switch(*state, 1, true);
	meter_reset_ask(*state, 1);
	assert_false(meter_reset_take(*state));
	meter_reset_switch(*state, 0, false);
	assert_true(meter_reset_take(*state));
}

static void test_two_requests_are_one(void **state)
{
	meter_reset_switch(*state, 1, true);
	meter_reset_switch(*state, 2, true);
	meter_reset_ask(*state, 1);
	assert_false(meter_reset_take(*state));
	meter_reset_ask(*state, 2);
	assert_true(meter_reset_take(*state));
	assert_false(meter_reset_take(*state));
}

static void test_unknown_cpus_are_ignored(void **state)
{
	meter_reset_switch(*state, 3, true);
	meter_reset_ask(*state, 3);
	assert_false(meter_reset_take(*state));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_none_without_a_request),     TEST(test_at_once_where_nobody_is_in_a_guest),
		TEST(test_who_asks_may_be_in_a_guest), TEST(test_others_leave_their_guests_first),
		TEST(test_two_requests_are_one),       TEST(test_unknown_cpus_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
