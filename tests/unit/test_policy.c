// SPDX-License-Identifier: GPL-2.0-or-later
/* The policy of a thread: given, read back, refused. */
#include "host/policy.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void given_and_taken_back(void **state)
{
	struct err err = { "" };

	(void)state;
	assert_int_equal(policy_set(gettid(), POLICY_OTHER, &err), 0);
	if (policy_set(gettid(), POLICY_FIFO, &err) == -EPERM)
		skip();
	assert_int_equal(sched_getscheduler(0), SCHED_FIFO);
	assert_int_equal(policy_set(gettid(), POLICY_OTHER, &err), 0);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
}

static void no_such_thread(void **state)
{
	struct err err = { "" };

	(void)state;
	assert_int_equal(policy_set(INT32_MAX, POLICY_FIFO, &err), -ESRCH);
	assert_non_null(strstr(err.msg, "2147483647 does not get policy 'fifo'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_and_taken_back),
		cmocka_unit_test(no_such_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
