/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's clocks, for deadlines and pacing. What is measured is stamped by the TSC (tsc.h). */
#ifndef VCPULAT_MONO_H
#define VCPULAT_MONO_H

#include <stdint.h>
#include <time.h>

/**
 * clock_ns - what a clock says
 * @clock: CLOCK_MONOTONIC or another
 */
static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

/**
 * mono_ns - the present time
 *
 * Return: nanoseconds since some time before the machine started.
 */
static inline uint64_t mono_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/**
 * mono_ms - as mono_ns(), for poll() and its kind
 *
 * Return: milliseconds; signed, so that a time that has passed gives a negative difference.
 */
static inline int64_t mono_ms(void)
{
	return (int64_t)(mono_ns() / 1000000U);
}

#endif
