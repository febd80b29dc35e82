// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/cpulist.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/cleanup.h"

static const struct good {
	const char *text;
	uint64_t mask;
} good[] = {
	{ "", 0 },	 { "\n", 0 },	{ "0", 1 },    { "0\n", 1 },	  { "1-3", 14 },
	{ "0,2-3", 13 }, { "3,1", 10 }, { "5-5", 32 }, { "0-1,1-2 ", 7 }, { "007", 128 },
};

static void lists_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		cpu_set_t set;

		assert_int_equal(cpulist_parse(good[i].text, &set), 0);
		for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
			assert_int_equal(!!CPU_ISSET(cpu, &set), cpu < 64 && good[i].mask >> cpu & 1);
	}
}

static const struct bad {
	const char *text;
	int error;
} bad[] = {
	{ ",", -EINVAL },     { "1,", -EINVAL },   { ",1", -EINVAL },	  { "1,,2", -EINVAL },
	{ "-1", -EINVAL },    { "1-", -EINVAL },   { "3-1", -EINVAL },	  { "a", -EINVAL },
	{ "1a", -EINVAL },    { "1 2", -EINVAL },  { "+1", -EINVAL },	  { "0x1", -EINVAL },
	{ "1-3:2", -EINVAL }, { "1024", -ERANGE }, { "0-1024", -ERANGE }, { "99999999999999999999", -ERANGE },
};

static void nonsense_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(7, &set);
		assert_int_equal(cpulist_parse(bad[i].text, &set), bad[i].error);
		assert_int_equal(CPU_COUNT(&set), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_read),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
