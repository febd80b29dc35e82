// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimulus.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* Three pages that nobody touches: no page, no page table, nothing for the LRU lists. */
static int prepare(struct stimulus_state *state, const json_t *params)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *room = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)params;
	if (room == MAP_FAILED)
		return -errno;
	state->page = room + page;
	return 0;
}

/* Two more vm_area_struct and none again: the CPU keeps the slab that they came from (kernel mm/slub.c). */
static int act(struct stimulus_state *state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (mprotect(state->page, page, PROT_READ) < 0 || mprotect(state->page, page, PROT_NONE) < 0)
		return -errno;
	return 0;
}

const struct stimulus_ops *stimulus_split(void)
{
	static const struct stimulus_ops ops = {
		.name = "split", .role = STIMULUS_PRIMER, .prepare = prepare, .act = act
	};

	return &ops;
}
