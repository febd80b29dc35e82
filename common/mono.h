/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CLOCK_MONOTONIC, for deadlines and pacing. What is measured is stamped by the TSC (tsc.h). */
#ifndef VCPULAT_MONO_H
#define VCPULAT_MONO_H

#include <stdint.h>
#include <time.h>

/**
 * mono_ns - the present time
 *
 * Return: nanoseconds since some time before the machine started.
 */
static inline uint64_t mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
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
