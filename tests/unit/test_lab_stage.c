// SPDX-License-Identifier: GPL-2.0-or-later
/* What goes into an emulated host and what is believed of what comes out; QEMU's monitor. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/stop.h"
#include "host/lab/qmp.h"
#include "host/lab/stage.h"

static char dir[] = "/tmp/test-lab-stage-XXXXXX";
static char out[sizeof(dir) + 4];

static void put(const char *name, const char *text)
{
	_cleanup_free_ char *path = str_printf("%s/%s", dir, name);

	assert_int_equal(fs_mkdirs_for(path, NULL), 0);
	assert_int_equal(fs_write_atomic(path, text, strlen(text), NULL), 0);
}

static bool there(const char *below, const char *name)
{
	_cleanup_free_ char *path = str_printf("%s/%s", below, name);

	return fs_exists(path);
}

static int setup(void **state)
{
	_cleanup_free_ char *cache = NULL;

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	cache = str_printf("%s/cache", dir);
	snprintf(out, sizeof(out), "%s/out", dir);
	setenv("VCPULAT_DATA", dir, 1);
	setenv("XDG_CACHE_HOME", cache, 1);
	put("build/vcpulat-agent", "agent");
	put("build/guest.cpio.gz", "guest");
	put("build/lab.cpio.gz", "lab");
	put("scenarios/one.yaml", "one");
	put("scenarios/profiles/p.yaml", "p");
	put("guest/domain.xml.in", "xml");
	put("bzImage", "kernel");
	return fs_mkdirs(out, NULL);
}

static int teardown(void **state)
{
	(void)state;
	return fs_remove_tree(dir, NULL);
}

static int make(struct lab_stage *s)
{
	_cleanup_free_ char *bzimage = str_printf("%s/bzImage", dir);
	struct kernel_entry kernel = { .bzimage = bzimage };

	return lab_stage_init(s, out, &kernel, "0123456789abcdef0123", NULL);
}

static void test_content(void **state)
{
	_cleanup_lab_stage_ struct lab_stage s = { .dir = NULL };

	(void)state;
	assert_int_equal(make(&s), 0);
	assert_true(there(s.dir, "in/vcpulat"));
	assert_true(there(s.dir, "in/vcpulat-agent"));
	assert_true(there(s.dir, "in/guest.cpio.gz"));
	assert_true(there(s.dir, "in/guest.bzImage"));
	assert_true(there(s.dir, "in/scenarios/profiles/p.yaml"));
	assert_int_equal(lab_stage_text(&s, "in/given/x.yaml", "x", NULL), 0);
	assert_true(there(s.dir, "in/given/x.yaml"));
}

/* Two archives, one after the other, are one initramfs. */
static void test_modules_are_appended(void **state)
{
	_cleanup_free_ char *bzimage = str_printf("%s/bzImage", dir);
	_cleanup_free_ char *modules = str_printf("%s/modules", dir);
	struct kernel_entry kernel = { .bzimage = bzimage, .modules = modules };
	_cleanup_lab_stage_ struct lab_stage s = { .dir = NULL };
	_cleanup_free_ char *host = NULL;
	_cleanup_free_ char *guest = NULL;
	_cleanup_free_ char *text = NULL;

	(void)state;
	put("modules", "+modules");
	assert_int_equal(lab_stage_init(&s, out, &kernel, "0", NULL), 0);
	guest = str_printf("%s/in/guest.cpio.gz", s.dir);
	assert_int_equal(fs_read_line(guest, &text, NULL), 0);
	assert_string_equal(text, "guest+modules");
	host = lab_stage_initramfs(&s, &kernel, NULL);
	assert_non_null(host);
	free(TAKE_PTR(text));
	assert_int_equal(fs_read_line(host, &text, NULL), 0);
	assert_string_equal(text, "lab+modules");
}

static void test_nothing_is_left_unless_kept(void **state)
{
	(void)state;
	for (int keep = 0; keep <= 1; keep++) {
		_cleanup_free_ char *path = NULL;
		struct lab_stage s;

		assert_int_equal(make(&s), 0);
		path = strdup(s.dir);
		if (keep)
			lab_stage_keep(&s);
		lab_stage_done(&s);
		assert_int_equal(fs_exists(path), keep);
		lab_stage_done(&s);
	}
}

struct owner {
	pid_t pid;
	char stage[PATH_MAX];
};

static _Noreturn void own(const char *parent, bool keep, int tell_fd)
{
	struct lab_stage s;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (lab_stage_init(&s, parent, NULL, "0", NULL) == 0 && keep)
		lab_stage_keep(&s);
	if (!s.dir || write(tell_fd, s.dir, strlen(s.dir) + 1) < 0)
		_exit(1);
	for (;;)
		pause();
}

