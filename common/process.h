/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Child processes. A child never outlives us: it gets SIGKILL when its parent dies,
 * and a stop request (stop.h) ends it.
 */
#ifndef VCPULAT_PROCESS_H
#define VCPULAT_PROCESS_H

#include <sys/types.h>

#include "common/err.h"

struct process_options {
	const char *dir;      /* working directory; NULL: ours */
	const char *log_path; /* where stdout and stderr go, appended; NULL: ours */
	char *const *env;     /* NULL-terminated; NULL: ours */
	int stdin_fd;	      /* 0: /dev/null; otherwise dup'ed to its stdin */
	int stdout_fd;	      /* 0: see log_path; otherwise dup'ed to its stdout */
	int pass_fd;	      /* 0: none; otherwise kept open in the child under the same number */
	/* called for each line the child writes to stdout and stderr, before it goes to log_path; NULL: no one */
	void (*on_line)(void *ctx, const char *line);
	void *ctx; /* for on_line */
};

/**
 * process_start - start a program
 * @argv: NULL-terminated; argv[0] is looked up in PATH
 * @options: all zero is fine; NULL too; on_line is ignored here
 * @ret_pid: the child's pid, to be given to process_end() or waitpid()
 * @err: says what failed, or NULL
 *
 * Return: 0 or -errno.
 */
int process_start(char *const argv[], const struct process_options *options, pid_t *ret_pid, struct err *err);

/**
 * process_run - start a program and wait for its end, or for a stop request
 * @argv: as process_start()
 * @options: as process_start()
 * @err: says what failed, with the exit status and the last lines of its output
 *
 * Return: 0 when it exited with 0, -EINTR on a stop request (the child is ended),
 * -ECHILD when it exited otherwise, or another -errno.
 */
int process_run(char *const argv[], const struct process_options *options, struct err *err);

/**
 * process_end - end a child: SIGTERM, then SIGKILL after a grace period; reap it
 * @pid: a child of ours; 0 or negative: nothing happens
 * @grace_ms: milliseconds between the two signals
 *
 * Return: its wait status, 0 when there was nothing to end.
 */
int process_end(pid_t pid, int grace_ms);

#endif
