// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Direct reclaim on the CPU of the task. A memory node is filled but for what kswapd keeps free, and every action
 * touches some pages more, faster than kswapd frees others: one or two times the task has to do that itself. What was
 * touched is kept, so that each action finds the same state.
 */
#include "agents/stimulus.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agents/stimuli/node_memory.h"

#define CACHE_PAGES 6000 /* of files: what reclaim is to find */
#define FREE_PAGES 200	 /* left when all is in place; from then on kswapd decides */
#define KEEP_PAGES 4000	 /* are touched at most, in all actions together */
#define PAGES_USUAL 64

struct reclaiming {
	size_t page; /* bytes */
	unsigned long pages;
	size_t touched; /* pages, in all actions so far */
};

static int prepare(struct stimulus_state *state, const json_t *params)
{
	struct reclaiming *r = calloc(1, sizeof(*r));
	unsigned long node = 0;
	int ret = r ? 0 : -ENOMEM;

	state->own = r; /* lives as long as the worker */
	if (ret < 0)
		return ret;
	r->page = (size_t)sysconf(_SC_PAGESIZE);
	r->pages = PAGES_USUAL;
	ret = stimulus_param_number_or(params, "pages", 1, KEEP_PAGES, &r->pages);
	if (ret == 0)
		ret = stimulus_param_number(params, "node", 0, NODE_MEMORY_MAX_NODE, &node);
	if (ret == 0)
		ret = node_memory_fill((int)node, CACHE_PAGES, FREE_PAGES);
	if (ret < 0)
		return ret;
	state->page = mmap(NULL, KEEP_PAGES * r->page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return state->page == MAP_FAILED ? -errno : node_memory_bind((int)node);
}

static int act(struct stimulus_state *state)
{
	struct reclaiming *r = state->own;

	if (r->touched + r->pages > KEEP_PAGES)
		return -ENOSPC;
	for (unsigned long i = 0; i < r->pages; i++)
		((volatile unsigned char *)state->page)[r->touched++ * r->page] = 1;
	return 0;
}

const struct stimulus_ops *stimulus_reclaim(void)
{
	static const struct stimulus_ops ops = {
		.name = "reclaim", .role = STIMULUS_PRIMER, .prepare = prepare, .act = act
	};

	return &ops;
}
