// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/stop.h"

static const struct process_options no_options;

static void child_exec(char *const argv[], const struct process_options *o, int out_fd, pid_t parent)
{
	int in_fd = o->stdin_fd ? o->stdin_fd : open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	stop_reset();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	dup2(in_fd, STDIN_FILENO);
	if (out_fd >= 0) {
		dup2(out_fd, STDOUT_FILENO);
		dup2(out_fd, STDERR_FILENO);
	}
	if (o->stdout_fd)
		dup2(o->stdout_fd, STDOUT_FILENO);
	if (o->pass_fd)
		fcntl(o->pass_fd, F_SETFD, 0);
	if (!o->dir || chdir(o->dir) == 0)
		execvpe(argv[0], argv, o->env ? o->env : environ);
	dprintf(STDERR_FILENO, "%s%s%s: %s\n", o->dir ? o->dir : "", o->dir ? ": " : "", argv[0], strerror(errno));
	_exit(127);
}

static int start_with_output(char *const argv[], const struct process_options *o, int out_fd, pid_t *ret_pid,
			     struct err *err)
{
	pid_t parent = getpid();
	sigset_t all;
	sigset_t old;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old); /* a signal to the newborn child would run our handler in it */
	pid = fork();
	if (pid != 0)
		sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		return err_sys(err, -errno, "cannot start '%s'", argv[0]);
	if (pid == 0) {
		setpgid(0, 0); /* Ctrl-C on the terminal reaches us only: we end our children in order */
		child_exec(argv, o, out_fd, parent);
	}
	setpgid(pid, pid);
	*ret_pid = pid;
	return 0;
}

static int open_log(const struct process_options *o, int *ret_fd, struct err *err)
{
	int fd = -1;

	if (o->log_path)
		fd = open(o->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (o->log_path && fd < 0)
		return err_sys(err, -errno, "cannot open log '%s'", o->log_path);
	*ret_fd = fd;
	return 0;
}

int process_start(char *const argv[], const struct process_options *options, pid_t *ret_pid, struct err *err)
{
	const struct process_options *o = options ? options : &no_options;
	_cleanup_close_ int log_fd = -1;
	int ret = open_log(o, &log_fd, err);

	return ret < 0 ? ret : start_with_output(argv, o, log_fd, ret_pid, err);
}

/* What the child printed last, kept for the error message. */
struct tail {
	char text[512];
	char line[4096];
	size_t line_len;
};

static void tail_line(struct tail *t, const struct process_options *o)
{
	size_t len = strnlen(t->line, sizeof(t->text) / 2);
	size_t keep = strlen(t->text);

	t->line_len = 0;
	if (o->on_line)
		o->on_line(o->ctx, t->line);
	while (keep + 1 + len >= sizeof(t->text)) { /* the oldest line goes: each begins with its newline */
		const char *second = strchr(t->text + 1, '\n');

		second = second ? second : t->text + keep;
		keep = strlen(second);
		memmove(t->text, second, keep + 1);
	}
	snprintf(t->text + keep, sizeof(t->text) - keep, "\n%.*s", (int)len, t->line);
}

static void tail_feed(struct tail *t, const struct process_options *o, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] != '\n')
			t->line[t->line_len++] = data[i];
		if (data[i] != '\n' && t->line_len < sizeof(t->line) - 1)
			continue;
		t->line[t->line_len] = '\0';
		tail_line(t, o);
	}
}

static int drain_output(int fd, const struct process_options *o, int log_fd, struct tail *t)
{
	char buf[4096];
	ssize_t n;
	int ret;

	for (;;) {
		ret = stop_poll(fd, POLLIN, -1);
		if (ret < 0)
			return ret;
		n = read(fd, buf, sizeof(buf));
		if (n <= 0 && t->line_len)
			tail_feed(t, o, "\n", 1); /* the last line may lack its newline */
		if (n <= 0)
			return 0;
		if (log_fd >= 0 && write(log_fd, buf, (size_t)n) < 0)
			return -errno;
		tail_feed(t, o, buf, (size_t)n);
	}
}

/* A child may live on after it has closed its output; a stop request ends this wait too. */
static int wait_end(pid_t pid)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : stop_poll(fd, POLLIN, -1);
}

static int wait_status(pid_t pid, const char *name, const struct tail *t, struct err *err)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, -errno, "waiting for '%s'", name);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return err_set(err, -ECHILD, "'%s' was ended by signal %d%s", name, WTERMSIG(status), t->text);
	return err_set(err, -ECHILD, "'%s' exited with %d%s", name, WEXITSTATUS(status), t->text);
}

int process_run(char *const argv[], const struct process_options *options, struct err *err)
{
	const struct process_options *o = options ? options : &no_options;
	_cleanup_close_ int log_fd = -1;
	_cleanup_close_ int read_fd = -1;
	struct tail tail = { .line_len = 0 };
	int pipe_fds[2];
	pid_t pid;
	int ret = open_log(o, &log_fd, err);

	if (ret < 0)
		return ret;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "pipe for '%s'", argv[0]);
	read_fd = pipe_fds[0];
	ret = start_with_output(argv, o, pipe_fds[1], &pid, err);
	close(pipe_fds[1]);
	if (ret < 0)
		return ret;
	ret = drain_output(read_fd, o, log_fd, &tail);
	if (ret == 0)
		ret = wait_end(pid);
	if (ret < 0) {
		kill(-pid, SIGTERM);
		process_end(pid, 2000);
		return err_sys(err, ret, "'%s' was ended", argv[0]);
	}
	return wait_status(pid, argv[0], &tail, err);
}

static bool reap(pid_t pid, int timeout_ms, int *status)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd >= 0 && poll(&p, 1, timeout_ms) == 0)
		return false;
	return waitpid(pid, status, 0) == pid || errno == ECHILD;
}

int process_end(pid_t pid, int grace_ms)
{
	int status = 0;

	if (pid <= 0)
		return 0;
	kill(pid, SIGTERM);
	if (!reap(pid, grace_ms, &status)) {
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		reap(pid, -1, &status);
	}
	return status;
}
