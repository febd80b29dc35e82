// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel builder's pure parts: the key, options that did not take effect, make's output, names in patches. */
#include "host/kernel/kernel_p.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/fs.h"

/* Two patches, so that their order can be wrong. */
struct sample {
	struct kernel_patch patches[2];
	struct kernel_inputs inputs;
};

static void sample_init(struct sample *s)
{
	s->patches[0] = (struct kernel_patch){ .path = (char *)"/a", .text = (char *)"one", .text_bytes = 3 };
	s->patches[1] = (struct kernel_patch){ .path = (char *)"/b", .text = (char *)"two", .text_bytes = 3 };
	s->inputs = (struct kernel_inputs){ .source = ARM_TARBALL,
					    .source_path = (char *)"/linux.tar",
					    .source_id = "11",
					    .toolchain = (char *)"gcc 12\nld 2\n",
					    .fragment = (char *)"CONFIG_A=y\n",
					    .patches = s->patches,
					    .patch_count = 2 };
	assert_int_equal(kernel_inputs_hash(&s->inputs), 0);
}

static bool key_differs(const struct sample *a, struct sample *b)
{
	assert_int_equal(kernel_inputs_hash(&b->inputs), 0);
	return strcmp(a->inputs.key, b->inputs.key) != 0;
}

static bool tree_differs(const struct sample *a, struct sample *b)
{
	assert_int_equal(kernel_inputs_hash(&b->inputs), 0);
	return strcmp(a->inputs.tree_key, b->inputs.tree_key) != 0;
}

static void test_same_inputs_give_the_same_key(void **state)
{
	struct sample a;
	struct sample b;

	(void)state;
	sample_init(&a);
	sample_init(&b);
	assert_int_equal(strlen(a.inputs.key), 64);
	assert_false(key_differs(&a, &b));
	b.patches[0].path = (char *)"/elsewhere/a"; /* what counts is what is in it */
	b.inputs.source_path = (char *)"/elsewhere/linux.tar";
	assert_false(key_differs(&a, &b));
}

static void test_every_input_changes_the_key(void **state)
{
	struct sample a;
	struct sample b;

	(void)state;
	sample_init(&a);
	sample_init(&b);
	strcpy(b.inputs.source_id, "12");
	assert_true(key_differs(&a, &b));
	assert_true(tree_differs(&a, &b));
	sample_init(&b);
	b.inputs.toolchain = (char *)"gcc 13\nld 2\n";
	assert_true(key_differs(&a, &b));
	assert_true(tree_differs(&a, &b));
	sample_init(&b);
	b.inputs.fragment = (char *)"CONFIG_A=n\n";
	assert_true(key_differs(&a, &b));
	assert_true(tree_differs(&a, &b));
	sample_init(&b);
	b.patches[1].text = (char *)"tow";
	assert_true(key_differs(&a, &b));
	assert_false(tree_differs(&a, &b));
}

static void test_patches_count_in_their_order(void **state)
{
	struct sample a;
	struct sample b;

	(void)state;
	sample_init(&a);
	sample_init(&b);
	b.patches[0] = a.patches[1];
	b.patches[1] = a.patches[0];
	assert_true(key_differs(&a, &b));
	sample_init(&b);
	b.inputs.patch_count = 1;
	assert_true(key_differs(&a, &b));
	sample_init(&b);
	b.patches[0] = (struct kernel_patch){ .text = (char *)"onetw", .text_bytes = 5 };
	b.patches[1] = (struct kernel_patch){ .text = (char *)"o", .text_bytes = 1 };
	assert_true(key_differs(&a, &b));
}

static void test_commits_of_one_git_tree_share_a_work_tree(void **state)
{
	struct sample a;
	struct sample b;

	(void)state;
	sample_init(&a);
	a.inputs.source = ARM_TREE;
	assert_int_equal(kernel_inputs_hash(&a.inputs), 0);
	sample_init(&b);
	b.inputs.source = ARM_TREE;
	strcpy(b.inputs.source_id, "12");
	assert_true(key_differs(&a, &b));
	assert_false(tree_differs(&a, &b));
	b.inputs.source_path = (char *)"/other";
	assert_true(tree_differs(&a, &b));
}

struct config_case {
	const char *fragment;
	const char *config;
	const char *missing;
};

