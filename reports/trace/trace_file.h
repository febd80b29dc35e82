/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The container of a trace: trace.dat version 6 (trace-cmd.dat.v6(5)), uncompressed, little
 * endian. Only this reader touches what came from a guest: each length is checked against
 * the file before anything is allocated, and the file is read, not mapped, so that nobody
 * can cut it under us. Other versions are read through libtracecmd (trace_input.h).
 */
#ifndef VCPULAT_TRACE_FILE_H
#define VCPULAT_TRACE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/err.h"

struct trace_file_cpu {
	uint64_t offset; /* of its pages in the file */
	uint64_t bytes;
};

struct trace_file {
	int fd;
	uint64_t bytes;
	uint32_t page_bytes;
	struct trace_file_cpu *cpus;
	size_t n_cpus;
	char *kallsyms; /* terminated; "" when the file has none; may be taken over */
	char *tasks;	/* as tracefs' saved_cmdlines: a line "PID NAME" each; terminated */
};

/* Called for each event description of the file; @text is terminated and only lent. */
typedef int trace_file_event_fn(void *ctx, const char *system, const char *text);

/**
 * trace_file_open - read all but the events
 * @path: the file
 * @on_event: called for each event description; a negative return ends the reading
 * @ctx: for @on_event
 * @ret: set on success, for trace_file_free()
 * @err: names the file and what is wrong with it
 *
 * Return: 0, -EOPNOTSUPP for another version, compression or byte order, -EINVAL for a
 * malformed file, or another -errno.
 */
int trace_file_open(const char *path, trace_file_event_fn *on_event, void *ctx, struct trace_file **ret,
		    struct err *err);

/** trace_file_free - close and drop; NULL is fine */
void trace_file_free(struct trace_file *file);
DEFINE_CLEANUP(struct trace_file *, trace_file_free)

#endif
