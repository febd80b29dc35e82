/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A swap device of our own in compressed memory: a zram device beside those that there may
 * be, recognised by the label in its swap header, so that it is found and taken away again
 * by whoever comes later, too.
 */
#ifndef VCPULAT_ZRAM_SWAP_H
#define VCPULAT_ZRAM_SWAP_H

#include <stdint.h>

#include "common/err.h"

#define ZRAM_SWAP_CONTROL "/sys/class/zram-control/"

/**
 * zram_swap_on - make the device and swap to it before all others
 * @bytes: its size
 * @err: says what failed
 *
 * One that was left over is taken away first. Return: 0 or -errno; then nothing is left.
 */
int zram_swap_on(uint64_t bytes, struct err *err);

/**
 * zram_swap_off - read back what is swapped out there, and take the device away
 * @err: says what failed
 *
 * Return: 0, also when there is none, or -errno.
 */
int zram_swap_off(struct err *err);

#endif
