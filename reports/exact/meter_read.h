/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * meter.bin as it lies there (common/meter_format.h), one record at a time. Every length is
 * checked before it is used; a file that ends early gives what it holds and says so.
 */
#ifndef VCPULAT_METER_READ_H
#define VCPULAT_METER_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "common/meter_format.h"

struct meter_reader;

/* One record; valid until the next is read. */
struct meter_entry {
	union {
		const struct meter_record *head;
		const struct meter_run_record *run;
		const struct meter_block_record *block;
		const struct meter_gap_record *gap;
		const struct meter_mark_record *mark;
		const struct meter_end_record *end;
	};
	const uint8_t *steps; /* of a gap: step_bytes bytes */
};

/* A decoded step. */
struct meter_step_value {
	enum meter_step kind;
	enum meter_layer layer;
	uint32_t value;
};

/**
 * meter_reader_open - open a file and check its header
 * @path: meter.bin
 * @ret: to be freed with meter_reader_free()
 * @err: names the file and what is wrong
 *
 * Return: 0, -EINVAL for something else than a meter's file, or another -errno.
 */
int meter_reader_open(const char *path, struct meter_reader **ret, struct err *err);

/**
 * meter_reader_free - close and free
 * @reader: may be NULL
 */
void meter_reader_free(struct meter_reader *reader);

/**
 * meter_reader_header - the file's header
 * @reader: the reader
 *
 * Return: borrowed.
 */
const struct meter_header *meter_reader_header(const struct meter_reader *reader);

/**
 * meter_reader_next - read the next record
 * @reader: the reader
 * @ret: set when there is one
 * @err: names the offset and what is wrong
 *
 * Return: 1, 0 at the end of the file, or -errno. A record cut off at the end counts as
 * the end of the file.
 */
int meter_reader_next(struct meter_reader *reader, struct meter_entry *ret, struct err *err);

/**
 * meter_step_next - decode one step
 * @at: position in the encoded steps, moved on
 * @end: their end
 * @ret: set
 *
 * Return: false at the end, and for bytes that are no step.
 */
bool meter_step_next(const uint8_t **at, const uint8_t *end, struct meter_step_value *ret);

/**
 * meter_cut - write a file that holds one run of another
 * @from: meter.bin of a whole lab
 * @run: counted from 0
 * @to: replaced; the run keeps its number
 * @err: names the file
 *
 * Marks between the beginning of the run before and the end of the run belong to it: the
 * first actions of a run may come before its probe. Return: 0, -ENOENT when there is no
 * such run, or another -errno.
 */
int meter_cut(const char *from, uint32_t run, const char *to, struct err *err);

DEFINE_CLEANUP(struct meter_reader *, meter_reader_free)
#define _cleanup_meter_reader_ _cleanup_(meter_reader_freep)

#endif