static void start_owner(struct owner *owner, const char *parent, bool keep)
{
	int fds[2];

	assert_int_equal(fs_mkdirs(parent, NULL), 0);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	owner->pid = fork();
	if (owner->pid == 0)
		own(parent, keep, fds[1]);
	close(fds[1]);
	assert_true(read(fds[0], owner->stage, sizeof(owner->stage)) > 0);
	close(fds[0]);
	assert_true(fs_exists(owner->stage));
}

static void kill_owner(const struct owner *owner)
{
	kill(owner->pid, SIGKILL);
	assert_int_equal(waitpid(owner->pid, NULL, 0), owner->pid);
}

/* While its owner lives, or where it was to be kept, nobody else does. */
static void test_killed_owners_are_cleaned_up_after(void **state)
{
	_cleanup_free_ char *beside = str_printf("%s/vcpulat-1", dir);
	_cleanup_lab_stage_ struct lab_stage first = { .dir = NULL };
	_cleanup_lab_stage_ struct lab_stage second = { .dir = NULL };
	struct owner here;
	struct owner kept;
	struct owner there;

	(void)state;
	start_owner(&here, out, false);
	start_owner(&kept, out, true);
	start_owner(&there, beside, false);
	kill_owner(&kept);
	kill_owner(&there);
	assert_int_equal(make(&first), 0);
	assert_false(fs_exists(there.stage));
	assert_true(fs_exists(here.stage));
	assert_true(fs_exists(kept.stage));
	kill_owner(&here);
	assert_int_equal(make(&second), 0);
	assert_false(fs_exists(here.stage));
	assert_true(fs_exists(first.dir));
}

static void test_missing_file_is_named(void **state)
{
	_cleanup_lab_stage_ struct lab_stage s = { .dir = NULL };
	char missing[] = "/no/such/kernel";
	struct kernel_entry kernel = { .bzimage = missing };
	struct err err = { "" };

	(void)state;
	assert_int_equal(lab_stage_init(&s, out, &kernel, "0", &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/no/such/kernel"));
}

static void test_exit_code(void **state)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = { { "0\n", 0 },	   { "77\n", 77 },     { "", -ENODATA },   { "x", -ENODATA },
		      { "256", -ENODATA }, { "-1", -ENODATA }, { "1 2", -ENODATA } };
	_cleanup_lab_stage_ struct lab_stage s = { .dir = NULL };

	(void)state;
	assert_int_equal(make(&s), 0);
	assert_int_equal(lab_stage_exit_code(&s), -ENODATA);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(lab_stage_text(&s, "exit", cases[i].text, NULL), 0);
		assert_int_equal(lab_stage_exit_code(&s), cases[i].code);
	}
}

static void test_cache_is_kept(void **state)
{
	_cleanup_lab_stage_ struct lab_stage first = { .dir = NULL };
	_cleanup_lab_stage_ struct lab_stage second = { .dir = NULL };

	(void)state;
	assert_int_equal(make(&first), 0);
	if (!first.cache_dir) /* no libvirt here, nothing to remember */
		skip();
	assert_int_equal(lab_stage_text(&first, "libvirt-cache/qemu/a.xml", "old", NULL), 0);
	lab_stage_keep_cache(&first);
	assert_int_equal(lab_stage_text(&first, "libvirt-cache/qemu/b.xml", "new", NULL), 0);
	lab_stage_keep_cache(&first);
	assert_int_equal(make(&second), 0);
	assert_true(there(second.dir, "in/libvirt-cache/qemu/a.xml"));
	assert_true(there(second.dir, "in/libvirt-cache/qemu/b.xml"));
}

static void test_monitor(void **state)
{
	static const char answers[] = "{\"QMP\": {}}\r\n{\"return\": {}}\r\n{\"event\": \"RESUME\"}\r\n"
				      "{\"return\": \"CPU#0\\r\\nRIP=1\\r\\n\", \"id\": \"info registers\"}\r\n";
	_cleanup_free_ char *path = str_printf("%s/cpus.txt", dir);
	_cleanup_free_ char *text = NULL;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(write(fds[1], answers, sizeof(answers) - 1), sizeof(answers) - 1);
	assert_int_equal(lab_qmp_monitor(fds[0], "info registers", path, NULL), 0);
	assert_int_equal(fs_read(path, 4096, &text, NULL, NULL), 0);
	assert_non_null(strstr(text, "RIP=1"));
	close(fds[1]);
	assert_int_equal(lab_qmp_monitor(fds[0], "info registers", path, NULL), -EPIPE);
	assert_int_equal(lab_qmp_quit(fds[0]), -EPIPE);
	close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_modules_are_appended),
		cmocka_unit_test(test_nothing_is_left_unless_kept),
		cmocka_unit_test(test_missing_file_is_named),
		cmocka_unit_test(test_exit_code),
		cmocka_unit_test(test_cache_is_kept),
		cmocka_unit_test(test_monitor),
		cmocka_unit_test(test_killed_owners_are_cleaned_up_after),
	};

	if (stop_install() < 0)
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
