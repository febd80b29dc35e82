// SPDX-License-Identifier: GPL-2.0-or-later
/* Arms: files that fit and files that do not, names, and a user's own. */
#include "host/kernel/arm.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/fs.h"

/* A data directory and a cache for each test. */
struct room {
	char dir[64];
};

static void put(const struct room *room, const char *name, const char *text)
{
	_cleanup_free_ char *path = str_printf("%s/%s", room->dir, name);

	assert_int_equal(fs_write_atomic(path, text, strlen(text), NULL), 0);
}

static int setup(void **state)
{
	struct room *room = calloc(1, sizeof(*room));
	_cleanup_free_ char *arms = NULL;

	if (!room)
		return -1;
	strcpy(room->dir, "/tmp/test_arm.XXXXXX");
	if (!mkdtemp(room->dir))
		return -1;
	arms = str_printf("%s/images/kernels/arms", room->dir);
	*state = room;
	setenv("VCPULAT_DATA", room->dir, 1);
	setenv("XDG_CACHE_HOME", room->dir, 1);
	return fs_mkdirs(arms, NULL);
}

static int teardown(void **state)
{
	struct room *room = *state;
	int r = fs_remove_tree(room->dir, NULL);

	free(room);
	return r;
}

static void test_load_fills_the_defaults(void **state)
{
	_cleanup_arm_ struct arm arm = { .name = NULL };

	put(*state, "images/kernels/arms/plain.yaml", "description: x\n");
	assert_int_equal(arm_load("plain", &arm, NULL), 0);
	assert_string_equal(arm.name, "plain");
	assert_int_equal(arm.source, ARM_DEBIAN_LINUX_6_1);
	assert_string_equal(arm.changes, "nothing");
	assert_string_equal(arm.cmdline, "");
	assert_int_equal(arm.patches.count + arm.config.count + arm.removes.count + arm.adds.count, 0);
}

static void test_load_reads_every_key(void **state)
{
	_cleanup_arm_ struct arm arm = { .name = NULL };

	put(*state, "images/kernels/arms/full.yaml",
	    "description: d\nchanges: c\nsource: tarball\npath: /x.tar\nconfig: [CONFIG_A=y, /f]\n"
	    "patches: [a.patch, /b.patch]\nremoves: host/kworker/f\nadds: [host/kworker/g]\ncmdline: quiet\n");
	assert_int_equal(arm_load("full", &arm, NULL), 0);
	assert_int_equal(arm.source, ARM_TARBALL);
	assert_string_equal(arm.path, "/x.tar");
	assert_string_equal(arm.config.item[1], "/f");
	assert_string_equal(arm.patches.item[0], "a.patch");
	assert_string_equal(arm.removes.item[0], "host/kworker/f");
	assert_string_equal(arm.adds.item[0], "host/kworker/g");
	assert_string_equal(arm.cmdline, "quiet");
}

struct bad {
	const char *text;
	const char *says;
};

