// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "common/err.h"

static void set_returns_the_code_and_keeps_the_words(void **state)
{
	struct err err = { "old" };

	(void)state;
	assert_int_equal(err_set(&err, -EINVAL, "no '%s' of %d", "thing", 3), -EINVAL);
	assert_string_equal(err.msg, "no 'thing' of 3");
}

static void sys_appends_the_text_of_the_code(void **state)
{
	struct err err = { "" };

	(void)state;
	assert_int_equal(err_sys(&err, -ENOENT, "cannot open '%s'", "x"), -ENOENT);
	assert_string_equal(err.msg, "cannot open 'x': No such file or directory");
}

static void prefix_stands_before_what_was_said(void **state)
{
	struct err err = { "" };

	(void)state;
	err_set(&err, -EIO, "inner");
	assert_int_equal(err_prefix(&err, -EPERM, "outer %d", 7), -EPERM);
	assert_string_equal(err.msg, "outer 7: inner");
}

static void nobody_has_to_want_the_words(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, -1, "x"), -1);
	assert_int_equal(err_sys(NULL, -2, "x"), -2);
	assert_int_equal(err_prefix(NULL, -3, "x"), -3);
}

static void long_words_are_cut(void **state)
{
	char text[4096];
	struct err err = { "" };

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&err, -EIO, "%s", text);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	err_sys(&err, -EIO, "%s", text);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	err_prefix(&err, -EIO, "where");
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	assert_memory_equal(err.msg, "where: aaa", 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_returns_the_code_and_keeps_the_words),
		cmocka_unit_test(sys_appends_the_text_of_the_code),
		cmocka_unit_test(prefix_stands_before_what_was_said),
		cmocka_unit_test(nobody_has_to_want_the_words),
		cmocka_unit_test(long_words_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
