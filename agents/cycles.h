/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How fast the TSC runs. */
#ifndef VCPULAT_CYCLES_H
#define VCPULAT_CYCLES_H

#include <stdint.h>

/**
 * cycles_measure - count TSC cycles against CLOCK_MONOTONIC_RAW
 *
 * Takes a fifth of a second, awake: a timer may be late, or lost, on an emulated CPU.
 * Return: TSC cycles per second.
 */
uint64_t cycles_measure(void);

#endif