static void test_load_says_what_does_not_fit(void **state)
{
	static const struct bad files[] = {
		{ "changes: x\n", "description" },
		{ "description: x\npatch: [a]\n", "bad.yaml:2" },
		{ "description: x\nsource: debian\n", "debian-linux-6.1" },
		{ "description: x\nsource: tree\n", "absolute path" },
		{ "description: x\nsource: tree\npath: linux\n", "absolute path" },
		{ "description: x\nsource: image\npath: /b\npatches: [a.patch]\n", "as it is" },
		{ "description: x\npatches: [../../a.patch]\n", "'../../a.patch'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_arm_ struct arm arm = { .name = NULL };
		struct err err = { .msg = "" };

		put(*state, "images/kernels/arms/bad.yaml", files[i].text);
		assert_int_equal(arm_load("bad", &arm, &err), -EINVAL);
		if (!strstr(err.msg, files[i].says))
			fail_msg("'%s' does not say '%s'", err.msg, files[i].says);
	}
}

static void test_unknown_arm_lists_the_known(void **state)
{
	_cleanup_arm_ struct arm arm = { .name = NULL };
	struct err err = { .msg = "" };

	put(*state, "images/kernels/arms/alpha.yaml", "description: x\n");
	put(*state, "images/kernels/arms/stock.yaml", "description: x\n");
	assert_int_equal(arm_load("beta", &arm, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "'beta'"));
	assert_non_null(strstr(err.msg, "stock, alpha"));
	assert_int_equal(arm_load("..", &arm, NULL), -ENOENT);
	assert_int_equal(arm_load("", &arm, NULL), -ENOENT);
}

static void test_saved_arm_comes_back(void **state)
{
	_cleanup_arm_ struct arm arm = { .name = NULL };
	_cleanup_arm_ struct arm again = { .name = NULL };

	put(*state, "images/kernels/arms/stock.yaml",
	    "description: \"say \\\"x\\\"\"\npatches: [/a b.patch]\nremoves: [host/kworker/f]\n");
	assert_int_equal(arm_load("stock", &arm, NULL), 0);
	assert_int_equal(arm_save(&arm, NULL), -EEXIST);
	free(arm.name);
	arm.name = strdup("mine");
	assert_int_equal(arm_save(&arm, NULL), 0);
	assert_int_equal(arm_load("mine", &again, NULL), 0);
	assert_string_equal(again.description, "say \"x\"");
	assert_string_equal(again.patches.item[0], "/a b.patch");
	assert_string_equal(again.removes.item[0], "host/kworker/f");
}

static void test_saved_arm_needs_a_name(void **state)
{
	struct arm arm = { .name = (char *)"../x", .description = (char *)"d", .changes = (char *)"c" };

	(void)state;
	assert_int_equal(arm_save(&arm, NULL), -EINVAL);
}

static void test_path_of_an_image_is_an_arm(void **state)
{
	const struct room *room = *state;
	_cleanup_free_ char *path = str_printf("%s/vmlinuz-6.1", room->dir);
	_cleanup_arm_ struct arm arm = { .name = NULL };
	_cleanup_arm_ struct arm missing = { .name = NULL };

	put(room, "vmlinuz-6.1", "x");
	assert_int_equal(arm_load(path, &arm, NULL), 0);
	assert_int_equal(arm.source, ARM_IMAGE);
	assert_string_equal(arm.name, "vmlinuz-6.1");
	assert_int_equal(arm_load("/no/such/image", &missing, NULL), -ENOENT);
}

static void test_debug_variant_is_the_arm_and_one_fragment_more(void **state)
{
	const struct room *room = *state;
	_cleanup_free_ char *path = str_printf("%s/vmlinuz-6.1+debug", room->dir);
	_cleanup_arm_ struct arm arm = { .name = NULL };
	_cleanup_arm_ struct arm image = { .name = NULL };
	_cleanup_arm_ struct arm unknown = { .name = NULL };
	struct err err = { "" };

	put(room, "images/kernels/arms/a.yaml", "description: d\nconfig: [CONFIG_A=y]\nremoves: host/kworker/f\n");
	assert_int_equal(arm_load("a+debug", &arm, NULL), 0);
	assert_string_equal(arm.name, "a+debug");
	assert_int_equal(arm.config.count, 2);
	assert_string_equal(arm.config.item[1], "debug.config");
	assert_string_equal(arm.removes.item[0], "host/kworker/f");
	assert_int_equal(arm_load("b+debug", &unknown, NULL), -ENOENT);
	put(room, "vmlinuz-6.1", "x");
	assert_int_equal(arm_load(path, &image, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "built elsewhere"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_load_fills_the_defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_load_reads_every_key, setup, teardown),
		cmocka_unit_test_setup_teardown(test_load_says_what_does_not_fit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_arm_lists_the_known, setup, teardown),
		cmocka_unit_test_setup_teardown(test_saved_arm_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_saved_arm_needs_a_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_path_of_an_image_is_an_arm, setup, teardown),
		cmocka_unit_test_setup_teardown(test_debug_variant_is_the_arm_and_one_fragment_more, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
