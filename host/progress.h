/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run is doing: a status line for a person, JSON lines for `vcpulat lab`. */
#ifndef VCPULAT_PROGRESS_H
#define VCPULAT_PROGRESS_H

#include <stdint.h>

#include "common/err.h"

struct progress {
	int fd;		   /* of the JSON lines; -1: none */
	const char *phase; /* guest-start, settle, window, collect, done */
	const char *scenario;
	const char *guest;
	unsigned int step; /* window, guards not counted; 0: before the first */
	unsigned int steps;
	uint64_t left_s;   /* of this run, about */
	uint64_t gaps;	   /* counted so far */
	uint64_t shown_ns; /* CLOCK_MONOTONIC of the last line */
};

/**
 * progress_open - begin
 * @progress: filled
 * @path: where JSON lines are appended; NULL: nowhere
 * @err: says what failed
 *
 * Return: 0 or -errno.
 */
int progress_open(struct progress *progress, const char *path, struct err *err);

/**
 * progress_phase - a new phase begins; shown at once
 * @progress: handle
 * @phase: one of the words above; borrowed
 */
void progress_phase(struct progress *progress, const char *phase);

/**
 * progress_tick - show how it stands, once a second at most
 * @progress: handle
 */
void progress_tick(struct progress *progress);

/**
 * progress_close - end
 * @progress: handle
 */
void progress_close(struct progress *progress);

#endif
