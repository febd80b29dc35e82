/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of CPUs: read from files of the kernel, and written as lists. Parsing: common/cpulist.h. */
#ifndef VCPULAT_CPUS_H
#define VCPULAT_CPUS_H

#include <sched.h>

#include "common/err.h"

/**
 * cpus_read - read a CPU list from a file
 * @path: e.g. /sys/devices/system/cpu/isolated
 * @ret: the set
 * @err: names the file and its content
 *
 * Return: 0 or -errno.
 */
int cpus_read(const char *path, cpu_set_t *ret, struct err *err);

/**
 * cpus_format - write a CPU list
 * @set: CPUs
 *
 * Return: a string the caller frees ("" for no CPU), or NULL with errno ENOMEM.
 */
char *cpus_format(const cpu_set_t *set);

/**
 * cpus_first - the lowest CPU of a set
 * @set: CPUs
 *
 * Return: its number, -1 for an empty set.
 */
int cpus_first(const cpu_set_t *set);

#endif
