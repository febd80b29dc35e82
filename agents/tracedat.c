// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/tracedat.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fs.h"

#define MAGIC "\x17\x08\x44tracing6" /* its NUL ends the version */
#define LITTLE_ENDIAN_FILE 0
#define CHUNK (1U << 18) /* bytes copied at a time; a multiple of every page size */

/* Options of the file, as trace-cmd numbers them; others are skipped by readers that do not know them. */
enum option {
	OPTION_DONE = 0,
	OPTION_CPUSTAT = 2,
	OPTION_TRACECLOCK = 4,
	OPTION_UNAME = 5,
	OPTION_TRACEID = 11,
	OPTION_TIME_SHIFT = 12,
	OPTION_GUEST = 13,
};

/* Where the pages of one CPU lie; the table of these stands before the pages. */
struct cpu_place {
	uint64_t offset;
	uint64_t bytes;
};

/* Errors stick: the first one is kept, and later writes do nothing. */
struct out {
	int fd;
	int error; /* 0 or -errno */
};

static void put(struct out *o, const void *data, size_t bytes)
{
	if (o->error == 0)
		o->error = fs_write_all(o->fd, data, bytes);
}

static void put_u16(struct out *o, uint16_t v)
{
	put(o, &v, sizeof(v));
}

static void put_u32(struct out *o, uint32_t v)
{
	put(o, &v, sizeof(v));
}

static void put_u64(struct out *o, uint64_t v)
{
	put(o, &v, sizeof(v));
}

static void put_blob64(struct out *o, const struct tracedat_blob *b)
{
	put_u64(o, b->bytes);
	put(o, b->data, b->bytes);
}

static void put_blob32(struct out *o, const struct tracedat_blob *b)
{
	if (b->bytes > UINT32_MAX)
		o->error = o->error ? o->error : -EFBIG;
	put_u32(o, (uint32_t)b->bytes);
	put(o, b->data, b->bytes);
}

static void put_head(struct out *o, const struct tracedat_parts *p)
{
	const unsigned char shape[2] = { LITTLE_ENDIAN_FILE, sizeof(long) };

	put(o, MAGIC, sizeof(MAGIC));
	put(o, shape, sizeof(shape));
	put_u32(o, (uint32_t)sysconf(_SC_PAGESIZE));
	put(o, "header_page", sizeof("header_page"));
	put_blob64(o, &p->header_page);
	put(o, "header_event", sizeof("header_event"));
	put_blob64(o, &p->header_event);
}

static size_t same_system(const struct tracedat_format *f, size_t count)
{
	size_t n = 0;

	while (n < count && strcmp(f[n].system, f[0].system) == 0)
		n++;
	return n;
}

static uint32_t count_systems(const struct tracedat_format *f, size_t count)
{
	uint32_t systems = 0;

	for (size_t i = 0; i < count; i += same_system(f + i, count - i))
		systems++;
	return systems;
}

