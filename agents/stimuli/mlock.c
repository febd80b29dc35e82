// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimulus.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * One page of its own, mapped alone between two that nobody can touch, so that locking it
 * splits and joins no mapping. Mapped after the worker locked its memory: it starts unlocked.
 */
static int prepare(struct stimulus_state *state, const json_t *params)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *room = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)params;
	if (room == MAP_FAILED)
		return -errno;
	state->page = room + page;
	if (mprotect(state->page, page, PROT_READ | PROT_WRITE) < 0)
		return -errno;
	*state->page = 1;
	/* Once there and back: takes the page out of the batch in which its first touch left it. */
	if (mlock(state->page, page) < 0 || munlock(state->page, page) < 0)
		return -errno;
	return 0;
}

/*
 * Each call moves zone counters NR_MLOCK and NR_ZONE_UNEVICTABLE by one, and leaves the
 * LRU batches empty (kernel mm/mlock.c): the per-CPU counters are dirty, nothing else is.
 */
static int act(struct stimulus_state *state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int ret = state->on ? munlock(state->page, page) : mlock(state->page, page);

	if (ret < 0)
		return -errno;
	state->on = !state->on;
	return 0;
}

const struct stimulus_ops *stimulus_mlock(void)
{
	static const struct stimulus_ops ops = {
		.name = "mlock", .role = STIMULUS_PRIMER, .prepare = prepare, .act = act
	};

	return &ops;
}
