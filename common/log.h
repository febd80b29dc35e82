/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages of commands, to stderr. Library modules do not log: they return an
 * error (err.h). The level and the state of the status line are mutable globals; the
 * others are those of stop.c.
 */
#ifndef VCPULAT_LOG_H
#define VCPULAT_LOG_H

enum log_level { LOG_LEVEL_QUIET, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/**
 * log_set_level - choose how much is said
 * @level: INFO by default
 */
void log_set_level(enum log_level level);

/**
 * log_info - one line of what is happening
 * @fmt: printf format, without newline
 */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * log_debug - one line for the developer, with --verbose only
 * @fmt: printf format, without newline
 */
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * log_error - one line of what failed; never suppressed
 * @fmt: printf format, without newline
 */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * log_status - a line that the next one replaces on a terminal
 * @fmt: printf format, without newline; NULL ends the line
 *
 * Where stderr is not a terminal a status is printed at most every five seconds.
 */
void log_status(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
