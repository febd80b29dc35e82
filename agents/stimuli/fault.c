// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimulus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agents/stimuli/memory_cgroup.h"

#define PAGES_MAX 4096
#define PAGES_USUAL 7
#define HUGE_BYTES ((size_t)2 << 20)

struct faulting {
	size_t page; /* bytes */
	unsigned long pages;
	bool keep;	     /* until the next time */
	unsigned long every; /* of those that are kept, to leave holes between them; 1: all */
	bool mergeable;
	bool huge;
};

static int read_params(const json_t *params, struct faulting *f)
{
	int ret;

	f->huge = stimulus_param_is(params, "huge", "yes");
	f->page = f->huge ? HUGE_BYTES : (size_t)sysconf(_SC_PAGESIZE);
	f->pages = PAGES_USUAL;
	f->every = 1;
	f->keep = !stimulus_param_is(params, "keep", "no");
	f->mergeable = stimulus_param_is(params, "mergeable", "yes");
	ret = stimulus_param_number_or(params, "pages", 1, PAGES_MAX, &f->pages);
	return ret < 0 ? ret : stimulus_param_number_or(params, "every", 1, PAGES_MAX, &f->every);
}

/* Touched once and given back: the page tables are there. */
static int prepare(struct stimulus_state *state, const json_t *params)
{
	struct faulting *f = calloc(1, sizeof(*f));
	char group[STIMULUS_CGROUP_BYTES];
	int ret = f ? read_params(params, f) : -ENOMEM;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;

	state->own = f; /* lives as long as the worker */
	if (ret == 0 && json_object_get(params, "cgroup"))
		ret = stimulus_cgroup_join(params, group);
	if (ret < 0)
		return ret;
	if (f->huge)
		flags |= MAP_HUGETLB | MAP_NORESERVE;
	state->page = mmap(NULL, f->pages * f->page, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (state->page == MAP_FAILED)
		return -errno;
	/* Fails where the kernel has no huge pages, and is not needed there. */
	madvise(state->page, f->pages * f->page, MADV_NOHUGEPAGE);
	if (f->mergeable && madvise(state->page, f->pages * f->page, MADV_MERGEABLE) < 0)
		return -errno;
	memset(state->page, 1, f->pages * f->page);
	return madvise(state->page, f->pages * f->page, MADV_DONTNEED) < 0 ? -errno : 0;
}

static int give_back(const struct stimulus_state *state, const struct faulting *f, unsigned long first,
		     unsigned long pages)
{
	return madvise(state->page + first * f->page, pages * f->page, MADV_DONTNEED) < 0 ? -errno : 0;
}

static int make_holes(const struct stimulus_state *state, const struct faulting *f)
{
	int ret = 0;

	for (unsigned long i = 1; ret == 0 && f->every > 1 && i < f->pages; i += f->every)
		ret = give_back(state, f, i, f->every - 1 < f->pages - i ? f->every - 1 : f->pages - i);
	return ret;
}

/*
 * Giving pages back empties the CPU's LRU batches, so it comes first: afterwards the batch
 * of new pages holds what was touched, modulo its 15 places (kernel mm/swap.c).
 */
static int act(struct stimulus_state *state)
{
	const struct faulting *f = state->own;
	int ret = state->on ? give_back(state, f, 0, f->pages) : 0;

	if (ret < 0)
		return ret;
	for (unsigned long i = 0; i < f->pages; i++)
		((volatile unsigned char *)state->page)[i * f->page] = 1;
	state->on = f->keep;
	return f->keep ? make_holes(state, f) : give_back(state, f, 0, f->pages);
}

const struct stimulus_ops *stimulus_fault(void)
{
	static const struct stimulus_ops ops = {
		.name = "fault", .role = STIMULUS_PRIMER, .prepare = prepare, .act = act, .clean = stimulus_cgroup_clean
	};

	return &ops;
}
