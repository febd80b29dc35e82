// SPDX-License-Identifier: GPL-2.0-or-later
/* What a guest's agent reads from the kernel's command line. */
#include "agents/boot.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/cleanup.h"

#define TOKEN "0123456789abcdef0123456789abcdef"

static const struct row {
	const char *cmdline;
	int ret;
	unsigned int port;
} rows[] = {
	{ "quiet vcpulat.port=1024 vcpulat.token=" TOKEN, 0, 1024 },
	{ "vcpulat.token=" TOKEN " vcpulat.port=4294967295 quiet\n", 0, 4294967295U },
	{ "xvcpulat.port=1 vcpulat.port=2 vcpulat.token=" TOKEN, 0, 2 },
	{ "vcpulat.token=" TOKEN, -EINVAL, 0 },
	{ "vcpulat.port= vcpulat.token=" TOKEN, -EINVAL, 0 },
	{ "vcpulat.port=-1 vcpulat.token=" TOKEN, -EINVAL, 0 },
	{ "vcpulat.port=1x vcpulat.token=" TOKEN, -EINVAL, 0 },
	{ "vcpulat.port=99999999999999999999 vcpulat.token=" TOKEN, -EINVAL, 0 },
	{ "vcpulat.port=4294967296 vcpulat.token=" TOKEN, -EINVAL, 0 },
	{ "vcpulat.port=1", -EINVAL, 0 },
	{ "vcpulat.port=1 vcpulat.token=abc", -EINVAL, 0 },
	{ "vcpulat.port=1 vcpulat.token=" TOKEN "0", -EINVAL, 0 },
	{ "", -EINVAL, 0 },
};

static void command_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct boot boot = { 0 };
		struct err err = { "" };

		if (boot_parse_cmdline(rows[i].cmdline, &boot, &err) != rows[i].ret)
			fail_msg("'%s': %s", rows[i].cmdline, err.msg);
		assert_int_equal(err.msg[0] != '\0', rows[i].ret != 0);
		if (rows[i].ret == 0) {
			assert_int_equal(boot.port, rows[i].port);
			assert_string_equal(boot.token, TOKEN);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
