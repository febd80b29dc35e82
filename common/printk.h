/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's log: how it is read, and the time that the kernel puts before each line, on a clock of the log's own. */
#ifndef VCPULAT_PRINTK_H
#define VCPULAT_PRINTK_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define KLOG_READ_ALL 3 /* syslog(2); of what does not fit, the beginning is left out */

/**
 * printk_stamp_ns - when a line was written
 * @line: as klogctl() gives it, "<4>[   12.345678] text", or without the level
 *
 * Return: nanoseconds, to the microsecond; UINT64_MAX when the line has no stamp.
 */
static inline uint64_t printk_stamp_ns(const char *line)
{
	const char *open = *line == '<' && strchr(line, '>') ? strchr(line, '>') + 1 : line;
	unsigned long long seconds;
	unsigned int microseconds;

	if (sscanf(open, "[%llu.%6u]", &seconds, &microseconds) != 2)
		return UINT64_MAX;
	return seconds * 1000000000 + microseconds * 1000ULL;
}

#endif
