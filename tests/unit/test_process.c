// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/process.h"
#include "common/stop.h"

#define SHELL(script) ((char *const[]){ (char *)"sh", (char *)"-c", (char *)(script), NULL })

struct lines {
	char text[8192];
	size_t count;
	pid_t pid;	/* when the first line is a number */
	int stop_after; /* ask ourselves to stop at this many lines; 0: never */
};

static void take_line(void *ctx, const char *line)
{
	struct lines *lines = ctx;
	size_t len = strlen(lines->text);

	snprintf(lines->text + len, sizeof(lines->text) - len, "%s|", line);
	if (!lines->count++)
		lines->pid = (pid_t)strtol(line, NULL, 10);
	if (lines->stop_after && lines->count >= (size_t)lines->stop_after)
		raise(SIGTERM);
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void run_tells_how_the_child_ended(void **state)
{
	static const struct {
		const char *script;
		int ret;
		const char *msg;
	} cases[] = {
		{ "exit 0", 0, "" },
		{ "exit 3", -ECHILD, "'sh' exited with 3" },
		{ "echo one; echo two >&2; exit 1", -ECHILD, "'sh' exited with 1\none\ntwo" },
		{ "printf unfinished; exit 1", -ECHILD, "'sh' exited with 1\nunfinished" },
		{ "kill -9 $$", -ECHILD, "'sh' was ended by signal 9" },
		{ "read x && exit 5; exit 0", 0, "" }, /* stdin is empty */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = { "" };

		assert_int_equal(process_run(SHELL(cases[i].script), NULL, &err), cases[i].ret);
		assert_string_equal(err.msg, cases[i].msg);
	}
}

static void missing_program_is_named(void **state)
{
	char *const argv[] = { (char *)"no-such-program-here", NULL };
	struct err err = { "" };

	(void)state;
	assert_int_equal(process_run(argv, NULL, &err), -ECHILD);
	assert_string_equal(err.msg, "'no-such-program-here' exited with 127\n"
				     "no-such-program-here: No such file or directory");
}

static void missing_directory_is_named(void **state)
{
	struct process_options options = { .dir = "/nonexistent" };
	struct err err = { "" };

	(void)state;
	assert_int_equal(process_run(SHELL("exit 0"), &options, &err), -ECHILD);
	assert_string_equal(err.msg, "'sh' exited with 127\n/nonexistent: sh: No such file or directory");
}

static void each_line_is_handed_over(void **state)
{
	struct lines lines = { .count = 0 };
	struct process_options options = { .on_line = take_line, .ctx = &lines };

	(void)state;
	assert_int_equal(process_run(SHELL("echo a; echo; echo b c >&2; printf last"), &options, NULL), 0);
	assert_string_equal(lines.text, "a||b c|last|");
}

static void long_output_keeps_its_last_lines(void **state)
{
	/* Lines of 200 to 300 characters: the message holds less than two of them. */
	static const char script[] =
		"for i in 200 255 256 257 300 255 255; do printf \"%0${i}d\\n\" $i; done; echo end; exit 1";
	struct err err = { "" };

	(void)state;
	assert_int_equal(process_run(SHELL(script), NULL, &err), -ECHILD);
	assert_non_null(strstr(err.msg, "255\nend"));
	assert_string_equal(err.msg + strlen(err.msg) - 4, "\nend");
	assert_true(strlen(err.msg) > 255 && strlen(err.msg) < 600);
}

static void endless_line_is_cut_in_pieces(void **state)
{
	struct lines lines = { .count = 0 };
	struct process_options options = { .on_line = take_line, .ctx = &lines };

	(void)state;
	assert_int_equal(process_run(SHELL("printf %05000d 7"), &options, NULL), 0);
	assert_int_equal(lines.count, 2);
	assert_int_equal(strlen(lines.text), 5000 + 2);
}

static void options_reach_the_child(void **state)
{
	char path[] = "/tmp/vcpulat-test-XXXXXX";
	_cleanup_close_ int fd = mkstemp(path);
	_cleanup_free_ char *log = NULL;
	char *const env[] = { (char *)"PATH=/usr/bin:/bin", (char *)"ONLY=this", NULL };
	struct process_options options = { .dir = "/usr", .log_path = path, .env = env };

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(process_run(SHELL("pwd; echo ${ONLY}${HOME}"), &options, NULL), 0);
	assert_int_equal(process_run(SHELL("echo more"), &options, NULL), 0);
	assert_int_equal(fs_read(path, 4096, &log, NULL, NULL), 0);
	assert_string_equal(log, "/usr\nthis\nmore\n");
	unlink(path);
}

static void log_that_cannot_be_opened_is_named(void **state)
{
	struct process_options options = { .log_path = "/nonexistent/log" };
	struct err err = { "" };
	pid_t pid;

	(void)state;
	assert_int_equal(process_run(SHELL("exit 0"), &options, &err), -ENOENT);
	assert_string_equal(err.msg, "cannot open log '/nonexistent/log': No such file or directory");
	assert_int_equal(process_start(SHELL("exit 0"), &options, &pid, &err), -ENOENT);
}

static void end_kills_what_ignores_the_first_signal(void **state)
{
	pid_t pid;
	int pipe_fds[2];
	char byte;
	int status;

	(void)state;
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	struct process_options options = { .stdout_fd = pipe_fds[1] };

	assert_int_equal(process_start(SHELL("trap '' TERM; echo; while :; do sleep 0.05; done"), &options, &pid, NULL),
			 0);
	assert_int_equal(read(pipe_fds[0], &byte, 1), 1); /* the trap stands */
	status = process_end(pid, 50);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(kill(pid, 0), -1);

	assert_int_equal(process_start(SHELL("exec sleep 60"), NULL, &pid, NULL), 0);
	status = process_end(pid, 5000);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	assert_int_equal(process_end(0, 0), 0);
	assert_int_equal(process_end(-1, 0), 0);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

/* A child of ours that is not started by process_start(): its exit code says how it went. */
static int in_a_process(int (*work)(int out_fd), pid_t *ret_said)
{
	int pipe_fds[2];
	int status;
	pid_t pid;

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		_exit(stop_install() < 0 ? 99 : work(pipe_fds[1])); /* with a stop descriptor of its own */
	close(pipe_fds[1]);
	if (ret_said)
		assert_int_equal(read(pipe_fds[0], ret_said, sizeof(*ret_said)), sizeof(*ret_said));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(pipe_fds[0]);
	return status;
}

static int start_and_exit(int out_fd)
{
	struct process_options options = { .stdout_fd = -1 };
	int pipe_fds[2];
	char byte;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return 1;
	options.stdout_fd = pipe_fds[1];
	if (process_start(SHELL("echo; exec sleep 60"), &options, &pid, NULL) < 0)
		return 2;
	if (read(pipe_fds[0], &byte, 1) != 1)
		return 3;
	return write(out_fd, &pid, sizeof(pid)) == sizeof(pid) ? 0 : 4;
}

static void children_do_not_outlive_us(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* so that the orphan comes to us */
	assert_int_equal(in_a_process(start_and_exit, &pid), 0);
	alarm(30);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	alarm(0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static int stop_while_output_is_closed(int out_fd)
{
	(void)out_fd;
	return process_run(SHELL("exec >&- 2>&-; sleep 0.2; kill $PPID; exec sleep 60"), NULL, NULL) != -EINTR;
}

static void stop_request_ends_a_child_without_output(void **state)
{
	double start = now_s();

	(void)state;
	assert_int_equal(in_a_process(stop_while_output_is_closed, NULL), 0);
	assert_true(now_s() - start < 30);
}

/* The last tests: a stop request cannot be taken back. */
static void stop_request_ends_the_child_and_its_children(void **state)
{
	struct lines lines = { .stop_after = 1 };
	struct process_options options = { .on_line = take_line, .ctx = &lines };
	struct err err = { "" };
	double start = now_s();
	int status;

	(void)state;
	assert_false(stop_requested());
	assert_int_equal(stop_wait(1), 0);
	assert_int_equal(process_run(SHELL("sleep 60 & echo $!; wait; echo late"), &options, &err), -EINTR);
	assert_true(stop_requested());
	assert_true(lines.pid > 0 && lines.count == 1);
	waitpid(lines.pid, &status, 0); /* we are its reaper now */
	assert_true(now_s() - start < 30);
	assert_string_equal(err.msg, "'sh' was ended: Interrupted system call");
}

static void nothing_waits_after_a_stop_request(void **state)
{
	(void)state;
	assert_int_equal(stop_wait(60000), -EINTR);
	assert_int_equal(stop_poll(-1, 0, -1), -EINTR);
	assert_int_equal(process_run(SHELL("sleep 60"), NULL, NULL), -EINTR);
	assert_int_equal(process_run(SHELL("exec >&- 2>&-; sleep 60"), NULL, NULL), -EINTR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(run_tells_how_the_child_ended),
		cmocka_unit_test(missing_program_is_named),
		cmocka_unit_test(missing_directory_is_named),
		cmocka_unit_test(each_line_is_handed_over),
		cmocka_unit_test(long_output_keeps_its_last_lines),
		cmocka_unit_test(endless_line_is_cut_in_pieces),
		cmocka_unit_test(options_reach_the_child),
		cmocka_unit_test(log_that_cannot_be_opened_is_named),
		cmocka_unit_test(end_kills_what_ignores_the_first_signal),
		cmocka_unit_test(children_do_not_outlive_us),
		cmocka_unit_test(stop_request_ends_a_child_without_output),
		cmocka_unit_test(stop_request_ends_the_child_and_its_children),
		cmocka_unit_test(nothing_waits_after_a_stop_request),
	};

	if (stop_install() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
