/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is an emulated host under test still getting anywhere? Fed with what it prints on its
 * console and on its progress channel (one JSON object a line), and with the time; decides
 * by events, never by how long a boot may take. Does no I/O and takes no clock itself.
 * What it is fed with comes from the emulated host: it is shown, never trusted.
 */
#ifndef VCPULAT_LAB_WATCH_H
#define VCPULAT_LAB_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* Text that arrives in pieces; longer lines are cut. */
struct lab_line {
	char text[1024];
	size_t len;
};

/* The last progress line, as it will be shown. */
struct lab_progress {
	char phase[24]; /* boot, guest-start, settle, window, collect, done, job */
	char what[64];	/* of a boot: the part that is up; otherwise the scenario */
	char guest[16];
	uint64_t step;
	uint64_t steps;	 /* 0: not known */
	uint64_t left_s; /* seconds left; 0: not known */
	uint64_t gaps;	 /* seen so far by the probe */
};

struct lab_watch {
	uint64_t silence_ns; /* longest time without a byte on console or progress channel */
	uint64_t stall_ns;   /* longest time in which progress lines say the same; not for phase "job" */
	uint64_t heard_ns;   /* CLOCK_MONOTONIC of the last byte */
	uint64_t moved_ns;   /* CLOCK_MONOTONIC of the last progress line that said something new */
	struct lab_line console;
	struct lab_line channel;
	struct lab_progress progress;
	bool channel_used; /* somebody inside is up */
	char panic[256];   /* the console line that ended it; "": none */
};

/**
 * lab_watch_init - begin to watch
 * @w: zeroed here
 * @silence_ns: nanoseconds, see struct lab_watch
 * @stall_ns: nanoseconds, see struct lab_watch
 * @now_ns: CLOCK_MONOTONIC
 */
void lab_watch_init(struct lab_watch *w, uint64_t silence_ns, uint64_t stall_ns, uint64_t now_ns);

/**
 * lab_watch_console - take what the console printed
 * @w: the watch
 * @data: bytes, not NUL-terminated
 * @len: their number
 * @now_ns: CLOCK_MONOTONIC
 */
void lab_watch_console(struct lab_watch *w, const char *data, size_t len, uint64_t now_ns);

/**
 * lab_watch_channel - take what the progress channel sent
 * @w: the watch
 * @data: bytes, not NUL-terminated
 * @len: their number
 * @now_ns: CLOCK_MONOTONIC
 *
 * Return: true when @w->progress was renewed.
 */
bool lab_watch_channel(struct lab_watch *w, const char *data, size_t len, uint64_t now_ns);

/**
 * lab_watch_check - is it getting anywhere?
 * @w: the watch
 * @now_ns: CLOCK_MONOTONIC
 * @err: says what it waited for in vain
 *
 * Return: 0, -ETIMEDOUT for silence or a stall, or -EIO after a kernel panic.
 */
int lab_watch_check(const struct lab_watch *w, uint64_t now_ns, struct err *err);

/**
 * lab_watch_describe - the progress in words
 * @w: the watch
 * @buf: where to write
 * @bytes: size of @buf
 *
 * Return: @buf.
 */
const char *lab_watch_describe(const struct lab_watch *w, char *buf, size_t bytes);

#endif
