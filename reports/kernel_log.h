/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a kernel complained about during a run: warnings, bugs, lockdep, stalls, OOM kills.
 * A finding makes the verdict fail, whatever the figures are. Pure; a guest's log is hostile.
 */
#ifndef VCPULAT_KERNEL_LOG_H
#define VCPULAT_KERNEL_LOG_H

#include <jansson.h>
#include <stdbool.h>

#define KERNEL_LOG_MAX 100 /* findings kept per layer */

/**
 * kernel_log_is_finding - does a line of a kernel's log report a fault of that kernel?
 * @line: with or without "<level>[ time ]", terminated
 */
bool kernel_log_is_finding(const char *line);

/**
 * kernel_log_scan - collect the findings of one log
 * @findings: array to which {"layer", "line"} are appended
 * @layer: "host" or "guest"
 * @text: the log, terminated; its line ends are overwritten
 *
 * What is not printable ASCII becomes '?'. Return: 0 or -ENOMEM.
 */
int kernel_log_scan(json_t *findings, const char *layer, char *text);

#endif
