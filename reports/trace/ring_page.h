/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of one page of the kernel's trace ring buffer, as tracefs trace_pipe_raw gives it
 * (kernel kernel/trace/ring_buffer.c and include/linux/ring_buffer.h; little endian, 64 bit).
 * Pure. Every length is checked against the page, which may come from a hostile guest: that
 * is why libtraceevent's kbuffer, which trusts them, does not serve here.
 */
#ifndef VCPULAT_RING_PAGE_H
#define VCPULAT_RING_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_PAGE_HEADER 16 /* bytes: u64 time stamp, u64 commit */

struct ring_page {
	const unsigned char *at;  /* next entry */
	const unsigned char *end; /* of what the kernel committed */
	uint64_t tsc;		  /* of the last entry read; at first of the page */
	bool lost;		  /* the kernel dropped events between the page before and this one */
};

struct ring_record {
	uint64_t tsc;
	const void *data; /* inside the page: u16 event number, u8, u8, s32 pid, fields */
	size_t len;
};

/**
 * ring_page_begin - start to read a page
 * @page: cursor to set up
 * @data: the page; must outlive the cursor
 * @len: its bytes; what the kernel claims beyond them is not read
 */
void ring_page_begin(struct ring_page *page, const void *data, size_t len);

/**
 * ring_page_next - the next record
 * @page: the cursor
 * @ret: set to the record; its data may be shorter than the event's own fields
 *
 * Return: false at the end of the page, and where the page makes no sense.
 */
bool ring_page_next(struct ring_page *page, struct ring_record *ret);

#endif
