/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recording of kernel events in a tracefs instance of its own, stamped with the TSC. A
 * full buffer drops new events and counts them. Nothing is read while events are
 * recorded: a reader that waits makes every writing CPU interrupt itself.
 *
 * Starting, stopping and freeing interrupt every CPU (kernel text is patched): they
 * belong outside windows.
 *
 * An event of system KPROBE_SYSTEM is made: it is stamped when the function of its name begins.
 */
#ifndef VCPULAT_CAPTURE_H
#define VCPULAT_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"

struct capture;
struct symbols;
struct tracedat_link;

struct capture_counts {
	uint64_t events; /* in the buffers */
	uint64_t lost;	 /* did not fit */
};

/**
 * capture_start - create the instance and record
 * @events: array of {"name": "system:event", "filter": "", "stack": false}; borrowed
 * @buffer_kib: of each CPU's buffer
 * @missing: array to which the names of events this kernel lacks are added; they are no failure
 * @ret: to be given to capture_free()
 * @err: names the file that refused
 *
 * Instances of agents that died are removed first. Return: 0 or -errno.
 */
int capture_start(const json_t *events, unsigned int buffer_kib, json_t *missing, struct capture **ret,
		  struct err *err);

/**
 * capture_stop - record no more; the events stay in the kernel
 * @capture: may have been stopped before
 * @ret: how many there are
 * @err: says what failed
 *
 * Return: 0 or -errno.
 */
int capture_stop(struct capture *capture, struct capture_counts *ret, struct err *err);

/**
 * capture_write - move the events into a trace.dat
 * @capture: a stopped one; its buffers are empty afterwards
 * @symbols: for the addresses in the events; NULL: none are known
 * @link: the file's number, and how it goes with another layer's
 * @fd: empty, seekable
 * @err: says what failed
 *
 * Return: 0, -EBUSY while it records, or another -errno.
 */
int capture_write(struct capture *capture, const struct symbols *symbols, const struct tracedat_link *link, int fd,
		  struct err *err);

/**
 * capture_free - remove the instance
 * @capture: may be NULL
 */
void capture_free(struct capture *capture);

#endif
