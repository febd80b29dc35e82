/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One emulated host while it runs: QEMU as a child that dies with us, its sockets, its
 * console log and the watch on its progress. Knows nothing of arms and scenarios.
 */
#ifndef VCPULAT_LAB_MACHINE_H
#define VCPULAT_LAB_MACHINE_H

#include <sys/types.h>

#include "host/lab/boot.h"
#include "host/lab/terminal.h"
#include "host/lab/watch.h"

struct lab_machine {
	pid_t pid; /* of QEMU; 0: not running */
	int pid_fd;
	int monitor_fd;
	int console_fd;
	int progress_fd;
	int terminal_fd;
	int bus_fd;
	uint64_t shown_ns;   /* CLOCK_MONOTONIC of the last on_progress */
	uint64_t prodded_ns; /* CLOCK_MONOTONIC of the last look of the APICs */
	int log_fd;	     /* what the console printed goes there */
	struct lab_terminal terminal;
	struct lab_watch watch;
	/* called when there is new progress, and at least once a second; NULL: no one */
	void (*on_progress)(void *ctx, const struct lab_watch *watch);
	void *ctx;
};

/**
 * lab_machine_start - start QEMU
 * @m: terminal.input, on_progress and ctx are the caller's; the rest is set here
 * @boot: its descriptors are set here
 * @console_path: file for the console's output; appended
 * @qemu_log: file for QEMU's own messages; appended
 * @silence_s: seconds, see struct lab_watch
 * @stall_s: seconds, see struct lab_watch
 * @err: says what failed
 *
 * Return: 0 or -errno; lab_machine_end() is due in both cases.
 */
int lab_machine_start(struct lab_machine *m, struct lab_boot *boot, const char *console_path, const char *qemu_log,
		      unsigned int silence_s, unsigned int stall_s, struct err *err);

/**
 * lab_machine_wait - let it run until it powers off, hangs, or we are stopped
 * @m: a started machine
 * @err: says why it did not end by itself
 *
 * Return: 0 when QEMU has ended, -ETIMEDOUT when nothing moves any more, -EIO after a kernel
 * panic, -ECHILD when QEMU itself failed, -EINTR on a stop request, or another -errno.
 */
int lab_machine_wait(struct lab_machine *m, struct err *err);

/**
 * lab_machine_autopsy - write down what the CPUs of a hanging host are doing
 * @m: a machine that lab_machine_wait() gave up
 * @path: text file, appended
 */
void lab_machine_autopsy(struct lab_machine *m, const char *path);

/**
 * lab_machine_end - end it if it still runs, and release everything
 * @m: lab_machine_start() was called on it; it may have failed
 */
void lab_machine_end(struct lab_machine *m);

#endif
