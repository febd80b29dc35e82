/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nudging: wakes a trivial task on one CPU again and again. Each wake-up is an
 * inter-processor interrupt, which makes the local APIC of an emulated CPU look again at
 * interrupts that multi-threaded emulation lost. For the time a guest starts, not for
 * windows.
 */
#ifndef VCPULAT_NUDGE_H
#define VCPULAT_NUDGE_H

#include <sched.h>

#include "common/err.h"

#define NUDGE_MAX_HZ 1000

struct nudge;

/**
 * nudge_start - begin
 * @cpu: the CPU to interrupt
 * @hz: times per second, 1..NUDGE_MAX_HZ
 * @housekeeping: where the waking task runs
 * @ret: to be given to nudge_free()
 * @err: says what failed
 *
 * Return: 0 or -errno.
 */
int nudge_start(int cpu, unsigned int hz, const cpu_set_t *housekeeping, struct nudge **ret, struct err *err);

/**
 * nudge_free - end
 * @nudge: may be NULL
 */
void nudge_free(struct nudge *nudge);

#endif
