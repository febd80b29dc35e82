/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scheduling policy of a thread that is not ours: a vCPU's, or the probe's. */
#ifndef VCPULAT_POLICY_H
#define VCPULAT_POLICY_H

#include <sys/types.h>

#include "common/err.h"
#include "host/scenario.h"

/**
 * policy_set - change it, and read it back
 * @tid: the thread
 * @policy: POLICY_FIFO has priority 1
 * @err: names the thread and the policy
 *
 * Return: 0, -EXDEV for a thread that then has another one, or another -errno.
 */
int policy_set(pid_t tid, enum cpu_policy policy, struct err *err);

#endif
