// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/debug_kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/json.h"

static void rows_of_functions(void **state)
{
	static const struct {
		const char *kallsyms;
		const char *options; /* NULL: nothing is found */
	} rows[] = {
		{ "ffffffff81000000 T schedule\nffffffff81000100 t lock_acquired_twice\n", NULL },
		{ "ffffffff81000000 T try_lock_acquire\n", NULL },
		{ "ffffffff81000000 T lock_acquire\n", "(LOCKDEP)" },
		{ "ffffffff81000000 T lock_acquire_not\nffffffff81000100 T lock_acquire", "(LOCKDEP)" },
		{ "ffffffff81000000 T kasan_report\nffffffff81000100 T lock_acquire\n", "(LOCKDEP, KASAN)" },
		{ "ffffffffc0000000 t lock_acquire\t[of_a_module]\n", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_json_ json_t *findings = json_array();

		debug_kernel_check(rows[i].kallsyms, "guest", findings);
		assert_int_equal(json_array_size(findings), rows[i].options ? 1 : 0);
		if (!rows[i].options)
			continue;
		assert_string_equal(json_get_string(json_array_get(findings, 0), "layer"), "guest");
		assert_non_null(strstr(json_get_string(json_array_get(findings, 0), "text"), rows[i].options));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
