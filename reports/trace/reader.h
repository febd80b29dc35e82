/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The events of one layer's trace in the order of time, all CPUs merged. Streamed: memory
 * does not grow with the file. Dropped events are events too (TRACE_LOST).
 */
#ifndef VCPULAT_READER_H
#define VCPULAT_READER_H

#include "common/cleanup.h"
#include "common/err.h"
#include "reports/names.h"
#include "reports/trace/trace_event.h"

struct reader_params {
	const char *path;	/* trace.dat */
	const char *kallsyms;	/* file to ask where the trace itself has no symbols; NULL: none */
	enum trace_layer layer; /* a guest's file is hostile: only version 6 is read, by our own checked reader */
	struct names *names;	/* must outlive the reader */
};

struct reader;

/**
 * reader_open - open a trace
 * @params: what and how
 * @ret: for reader_free()
 * @err: names the file and what is wrong
 *
 * Return: 0, -EINVAL for a malformed file, -EOPNOTSUPP for a guest's file of another version, or another -errno.
 */
int reader_open(const struct reader_params *params, struct reader **ret, struct err *err);

/** reader_free - close it; NULL is fine */
void reader_free(struct reader *reader);
DEFINE_CLEANUP(struct reader *, reader_free)

/**
 * reader_next - the next event
 * @reader: the reader
 * @ret: filled; tsc is that of the layer
 *
 * Stamps of one CPU that go back (a writer interrupted between stamp and commit) are raised to
 * the one before. Return: 1, 0 at the end, or -errno.
 */
int reader_next(struct reader *reader, struct trace_event *ret);

/**
 * reader_task - the name of a task, by what the trace knew at its end
 * @reader: the reader
 * @pid: of the layer; 0 is "idle"
 *
 * Return: names_text(); 0 when the trace does not say.
 */
uint32_t reader_task(struct reader *reader, int32_t pid);

#endif
