/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPU lists as the kernel writes them: "0,2-3". No strides, no "all". */
#ifndef VCPULAT_CPULIST_H
#define VCPULAT_CPULIST_H

#include <sched.h>

/**
 * cpulist_parse - read a CPU list
 * @text: e.g. "0,2-3"; "" is the empty set; white space only at the end
 * @ret_set: untouched on failure
 *
 * Return: 0, -EINVAL for a malformed list, or -ERANGE for a CPU that no cpu_set_t holds.
 */
int cpulist_parse(const char *text, cpu_set_t *ret_set);

#endif
