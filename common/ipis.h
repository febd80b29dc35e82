/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts that CPUs send each other to have work done there: function calls and TLB shootdowns (/proc/interrupts,
 * x86). Those that only wake a CPU up are not counted: every wake-up of a task of ours would be one.
 */
#ifndef VCPULAT_IPIS_H
#define VCPULAT_IPIS_H

#include <stdint.h>

/**
 * ipis_parse - those that all CPUs have taken
 * @text: of /proc/interrupts
 *
 * Return: their sum.
 */
uint64_t ipis_parse(const char *text);

/**
 * ipis_read - those that all CPUs have taken since the kernel started
 * @ret: how many
 *
 * Return: 0 or -errno.
 */
int ipis_read(uint64_t *ret);

#endif
