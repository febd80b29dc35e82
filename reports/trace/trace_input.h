/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a trace's raw records come from, CPU by CPU: the checked reader of version 6
 * (trace_file.h), or libtracecmd for the other versions and for compressed files. Neither
 * keeps more than a piece of the file in memory.
 */
#ifndef VCPULAT_TRACE_INPUT_H
#define VCPULAT_TRACE_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "reports/trace/decoder.h"
#include "reports/trace/ring_page.h"

struct trace_input {
	const struct trace_input_ops *ops;
	size_t n_cpus;
};

struct trace_input_ops {
	/* The next record of a CPU: 1, 0 at its end, or -errno; @ret_lost: events were dropped before it. The record
	 * is valid until the next call for that CPU.
	 */
	int (*next)(struct trace_input *input, size_t cpu, struct ring_record *ret, bool *ret_lost);
	/* The function at an address, by the symbols in the file, or NULL. */
	const char *(*find)(struct trace_input *input, uint64_t address);
	/* The name of a task, terminated and cut to @bytes, by what the file says; false: it does not. */
	bool (*task)(struct trace_input *input, int32_t pid, char *ret, size_t bytes);
	void (*free)(struct trace_input *input);
};

/**
 * trace_input_open_file - a version 6 file; safe with hostile content
 * @path: the file
 * @decoder: is taught the file's events
 * @ret: for ops->free()
 * @err: as trace_file_open()
 *
 * Return: as trace_file_open().
 */
int trace_input_open_file(const char *path, struct decoder *decoder, struct trace_input **ret, struct err *err);

/**
 * trace_input_open_tracecmd - any file that libtracecmd reads; only for files of a trusted machine
 * @path: the file
 * @decoder: is taught the file's events
 * @ret: for ops->free()
 * @err: says that the file cannot be read
 *
 * Return: 0 or -errno.
 */
int trace_input_open_tracecmd(const char *path, struct decoder *decoder, struct trace_input **ret, struct err *err);

#endif
