/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The little of QEMU's monitor protocol that the lab needs. Blocking, with short time-outs. */
#ifndef VCPULAT_LAB_QMP_H
#define VCPULAT_LAB_QMP_H

#include "common/err.h"

/**
 * lab_qmp_quit - ask QEMU to end
 * @fd: monitor socket
 *
 * Does not wait for the end. Return: 0 or -errno.
 */
int lab_qmp_quit(int fd);

/**
 * lab_qmp_monitor - keep what a command of the human monitor says, as evidence of a hang
 * @fd: monitor socket
 * @command: e.g. "info registers -a"
 * @path: file that the text is appended to
 * @err: says what failed
 *
 * Return: 0, -ETIMEDOUT when QEMU does not answer within 5 s, or another -errno.
 */
int lab_qmp_monitor(int fd, const char *command, const char *path, struct err *err);

/**
 * lab_qmp_open - begin the conversation
 * @fd: monitor socket, just connected
 *
 * Sends only; QEMU reads it when it is up. Return: 0 or -errno.
 */
int lab_qmp_open(int fd);

#endif
