/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writer of trace.dat, version 6, as trace-cmd.dat.v6(5) documents it: uncompressed, one
 * buffer, raw ring-buffer pages. `trace-cmd report` and KernelShark open it. The clock
 * stands in the file, so that stamps of x86-tsc are shown as the cycles they are.
 *
 * Knows nothing of tracefs: all it writes is handed to it.
 */
#ifndef VCPULAT_TRACEDAT_H
#define VCPULAT_TRACEDAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* A piece of text or of bytes; data NULL: empty. */
struct tracedat_blob {
	char *data;
	size_t bytes;
};

struct tracedat_format {
	const char *system;	   /* formats of one system stand together */
	struct tracedat_blob text; /* content of its events/SYSTEM/EVENT/format */
};

#define TRACEDAT_MAX_VCPUS 64

struct tracedat_vcpu {
	int64_t shift; /* what its stamps lack of the host's, in cycles */
	int32_t tid;   /* of its thread on the host */
};

/*
 * What ties the files of a host and its guest together, as `trace-cmd attach` would: `trace-cmd report` and KernelShark
 * then show the guest's events at the host's time. Both assume that the two clocks run at one rate.
 */
struct tracedat_link {
	uint64_t trace_id; /* any number that no other file of the same measurement has */
	uint64_t peer_id;  /* trace_id of the other layer's file; 0: there is none */
	bool is_guest;	   /* of the two, this one is the guest's */
	size_t vcpus;
	struct tracedat_vcpu vcpu[TRACEDAT_MAX_VCPUS];
};

/* Named after the tracefs files they come from. All borrowed. */
struct tracedat_parts {
	struct tracedat_blob header_page;
	struct tracedat_blob header_event;
	const struct tracedat_format *ftrace; /* of system ftrace */
	size_t ftrace_count;
	const struct tracedat_format *events; /* of the events that may occur */
	size_t events_count;
	struct tracedat_blob kallsyms;
	struct tracedat_blob printk_formats;
	struct tracedat_blob saved_cmdlines;
	struct tracedat_blob trace_clock; /* as the file says: "local [x86-tsc]" */
	struct tracedat_blob uname;
	const struct tracedat_blob *cpu_stats; /* one a CPU: what per_cpu/cpuN/stats said; NULL: none */
	const int *cpu_pages;		       /* one a CPU: read to its end, or until it would block; -1: nothing */
	size_t cpus;
	struct tracedat_link link;
};

/**
 * tracedat_write - write a whole file
 * @fd: empty, seekable
 * @parts: its content
 * @err: says what failed
 *
 * Return: 0 or -errno.
 */
int tracedat_write(int fd, const struct tracedat_parts *parts, struct err *err);

#endif
