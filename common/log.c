// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static enum log_level log_level = LOG_LEVEL_INFO;
static bool status_open; /* a status line stands on the terminal */

void log_set_level(enum log_level level)
{
	log_level = level;
}

static void end_status(void)
{
	if (status_open)
		fputs("\r\033[K", stderr);
	status_open = false;
}

static void print_line(const char *prefix, const char *fmt, va_list ap)
{
	end_status();
	fputs(prefix, stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	if (log_level < LOG_LEVEL_INFO)
		return;
	va_start(ap, fmt);
	print_line("", fmt, ap);
	va_end(ap);
}

void log_debug(const char *fmt, ...)
{
	va_list ap;

	if (log_level < LOG_LEVEL_DEBUG)
		return;
	va_start(ap, fmt);
	print_line("debug: ", fmt, ap);
	va_end(ap);
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line("vcpulat: ", fmt, ap);
	va_end(ap);
}

void log_status(const char *fmt, ...)
{
	static time_t last;
	bool terminal = isatty(STDERR_FILENO);
	time_t now = time(NULL);
	va_list ap;

	if (log_level < LOG_LEVEL_INFO || (!terminal && fmt && now - last < 5))
		return;
	end_status();
	if (!fmt)
		return;
	last = now;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (!terminal)
		fputc('\n', stderr);
	status_open = terminal;
}