static void put_system(struct out *o, const struct tracedat_format *f, size_t count)
{
	put_u32(o, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		put_blob64(o, &f[i].text);
}

static void put_events(struct out *o, const struct tracedat_format *f, size_t count)
{
	size_t n;

	put_u32(o, count_systems(f, count));
	for (size_t i = 0; i < count; i += n) {
		n = same_system(f + i, count - i);
		put(o, f[i].system, strlen(f[i].system) + 1);
		put_system(o, f + i, n);
	}
}

static void put_option(struct out *o, enum option id, const void *data, size_t bytes)
{
	put_u16(o, id);
	put_u32(o, (uint32_t)bytes);
	put(o, data, bytes);
}

/* Readers take the last byte of a text to be its end. */
static void put_option_text(struct out *o, enum option id, const struct tracedat_blob *b)
{
	put_u16(o, id);
	put_u32(o, (uint32_t)b->bytes + 1);
	put(o, b->data, b->bytes);
	put(o, "", 1);
}

/* What trace-cmd puts before each CPU's counters. */
static void put_cpu_stats(struct out *o, size_t cpu, const struct tracedat_blob *stats)
{
	char title[32];
	int len = snprintf(title, sizeof(title), "CPU: %zu\n", cpu);

	put_u16(o, OPTION_CPUSTAT);
	put_u32(o, (uint32_t)len + (uint32_t)stats->bytes + 1);
	put(o, title, (size_t)len);
	put(o, stats->data, stats->bytes);
	put(o, "", 1);
}

/* One sample a CPU of time, offset and scaling; then the scalings' fraction bits. Of one sample only the offset counts.
 */
static void put_time_shift(struct out *o, const struct tracedat_link *link)
{
	put_u16(o, OPTION_TIME_SHIFT);
	put_u32(o, (uint32_t)(8 + 4 + 4 + link->vcpus * (4 + 3 * 8 + 8)));
	put_u64(o, link->peer_id);
	put_u32(o, 0); /* no interpolation */
	put_u32(o, (uint32_t)link->vcpus);
	for (size_t i = 0; i < link->vcpus; i++) {
		put_u32(o, 1);
		put_u64(o, 0);
		put_u64(o, (uint64_t)link->vcpu[i].shift);
		put_u64(o, 1);
	}
	for (size_t i = 0; i < link->vcpus; i++)
		put_u64(o, 0);
}

/* Which of the host's threads is which of the guest's CPUs. */
static void put_guest(struct out *o, const struct tracedat_link *link)
{
	put_u16(o, OPTION_GUEST);
	put_u32(o, (uint32_t)(sizeof("guest") + 8 + 4 + link->vcpus * (4 + 4)));
	put(o, "guest", sizeof("guest"));
	put_u64(o, link->peer_id);
	put_u32(o, (uint32_t)link->vcpus);
	for (size_t i = 0; i < link->vcpus; i++) {
		put_u32(o, (uint32_t)i);
		put_u32(o, (uint32_t)link->vcpu[i].tid);
	}
}

static void put_options(struct out *o, const struct tracedat_parts *p)
{
	put(o, "options  ", sizeof("options  "));
	for (size_t i = 0; p->cpu_stats && i < p->cpus; i++)
		put_cpu_stats(o, i, &p->cpu_stats[i]);
	put_option(o, OPTION_TRACECLOCK, NULL, 0);
	put_option_text(o, OPTION_UNAME, &p->uname);
	put_option(o, OPTION_TRACEID, &p->link.trace_id, sizeof(p->link.trace_id));
	if (p->link.peer_id && p->link.is_guest)
		put_time_shift(o, &p->link);
	else if (p->link.peer_id)
		put_guest(o, &p->link);
	put_u16(o, OPTION_DONE);
}

/* Copies until the end; a ring buffer without more pages says that it would block. */
static uint64_t copy_pages(struct out *o, int from, char *buf)
{
	uint64_t bytes = 0;
	ssize_t n;

	while (from >= 0 && o->error == 0) {
		n = read(from, buf, CHUNK);
		if (n == 0 || (n < 0 && errno == EAGAIN))
			break;
		if (n < 0 && errno != EINTR)
			o->error = -errno;
		if (n > 0) {
			put(o, buf, (size_t)n);
			bytes += (size_t)n;
		}
	}
	return bytes;
}

static uint64_t align_to_page(struct out *o)
{
	off_t page = (off_t)sysconf(_SC_PAGESIZE);
	off_t at = lseek(o->fd, 0, SEEK_CUR);
	off_t next = (at + page - 1) / page * page;

	if (o->error == 0 && (at < 0 || ftruncate(o->fd, next) < 0 || lseek(o->fd, next, SEEK_SET) < 0))
		o->error = -errno;
	return (uint64_t)next;
}

/* The table is written twice: its values are known only after the pages that follow it. */
static void put_pages(struct out *o, const struct tracedat_parts *p, struct cpu_place *place, char *buf)
{
	off_t table = lseek(o->fd, 0, SEEK_CUR);
	size_t bytes = p->cpus * sizeof(*place);

	put(o, place, bytes);
	put_blob64(o, &p->trace_clock);
	for (size_t i = 0; i < p->cpus; i++) {
		place[i].offset = align_to_page(o);
		place[i].bytes = copy_pages(o, p->cpu_pages[i], buf);
	}
	align_to_page(o);
	if (o->error == 0 && pwrite(o->fd, place, bytes, table) != (ssize_t)bytes)
		o->error = -EIO;
}

int tracedat_write(int fd, const struct tracedat_parts *parts, struct err *err)
{
	_cleanup_free_ struct cpu_place *place = calloc(parts->cpus, sizeof(*place));
	_cleanup_free_ char *buf = malloc(CHUNK);
	struct out o = { .fd = fd };

	if (!place || !buf)
		return err_sys(err, -ENOMEM, "cannot write the trace file");
	put_head(&o, parts);
	put_system(&o, parts->ftrace, parts->ftrace_count);
	put_events(&o, parts->events, parts->events_count);
	put_blob32(&o, &parts->kallsyms);
	put_blob32(&o, &parts->printk_formats);
	put_blob64(&o, &parts->saved_cmdlines);
	put_u32(&o, (uint32_t)parts->cpus);
	put_options(&o, parts);
	put(&o, "flyrecord", sizeof("flyrecord"));
	put_pages(&o, parts, place, buf);
	return o.error < 0 ? err_sys(err, o.error, "cannot write the trace file") : 0;
}
