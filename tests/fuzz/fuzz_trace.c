// SPDX-License-Identifier: GPL-2.0-or-later
/* guest.dat as a guest may write it, read and joined with some gaps: their parts must sum to them. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "reports/attribute.h"
#include "reports/trace/reader.h"

#define GAPS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct attribution *begin(struct names *names, struct causes *causes, struct gap *gaps)
{
	struct attribute_params params = { .gaps = gaps,
					   .n_gaps = GAPS,
					   .names = names,
					   .causes = causes,
					   .has_guest = true,
					   .guest = { .layer = TRACE_GUEST, .subject_tid = 77 },
					   .host = { .is_vcpu = true, .subject_tid = 78 },
					   .cycles_per_second = 1000000000 };

	return attribution_new(&params);
}

static void check(struct gap *gaps)
{
	for (size_t i = 0; i < GAPS; i++) {
		uint64_t sum = 0;

		for (size_t j = 0; j < gaps[i].n_parts; j++)
			sum += gaps[i].part[j].cycles;
		if (sum != gaps[i].t1 - gaps[i].t0)
			__builtin_trap();
		gap_done(&gaps[i]);
	}
}

static void read_and_join(const char *path)
{
	_cleanup_(names_freep) struct names *names = names_new();
	_cleanup_(causes_freep) struct causes *causes = causes_new(names);
	_cleanup_(reader_freep) struct reader *reader = NULL;
	_cleanup_(attribution_freep) struct attribution *join = NULL;
	struct reader_params params = { .path = path, .layer = TRACE_GUEST, .names = names };
	struct gap gaps[GAPS] = { 0 };
	struct trace_event event;
	struct err err;

	for (size_t i = 0; i < GAPS; i++)
		gaps[i] = (struct gap){ .t0 = i << 30, .t1 = (i << 30) + (1 << 29) };
	if (reader_open(&params, &reader, &err) < 0)
		return;
	join = begin(names, causes, gaps);
	while (reader_next(reader, &event) == 1)
		attribution_feed(join, &event);
	attribution_finish(join);
	check(gaps);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_close_ int fd = memfd_create("trace", MFD_CLOEXEC);
	char path[64];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_and_join(path);
	return 0;
}
