/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a stopped tracefs instance to a trace.dat: gathers what tracedat.h wants. For capture.c only. */
#ifndef VCPULAT_CAPTURE_FILE_H
#define VCPULAT_CAPTURE_FILE_H

#include <stddef.h>

#include "agents/tracedat.h"
#include "common/err.h"

struct capture_event {
	char system[256];
	char name[256];
};

struct capture_file_options {
	const char *dir;	     /* of the instance */
	struct capture_event *event; /* whose formats go into the file; sorted here by system */
	size_t count;
	const struct tracedat_blob *stats; /* one a CPU */
	size_t cpus;
	struct tracedat_blob symbols; /* for the addresses in the events; borrowed */
	struct tracedat_link link;
};

/**
 * capture_event_file - where a file of an event lies
 * @event: the event
 * @file: e.g. "format"
 *
 * Return: a path below an instance's directory or TRACING_ROOT that the caller frees, or NULL.
 */
char *capture_event_file(const struct capture_event *event, const char *file);

/**
 * capture_file_write - write the file
 * @options: a stopped instance and what is known about it; its buffers are empty afterwards
 * @fd: empty, seekable
 * @err: names the file that cannot be read
 *
 * Return: 0 or -errno.
 */
int capture_file_write(const struct capture_file_options *options, int fd, struct err *err);

#endif
