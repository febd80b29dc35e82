// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/stop.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int setup(void **state)
{
	(void)state;
	stop_acknowledge();
	return 0;
}

static void a_request_ends_each_wait_until_it_is_acknowledged(void **state)
{
	(void)state;
	assert_int_equal(stop_wait(0), 0);
	raise(SIGINT);
	assert_true(stop_requested());
	assert_int_equal(stop_wait(0), -EINTR);
	assert_int_equal(stop_wait(0), -EINTR);
	stop_acknowledge();
	assert_false(stop_requested());
	assert_int_equal(stop_wait(0), 0);
}

static void a_held_request_is_heeded_when_released(void **state)
{
	(void)state;
	stop_hold();
	raise(SIGTERM);
	assert_false(stop_requested());
	assert_int_equal(stop_wait(0), 0);
	stop_release();
	assert_true(stop_requested());
	assert_int_equal(stop_wait(0), -EINTR);
}

static void whoever_asks_twice_is_heeded(void **state)
{
	(void)state;
	stop_hold();
	raise(SIGINT);
	raise(SIGINT);
	assert_true(stop_requested());
	stop_release();
	assert_int_equal(stop_wait(0), -EINTR);
}

static void without_a_request_nothing_is_released(void **state)
{
	(void)state;
	stop_hold();
	stop_release();
	assert_int_equal(stop_wait(0), 0);
	raise(SIGINT);
	assert_true(stop_requested());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_request_ends_each_wait_until_it_is_acknowledged, setup),
		cmocka_unit_test_setup(a_held_request_is_heeded_when_released, setup),
		cmocka_unit_test_setup(whoever_asks_twice_is_heeded, setup),
		cmocka_unit_test_setup(without_a_request_nothing_is_released, setup),
	};

	return stop_install() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
