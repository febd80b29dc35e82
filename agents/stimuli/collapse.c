// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimulus.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* since 6.1 */
#endif
#define HUGE_BYTES ((size_t)2 << 20)

static int prepare(struct stimulus_state *state, const json_t *params)
{
	unsigned char *room = mmap(NULL, 2 * HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)params;
	if (room == MAP_FAILED)
		return -errno;
	state->page = room + (-(uintptr_t)room & (HUGE_BYTES - 1));
	return 0;
}

/*
 * A small page becomes a huge one, and goes. No CPU may walk the old page table any more: the kernel interrupts them
 * all, whether they have ever run this process or not (kernel mm/khugepaged.c, tlb_remove_table_sync_one()).
 */
static int act(struct stimulus_state *state)
{
	int ret;

	*(volatile unsigned char *)state->page = 1;
	ret = madvise(state->page, HUGE_BYTES, MADV_COLLAPSE) < 0 ? -errno : 0;
	if (madvise(state->page, HUGE_BYTES, MADV_DONTNEED) < 0)
		return -errno;
	return ret;
}

const struct stimulus_ops *stimulus_collapse(void)
{
	static const struct stimulus_ops ops = {
		.name = "collapse", .role = STIMULUS_STIMULUS, .prepare = prepare, .act = act
	};

	return &ops;
}
