// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fs.h"

/* Every test works in a new directory that is also its working directory. */
static int enter_new_dir(void **state)
{
	char *dir = strdup("/tmp/vcpulat-test-XXXXXX");

	*state = dir;
	alarm(30); /* nothing here may hang */
	return !mkdtemp(dir) || chdir(dir) < 0;
}

static int leave_dir(void **state)
{
	_cleanup_free_ char *dir = *state;

	return chdir("/") < 0 || fs_remove_tree(dir, NULL) < 0;
}

static size_t count_entries(const char *path)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	return count - 2;
}

static void assert_content(const char *path, const char *want)
{
	_cleanup_free_ char *text = NULL;

	assert_int_equal(fs_read(path, 1 << 20, &text, NULL, NULL), 0);
	assert_string_equal(text, want);
}

static void read_gives_the_whole_file(void **state)
{
	_cleanup_free_ char *data = NULL;
	_cleanup_free_ char *big = malloc(300001);
	_cleanup_free_ char *again = NULL;
	size_t len;

	(void)state;
	assert_int_equal(fs_write_atomic("nul", "a\0b", 3, NULL), 0);
	assert_int_equal(fs_read("nul", 3, &data, &len, NULL), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(data, "a\0b", 4);

	memset(big, 'x', 300000);
	big[300000] = '\0';
	assert_int_equal(fs_write("big", big, NULL), 0);
	assert_int_equal(fs_read("big", 300000, &again, &len, NULL), 0);
	assert_int_equal(len, 300000);
	assert_string_equal(again, big);
}

static void read_stops_at_the_limit(void **state)
{
	struct err err = { "" };
	char *data = NULL;

	(void)state;
	assert_int_equal(fs_write("four", "1234", NULL), 0);
	assert_int_equal(fs_read("four", 3, &data, NULL, &err), -EFBIG);
	assert_string_equal(err.msg, "cannot read 'four': larger than 3 bytes");
	assert_null(data);
	/* No size is known beforehand here. */
	assert_int_equal(fs_read("/proc/self/status", 100, &data, NULL, NULL), -EFBIG);
	assert_null(data);
}

static void read_takes_files_without_size(void **state)
{
	_cleanup_free_ char *data = NULL;
	_cleanup_free_ char *empty = NULL;
	size_t len = 9;

	(void)state;
	assert_int_equal(fs_read("/proc/self/status", 1 << 20, &data, NULL, NULL), 0);
	assert_non_null(strstr(data, "\nPid:"));
	assert_int_equal(fs_write("empty", "", NULL), 0);
	assert_int_equal(fs_read("empty", 0, &empty, &len, NULL), 0);
	assert_int_equal(len, 0);
	assert_string_equal(empty, "");
}

static void read_refuses_all_but_regular_files(void **state)
{
	static const struct {
		const char *path;
		int ret;
		const char *msg;
	} cases[] = {
		{ "missing", -ENOENT, "cannot open 'missing': No such file or directory" },
		{ ".", -EISDIR, "cannot read '.': Is a directory" },
		{ "fifo", -EINVAL, "cannot read 'fifo': not a regular file" },
		{ "/dev/zero", -EINVAL, "cannot read '/dev/zero': not a regular file" },
		{ "loop", -ELOOP, "cannot open 'loop': Too many levels of symbolic links" },
	};

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(symlink("loop", "loop"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = { "" };
		char *data = NULL;

		assert_int_equal(fs_read(cases[i].path, 100, &data, NULL, &err), cases[i].ret);
		assert_string_equal(err.msg, cases[i].msg);
		assert_null(data);
	}
}

static void read_line_cuts_white_space(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" }, { "\n", "" }, { "a\n", "a" }, { " a b \t\r\n\n", " a b" }, { "a\nb\n", "a\nb" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *line = NULL;

		assert_int_equal(fs_write("f", cases[i][0], NULL), 0);
		assert_int_equal(fs_read_line("f", &line, NULL), 0);
		assert_string_equal(line, cases[i][1]);
	}
}

static void write_replaces_all(void **state)
{
	struct err err = { "" };

	(void)state;
	assert_int_equal(fs_write("f", "long text", NULL), 0);
	assert_int_equal(fs_write("f", "x", NULL), 0);
	assert_content("f", "x");
	assert_int_equal(fs_write("no/f", "x", &err), -ENOENT);
	assert_string_equal(err.msg, "cannot open 'no/f' for writing: No such file or directory");
	assert_int_equal(fs_write("/dev/full", "value", &err), -ENOSPC);
	assert_string_equal(err.msg, "cannot write 'value' to '/dev/full': No space left on device");
}

static void atomic_write_leaves_old_or_new(void **state)
{
	struct err err = { "" };
	struct rlimit old;
	struct rlimit small;
	char data[4096] = "";

	(void)state;
	assert_int_equal(fs_write_atomic("f", "old", 3, NULL), 0);
	assert_int_equal(fs_write_atomic("f", "new", 3, NULL), 0);
	assert_content("f", "new");

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ .rlim_cur = 100, .rlim_max = old.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(fs_write_atomic("f", data, sizeof(data), &err), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_string_equal(err.msg, "cannot write 'f': File too large");
	assert_content("f", "new");

	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(fs_write_atomic("d", "x", 1, &err), -EISDIR);
	assert_int_equal(count_entries("."), 2); /* no draft is left */
	assert_int_equal(fs_write_atomic("no/f", "x", 1, &err), -ENOENT);
}

static void mkdirs_makes_parents(void **state)
{
	static const struct {
		const char *path;
		int ret;
	} cases[] = {
		{ "a/b/c", 0 },	     { "a/b/c", 0 },	{ "a//b/d/", 0 }, { "./e", 0 },	   { "/", 0 },
		{ "f/g", -ENOTDIR }, { "f", -ENOTDIR }, { "", -ENOENT },  { "e/../h", 0 },
	};
	struct err err = { "" };

	(void)state;
	assert_int_equal(fs_write("f", "", NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(fs_mkdirs(cases[i].path, NULL), cases[i].ret);
	assert_true(fs_exists("a/b/c") && fs_exists("a/b/d") && fs_exists("e") && fs_exists("h"));
	fs_mkdirs("f/g", &err);
	assert_string_equal(err.msg, "cannot create directory 'f': Not a directory");
}

static void copy_keeps_content_and_permissions(void **state)
{
	struct err err = { "" };
	struct stat st;

	(void)state;
	assert_int_equal(fs_write("from", "text", NULL), 0);
	assert_int_equal(fs_write("to", "longer text", NULL), 0);
	assert_int_equal(chmod("from", 0750), 0);
	assert_int_equal(fs_copy("from", "to", NULL), 0);
	assert_content("to", "text");
	assert_int_equal(stat("to", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(fs_copy("from", "from", NULL), 0);
	assert_content("from", "text");
	assert_int_equal(fs_copy(".", "to", &err), -EISDIR);
	assert_int_equal(fs_copy("missing", "to", &err), -ENOENT);
	assert_string_equal(err.msg, "cannot open 'missing': No such file or directory");
	assert_content("to", "text");
	assert_int_equal(count_entries("."), 2);
}

static void append_puts_content_at_the_end(void **state)
{
	struct err err = { "" };

	(void)state;
	assert_int_equal(fs_write("from", "second", NULL), 0);
	assert_int_equal(fs_write("to", "first ", NULL), 0);
	assert_int_equal(fs_append("from", "to", NULL), 0);
	assert_content("to", "first second");
	assert_int_equal(fs_append("missing", "to", &err), -ENOENT);
	assert_int_equal(fs_append("from", "missing", &err), -ENOENT);
	assert_string_equal(err.msg, "cannot append to 'missing': No such file or directory");
	assert_content("to", "first second");
}

static void remove_tree_takes_all_but_what_links_lead_to(void **state)
{
	(void)state;
	assert_int_equal(fs_mkdirs("outside", NULL), 0);
	assert_int_equal(fs_write("outside/kept", "x", NULL), 0);
	assert_int_equal(fs_mkdirs("t/a/b", NULL), 0);
	assert_int_equal(fs_write("t/a/b/f", "x", NULL), 0);
	assert_int_equal(chmod("t/a/b/f", 0), 0);
	assert_int_equal(symlink("../outside", "t/link"), 0);
	assert_int_equal(symlink("/nowhere", "t/dangling"), 0);
	assert_int_equal(mkfifo("t/fifo", 0600), 0);
	assert_int_equal(fs_remove_tree("t", NULL), 0);
	assert_false(fs_exists("t"));
	assert_content("outside/kept", "x");
	assert_int_equal(fs_remove_tree("t", NULL), 0); /* may be missing */
}

static void remove_tree_refuses_links_and_files(void **state)
{
	struct err err = { "" };

	(void)state;
	assert_int_equal(fs_mkdirs("d", NULL), 0);
	assert_int_equal(fs_write("d/f", "x", NULL), 0);
	assert_int_equal(symlink("d", "link"), 0);
	assert_int_equal(fs_remove_tree("link", &err), -ENOTDIR);
	assert_string_equal(err.msg, "cannot remove 'link': Not a directory");
	assert_int_equal(fs_remove_tree("d/f", &err), -ENOTDIR);
	assert_true(fs_exists("d/f"));
}

static void remove_tree_gives_up_on_a_bottomless_tree(void **state)
{
	struct rlimit old;
	struct rlimit few;

	(void)state;
	for (int i = 0; i < 60; i++)
		assert_int_equal(mkdir("d", 0700) < 0 || chdir("d") < 0, 0);
	assert_int_equal(chdir(*state), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = (struct rlimit){ .rlim_cur = 40, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(fs_remove_tree("d", NULL), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(fs_remove_tree("d", NULL), 0);
}

/* In a child, which leaves its mounts behind when it exits. Returns -1 where mounting is not allowed. */
static int remove_around_a_mount(void)
{
	_cleanup_free_ char *map = str_printf("0 %d 1", (int)getuid());
	_cleanup_free_ char *text = NULL;
	struct err err = { "" };

	if (unshare(CLONE_NEWNS) < 0 &&
	    (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || !map || fs_write("/proc/self/uid_map", map, NULL) < 0))
		return -1;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("kept", "t/m", NULL, MS_BIND, NULL) < 0)
		return -1;
	if (fs_remove_tree("t/m", NULL) != -EXDEV || fs_remove_tree("t", &err) != -EXDEV)
		return 1;
	if (strcmp(err.msg, "cannot remove 't': something is mounted on it or below it"))
		return 2;
	return fs_read("t/m/file", 1, &text, NULL, NULL) < 0 ? 3 : 0;
}

static void remove_tree_does_not_cross_mounts(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(fs_mkdirs("t/m", NULL), 0);
	assert_int_equal(fs_mkdirs("kept", NULL), 0);
	assert_int_equal(fs_write("kept/file", "x", NULL), 0);
	pid = fork();
	if (pid == 0)
		_exit(remove_around_a_mount() & 0xff);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0xff)
		skip();
	assert_int_equal(status, 0);
}

static void exists_follows_links(void **state)
{
	(void)state;
	assert_true(fs_exists("."));
	assert_false(fs_exists("missing"));
	assert_int_equal(symlink("missing", "link"), 0);
	assert_false(fs_exists("link"));
}

static void sha256_is_that_of_the_standard(void **state)
{
	struct err err = { "" };
	char hex[65];

	(void)state;
	assert_int_equal(fs_write("abc", "abc", NULL), 0);
	assert_int_equal(fs_sha256("abc", hex, NULL), 0);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(fs_write("empty", "", NULL), 0);
	assert_int_equal(fs_sha256("empty", hex, NULL), 0);
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_int_equal(fs_sha256("missing", hex, &err), -ENOENT);
	assert_string_equal(err.msg, "cannot open 'missing': No such file or directory");
	assert_int_equal(fs_sha256(".", hex, &err), -EINVAL);
	assert_string_equal(err.msg, "cannot hash '.': not a regular file");
}

static void printf_gives_a_string(void **state)
{
	_cleanup_free_ char *text = str_printf("%s-%d", "a", 5);

	(void)state;
	assert_string_equal(text, "a-5");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter_new_dir, leave_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(read_gives_the_whole_file),
		TEST(read_stops_at_the_limit),
		TEST(read_takes_files_without_size),
		TEST(read_refuses_all_but_regular_files),
		TEST(read_line_cuts_white_space),
		TEST(write_replaces_all),
		TEST(atomic_write_leaves_old_or_new),
		TEST(mkdirs_makes_parents),
		TEST(append_puts_content_at_the_end),
		TEST(copy_keeps_content_and_permissions),
		TEST(remove_tree_takes_all_but_what_links_lead_to),
		TEST(remove_tree_refuses_links_and_files),
		TEST(remove_tree_gives_up_on_a_bottomless_tree),
		TEST(remove_tree_does_not_cross_mounts),
		TEST(exists_follows_links),
		TEST(sha256_is_that_of_the_standard),
		TEST(printf_gives_a_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
