// SPDX-License-Identifier: GPL-2.0-or-later
/* A shell must split the line into the words that it was made of. */
#include "host/cmdline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/cleanup.h"

static void test_words_are_quoted_where_need_be(void **state)
{
	char words[][16] = { "run", "-o", "out", "--append", "a b=\"c\"", "it's", "", "$HOME" };
	char *argv[ARRAY_SIZE(words)];
	_cleanup_free_ char *line = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		argv[i] = words[i];
	line = cmdline_join(ARRAY_SIZE(words), argv);
	assert_string_equal(line, "vcpulat run -o out --append 'a b=\"c\"' 'it'\\''s' '' '$HOME'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_are_quoted_where_need_be),
	};

	return cmocka_run_group_tests_name("cmdline", tests, NULL, NULL);
}
