// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/fs.h"

struct place {
	char dir[64];  /* state */
	char file[96]; /* two settings */
	char other[96];
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->dir, "/tmp/vcpulat-test-XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	snprintf(p->file, sizeof(p->file), "%s/interval", p->dir);
	snprintf(p->other, sizeof(p->other), "%s/choice", p->dir);
	*state = p;
	return fs_write(p->file, "60\n", NULL) | fs_write(p->other, "always [madvise] never\n", NULL);
}

static int tear_down(void **state)
{
	struct place *p = *state;

	fs_remove_tree(p->dir, NULL);
	free(p);
	return 0;
}

static void assert_holds(const char *path, const char *want)
{
	_cleanup_free_ char *text = NULL;

	assert_int_equal(fs_read_line(path, &text, NULL), 0);
	assert_string_equal(text, want);
}

static void test_set_and_restore_in_reverse(void **state)
{
	struct place *p = *state;
	_cleanup_settings_ struct settings *s = NULL;
	struct err err = { "" };

	assert_int_equal(settings_open(p->dir, &s, &err), 0);
	assert_int_equal(settings_set(s, p->file, "1", &err), 0);
	assert_int_equal(settings_set(s, p->file, "2", &err), 0);
	assert_holds(p->file, "2");
	assert_int_equal(settings_restore(s, &err), 0);
	assert_holds(p->file, "60");
}

static void test_close_restores(void **state)
{
	struct place *p = *state;
	struct settings *s = NULL;
	size_t count;

	assert_int_equal(settings_open(p->dir, &s, NULL), 0);
	assert_int_equal(settings_set(s, p->other, "never", NULL), 0);
	settings_close(s);
	assert_holds(p->other, "madvise");
	assert_int_equal(settings_recover(p->dir, &count, NULL), 0);
	assert_int_equal(count, 0);
}

static void test_same_value_changes_nothing(void **state)
{
	struct place *p = *state;
	_cleanup_settings_ struct settings *s = NULL;

	assert_int_equal(settings_open(p->dir, &s, NULL), 0);
	assert_int_equal(settings_set(s, p->other, "madvise", NULL), 0);
	assert_holds(p->other, "always [madvise] never");
	assert_int_equal(settings_restore(s, NULL), 0);
	assert_holds(p->other, "always [madvise] never");
}

