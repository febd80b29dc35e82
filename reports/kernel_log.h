/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a kernel complained about: warnings, bugs, lockdep, stalls, OOM kills. A finding during
 * the run makes its verdict fail, whatever the figures are. Pure; a guest's log is hostile.
 */
#ifndef VCPULAT_KERNEL_LOG_H
#define VCPULAT_KERNEL_LOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define KERNEL_LOG_MAX 100 /* findings of the run that are kept per layer, and as many older ones */

/* What the logs of all layers say: arrays that the caller owns. */
struct kernel_log {
	json_t *during;	 /* findings of the run, as {"layer", "line"} */
	json_t *before;	 /* older ones: told, not judged */
	json_t *missing; /* what is not known of a log, as {"layer", "text"} */
};

/**
 * kernel_log_is_finding - does a line of a kernel's log report a fault of that kernel?
 * @line: with or without "<level>[ time ]", terminated
 */
bool kernel_log_is_finding(const char *line);

/**
 * kernel_log_find - the first finding of a log
 * @text: the log, terminated; overwritten
 *
 * What is not printable ASCII becomes '?'. Return: a line within @text, or NULL when there is none.
 */
const char *kernel_log_find(char *text);

/**
 * kernel_log_expected - texts of findings that are no fault of the kernel that reports them
 * @manifest: of the bundle
 *
 * What the scenario provokes; and of an emulated host that the machine below it stood still:
 * a kernel warns when its remote tick is three seconds late (kernel/sched/core.c,
 * sched_tick_remote()). Return: an array that the caller owns, or NULL.
 */
json_t *kernel_log_expected(const json_t *manifest);

/**
 * kernel_log_lacks - note that there is no log of a layer
 * @layer: "host" or "guest"
 * @ret: to whose array of what is missing is added
 *
 * Return: 0 or -ENOMEM.
 */
int kernel_log_lacks(const char *layer, const struct kernel_log *ret);

/**
 * kernel_log_scan - collect the findings of one log
 * @layer: "host" or "guest"
 * @text: the log, terminated; its line ends are overwritten
 * @last_ns: stamp of the last line before the run; 0: not known, all is taken to be of the run
 * @expected: array of texts; a finding that contains one is none; NULL: nothing is expected
 * @ret: to whose arrays is added
 *
 * What is not printable ASCII becomes '?'. Missing is what is more than KERNEL_LOG_MAX, and the beginning of a log
 * whose first stamp is later than that: the kernel keeps the newest only. Return: 0 or -ENOMEM.
 */
int kernel_log_scan(const char *layer, char *text, uint64_t last_ns, const json_t *expected,
		    const struct kernel_log *ret);

#endif
