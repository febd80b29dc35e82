// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages of a group at its limit that come back from swap. They are charged one by one there, and where the next one
 * does not fit the task reclaims others first, which wants the statistics of all groups to be right (kernel
 * mm/vmscan.c, prepare_scan_count()). A mapping twice as large as the limit, touched in turn, has each page swapped out
 * when its turn comes.
 */
#include "agents/stimulus.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agents/cgroup.h"
#include "agents/stimuli/memory_cgroup.h"
#include "common/zram_swap.h"

#define LIMIT "4194304"
#define ALL_BYTES ((size_t)8 << 20)
#define SWAP_BYTES (64ULL << 20)
#define PAGES_MAX 512
#define PAGES_USUAL 64 /* of a reclaim that frees 32, one or two in each action */

struct refaulting {
	size_t page; /* bytes */
	unsigned long pages;
	size_t next; /* byte */
};

static int limit(const char *group)
{
	char path[PATH_MAX];
	int ret = cgroup_path(group, "/memory.max", path, sizeof(path));

	return ret < 0 ? ret : cgroup_put(path, LIMIT);
}

/* Pages all of one value are stored as that value: neither they nor their compression are what it is about. */
static int fill(struct stimulus_state *state)
{
	state->page = mmap(NULL, ALL_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (state->page == MAP_FAILED)
		return -errno;
	memset(state->page, 1, ALL_BYTES);
	return 0;
}

static int prepare(struct stimulus_state *state, const json_t *params)
{
	struct refaulting *r = calloc(1, sizeof(*r));
	char group[STIMULUS_CGROUP_BYTES];
	int ret;

	if (!r)
		return -ENOMEM;
	*r = (struct refaulting){ .page = (size_t)sysconf(_SC_PAGESIZE), .pages = PAGES_USUAL };
	state->own = r; /* lives as long as the worker */
	ret = stimulus_param_number_or(params, "pages", 1, PAGES_MAX, &r->pages);
	if (ret == 0)
		ret = stimulus_cgroup_join(params, group);
	if (ret == 0)
		ret = limit(group);
	if (ret == 0)
		ret = zram_swap_on(SWAP_BYTES, NULL);
	return ret < 0 ? ret : fill(state);
}

static int act(struct stimulus_state *state)
{
	struct refaulting *r = state->own;

	for (unsigned long i = 0; i < r->pages; i++) {
		((volatile unsigned char *)state->page)[r->next];
		r->next = (r->next + r->page) % ALL_BYTES;
	}
	return 0;
}

static void clean(const json_t *params)
{
	zram_swap_off(NULL);
	stimulus_cgroup_clean(params);
}

const struct stimulus_ops *stimulus_refault(void)
{
	static const struct stimulus_ops ops = {
		.name = "refault", .role = STIMULUS_PRIMER, .bare = true, .prepare = prepare, .act = act, .clean = clean
	};

	return &ops;
}