static void test_missing_file(void **state)
{
	struct place *p = *state;
	_cleanup_settings_ struct settings *s = NULL;
	struct err err = { "" };

	assert_int_equal(settings_open(p->dir, &s, NULL), 0);
	assert_int_equal(settings_set(s, "/nonexistent/file", "1", &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/nonexistent/file"));
}

static void test_second_run_is_refused(void **state)
{
	struct place *p = *state;
	_cleanup_settings_ struct settings *s = NULL;
	struct settings *second = NULL;
	struct err err = { "" };
	size_t count;

	assert_int_equal(settings_open(p->dir, &s, NULL), 0);
	assert_int_equal(settings_open(p->dir, &second, &err), -EBUSY);
	assert_null(second);
	assert_int_equal(settings_recover(p->dir, &count, &err), -EBUSY);
}

/* As after kill -9: the process is gone, the journal is not. */
static void change_and_die(const struct place *p, const char *file, const char *other)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct settings *s = NULL;

		if (settings_open(p->dir, &s, NULL) == 0 && settings_set(s, p->file, file, NULL) == 0 &&
		    settings_set(s, p->other, other, NULL) == 0)
			_exit(0);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_recover_after_a_kill(void **state)
{
	struct place *p = *state;
	struct settings *s = NULL;
	struct err err = { "" };
	size_t count = 0;

	change_and_die(p, "1", "never");
	assert_holds(p->file, "1");
	assert_int_equal(settings_open(p->dir, &s, &err), -EEXIST);
	assert_non_null(strstr(err.msg, "vcpulat recover"));
	assert_int_equal(settings_recover(p->dir, &count, &err), 0);
	assert_int_equal(count, 2);
	assert_holds(p->file, "60");
	assert_holds(p->other, "madvise");
	assert_int_equal(settings_open(p->dir, &s, &err), 0);
	settings_close(s);
}

/* Nothing was changed by the run itself, but something by what it measured. */
static void test_recover_what_others_changed(void **state)
{
	struct place *p = *state;
	size_t count = 0;

	change_and_die(p, "60", "madvise");
	assert_int_equal(fs_write(p->file, "7", NULL), 0);
	assert_int_equal(settings_recover(p->dir, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_holds(p->file, "60");
	assert_holds(p->other, "always [madvise] never");
}

static void test_recover_with_a_torn_journal(void **state)
{
	struct place *p = *state;
	_cleanup_free_ char *journal = str_printf("%s/journal", p->dir);
	_cleanup_free_ char *text = NULL;
	size_t count = 0;

	change_and_die(p, "1", "never");
	assert_int_equal(fs_read(journal, 4096, &text, NULL, NULL), 0);
	text[strlen(text) - 5] = '\0';
	assert_int_equal(fs_write(journal, text, NULL), 0);
	assert_int_equal(settings_recover(p->dir, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_holds(p->file, "60");
}

/* Two changes, of which one cannot be taken back: a directory stands there. */
static void fail_to_restore(const struct place *p, struct settings *s)
{
	assert_int_equal(settings_set(s, p->file, "1", NULL), 0);
	assert_int_equal(settings_set(s, p->other, "never", NULL), 0);
	assert_int_equal(unlink(p->other), 0);
	assert_int_equal(mkdir(p->other, 0700), 0);
}

static void let_restore(const struct place *p)
{
	assert_int_equal(rmdir(p->other), 0);
	assert_int_equal(fs_write(p->other, "never\n", NULL), 0);
}

static void test_one_that_cannot_be_restored(void **state)
{
	struct place *p = *state;
	_cleanup_settings_ struct settings *s = NULL;
	struct err err = { "" };

	assert_int_equal(settings_open(p->dir, &s, NULL), 0);
	fail_to_restore(p, s);
	assert_true(settings_restore(s, &err) < 0);
	assert_non_null(strstr(err.msg, "choice"));
	assert_holds(p->file, "60");
	let_restore(p);
	assert_int_equal(settings_restore(s, &err), 0);
	assert_holds(p->other, "madvise");
}

/* Its journal stays, and with it the way back. */
static void test_recover_what_a_run_could_not_restore(void **state)
{
	struct place *p = *state;
	struct settings *s = NULL;
	size_t count = 0;

	assert_int_equal(settings_open(p->dir, &s, NULL), 0);
	fail_to_restore(p, s);
	assert_true(settings_restore(s, NULL) < 0);
	settings_close(s);
	s = NULL;
	assert_int_equal(settings_open(p->dir, &s, NULL), -EEXIST);
	assert_true(settings_recover(p->dir, &count, NULL) < 0);
	let_restore(p);
	assert_int_equal(settings_recover(p->dir, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_holds(p->file, "60");
	assert_holds(p->other, "madvise");
	assert_int_equal(settings_open(p->dir, &s, NULL), 0);
	settings_close(s);
}

static void test_chosen(void **state)
{
	char bracket[] = "always madvise [never]";
	char plain[] = "60";
	char open[] = "a [b";

	(void)state;
	assert_string_equal(settings_chosen(bracket), "never");
	assert_string_equal(settings_chosen(plain), "60");
	assert_string_equal(settings_chosen(open), "a [b");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_set_and_restore_in_reverse),	TEST(test_close_restores),
		TEST(test_same_value_changes_nothing),	TEST(test_missing_file),
		TEST(test_second_run_is_refused),	TEST(test_recover_after_a_kill),
		TEST(test_recover_with_a_torn_journal), TEST(test_recover_what_others_changed),
		TEST(test_one_that_cannot_be_restored), TEST(test_recover_what_a_run_could_not_restore),
		cmocka_unit_test(test_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
