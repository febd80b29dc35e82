// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/courses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/cleanup.h"

/* Gap number i has length i + 1 and cause i % causes. */
static size_t choose(size_t n, uint32_t causes, bool **ret)
{
	_cleanup_free_ struct gap *gaps = calloc(n + 1, sizeof(*gaps));
	size_t marked = 0;

	*ret = calloc(n + 1, sizeof(**ret));
	assert_non_null(gaps);
	assert_non_null(*ret);
	for (size_t i = 0; i < n; i++)
		gaps[i] = (struct gap){ .t0 = 1000 * i, .t1 = 1000 * i + i + 1, .cause = (uint32_t)i % causes };
	assert_int_equal(courses_mark(gaps, n, *ret), 0);
	for (size_t i = 0; i < n; i++)
		marked += (*ret)[i];
	return marked;
}

static void few_are_all_kept(void **state)
{
	_cleanup_free_ bool *none = NULL;
	_cleanup_free_ bool *marked = NULL;

	(void)state;
	assert_int_equal(choose(0, 1, &none), 0);
	assert_int_equal(choose(2 * COURSES_PER_CAUSE, 1, &marked), 2 * COURSES_PER_CAUSE);
}

static void many_are_sampled(void **state)
{
	_cleanup_free_ bool *marked = NULL;
	size_t n = 100000;
	size_t last = 0;

	(void)state;
	assert_int_equal(choose(n, 1, &marked), 2 * COURSES_PER_CAUSE);
	for (size_t i = n - COURSES_PER_CAUSE; i < n; i++)
		assert_true(marked[i]);
	for (size_t i = 0; i < n - COURSES_PER_CAUSE; i++) {
		if (!marked[i])
			continue;
		assert_in_range(i - last, 0, n / COURSES_PER_CAUSE + 1);
		last = i;
	}
	assert_in_range(last, n - n / COURSES_PER_CAUSE - COURSES_PER_CAUSE - 1, n);
}

static void many_causes_share(void **state)
{
	_cleanup_free_ bool *marked = NULL;
	_cleanup_free_ bool *endless = NULL;

	(void)state;
	assert_in_range(choose(100000, 50, &marked), COURSES_MAX / 2, COURSES_MAX);
	assert_int_equal(choose(10000, 10000, &endless), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_are_all_kept),
		cmocka_unit_test(many_are_sampled),
		cmocka_unit_test(many_causes_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