static void test_options_that_did_not_take_effect_are_named(void **state)
{
	static const struct config_case cases[] = {
		{ "", "", "" },
		{ "# a comment\nCONFIG_A=y\n\n", "CONFIG_A=y\n", "" },
		{ "CONFIG_A=y\n", "# CONFIG_A is not set\n", "CONFIG_A=y" },
		{ "CONFIG_A=y\nCONFIG_B=64\n", "CONFIG_B=8\n", "CONFIG_A=y, CONFIG_B=64" },
		{ "CONFIG_A=y\n", "CONFIG_AB=y\n", "CONFIG_A=y" },
		{ "CONFIG_AB=y\n", "CONFIG_A=y\nCONFIG_AB=y\n", "" },
		{ "CONFIG_A=y\n# CONFIG_A is not set\n", "", "" },
		{ "# CONFIG_A is not set\n", "CONFIG_A=y\n", "# CONFIG_A is not set" },
		{ "CONFIG_A=n\n", "# CONFIG_A is not set\n", "" },
		{ "CONFIG_A=n\n", "CONFIG_A=m\n", "CONFIG_A=n" },
		{ "CONFIG_A=\"x y\"\n", "CONFIG_A=\"x y\"\n", "" },
		{ "CONFIG_A=y", "CONFIG_A=y", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *missing = NULL;
		int n = kernel_config_missing(cases[i].fragment, cases[i].config, &missing);

		assert_true(n >= 0);
		assert_string_equal(missing, cases[i].missing);
		assert_int_equal(n == 0, !*missing);
	}
}

static void test_progress_counts_made_files(void **state)
{
	static const char *const made[] = { "  CC      mm/vmstat.o", "  CC [M]  fs/x.o", "  AR      mm/built-in.a",
					    "  SYSTBL  arch/x86/include/generated/asm/syscalls_64.h",
					    "  OBJCOPY arch/x86/boot/setup.bin" };
	static const char *const not_made[] = {
		"",
		"  ",
		"#",
		"make[1]: Nothing to be done",
		"Kernel: arch/x86/boot/bzImage is ready  (#1)",
		"mm/vmstat.c:1:1: warning: x",
		"   CC x",
		"  x y",
		"  A b",
	};
	struct kernel_progress progress = { .done = 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(made); i++)
		assert_true(kernel_progress_line(&progress, made[i]));
	for (size_t i = 0; i < ARRAY_SIZE(not_made); i++)
		assert_false(kernel_progress_line(&progress, not_made[i]));
	assert_int_equal(progress.done, ARRAY_SIZE(made));
	assert_string_equal(progress.error, "");
}

static void test_progress_keeps_the_first_error(void **state)
{
	struct kernel_progress progress = { .done = 0 };

	(void)state;
	kernel_progress_line(&progress, "mm/vmstat.c:9:1: error: expected ';'");
	kernel_progress_line(&progress, "make[2]: *** [scripts/Makefile.build:250: mm/vmstat.o] Error 1");
	assert_string_equal(progress.error, "mm/vmstat.c:9:1: error: expected ';'");
}

struct patch_case {
	const char *text;
	int result;
	const char *files; /* joined by spaces */
};

static void test_patch_names_its_files(void **state)
{
	static const struct patch_case cases[] = {
		{ "head\n--- a/mm/x.c\n+++ b/mm/x.c\n@@ -1 +1 @@\n-a\n+b\n", 0, "mm/x.c" },
		{ "--- a/x\t2022-01-01\n+++ b/x\t2022-01-02\n@@\n--- a/y\n+++ b/z\n", 0, "x y z" },
		{ "--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+x\n", 0, "new" },
		{ "--- a/old\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n", 0, "old" },
		{ "diff --git a/x b/y\nrename from x\nrename to y\n", 0, "x y" },
		{ "--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n--- no file\n-y\n", 0, "x" },
		{ "--- a/../../x\n+++ b/x\n", -EINVAL, "" },
		{ "--- a//etc/passwd\n+++ b//etc/passwd\n", -EINVAL, "" },
		{ "--- x\n+++ x\n", -EINVAL, "" },
		{ "no patch at all\n", -EINVAL, "" },
		{ "", -EINVAL, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_json_ json_t *files = json_array();
		char joined[256] = "";
		const json_t *file;
		size_t n;

		assert_int_equal(kernel_patch_files(cases[i].text, files, NULL), cases[i].result);
		if (cases[i].result < 0)
			continue;
		json_array_foreach (files, n, file)
			snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined), "%s%s", n ? " " : "",
				 json_string_value(file));
		assert_string_equal(joined, cases[i].files);
	}
}

static void test_release_is_read_from_an_image(void **state)
{
	char path[] = "/tmp/test_kernel.XXXXXX";
	_cleanup_close_ int fd = mkstemp(path);
	_cleanup_free_ char *release = NULL;
	char image[0x230] = "";

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(kernel_image_release(path, &release, NULL), -EINVAL);
	memcpy(image + 0x202, "HdrS", 4);
	image[0x20e] = 0x10;
	strcpy(image + 0x210, "6.1.0-9-amd64 (x@y) #1");
	assert_int_equal(fs_write_atomic(path, image, sizeof(image), NULL), 0);
	assert_int_equal(kernel_image_release(path, &release, NULL), 0);
	assert_string_equal(release, "6.1.0-9-amd64");
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_inputs_give_the_same_key),
		cmocka_unit_test(test_every_input_changes_the_key),
		cmocka_unit_test(test_patches_count_in_their_order),
		cmocka_unit_test(test_commits_of_one_git_tree_share_a_work_tree),
		cmocka_unit_test(test_options_that_did_not_take_effect_are_named),
		cmocka_unit_test(test_progress_counts_made_files),
		cmocka_unit_test(test_progress_keeps_the_first_error),
		cmocka_unit_test(test_patch_names_its_files),
		cmocka_unit_test(test_release_is_read_from_an_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
