/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent does as process 1 of a guest: mounts, finds out who called for it and
 * from where, and connects. Never used on a host.
 */
#ifndef VCPULAT_BOOT_H
#define VCPULAT_BOOT_H

#include <sched.h>

#include "common/err.h"
#include "common/link.h"

struct boot {
	unsigned int port;		  /* vcpulat.port of the kernel's command line: vsock port of the host */
	char token[LINK_TOKEN_CHARS + 1]; /* vcpulat.token */
	cpu_set_t housekeeping;		  /* online CPUs that are neither isolated nor nohz_full */
};

/**
 * boot_mount - mount proc, sys, dev, tmp, tracefs and debugfs
 * @err: says what failed
 *
 * What the kernel mounted already is fine, and so is a kernel without tracefs or debugfs.
 * Return: 0 or -errno.
 */
int boot_mount(struct err *err);

/**
 * boot_modules - insert the modules that came with the initramfs
 *
 * For kernels that were built elsewhere. One that the kernel refuses is passed over: what it
 * was for will be missing, and said so then.
 */
void boot_modules(void);

/**
 * boot_console - have standard input, output and error at the console
 *
 * The kernel starts process 1 without them when its initramfs has no device nodes. Nothing
 * else may be opened before: the first three descriptors would go to it.
 */
void boot_console(void);

/**
 * boot_read - read the kernel's command line and the CPUs' isolation
 * @ret: filled in
 * @err: says what is missing
 *
 * Return: 0 or -errno.
 */
int boot_read(struct boot *ret, struct err *err);

/**
 * boot_parse_cmdline - find port and token
 * @cmdline: as /proc/cmdline
 * @ret: port and token are set
 * @err: says what is missing
 *
 * Return: 0 or -EINVAL.
 */
int boot_parse_cmdline(const char *cmdline, struct boot *ret, struct err *err);

/**
 * boot_connect - connect to the controller, trying again until it is there
 * @port: vsock port of the host
 * @timeout_ms: for all tries
 * @err: says why the last one failed
 *
 * Return: a descriptor, or -errno.
 */
int boot_connect(unsigned int port, int timeout_ms, struct err *err);

#endif
