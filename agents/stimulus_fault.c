// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimulus.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agents/cgroup.h"
#include "agents/stimulus_cgroup.h"

#define PAGES_MAX 4096
#define PAGES_USUAL 7
#define WORD_BYTES 8

struct faulting {
	size_t page; /* bytes */
	unsigned long pages;
	bool keep; /* until the next time */
};

static int read_params(const json_t *params, struct faulting *f)
{
	char word[WORD_BYTES];
	int ret;

	f->page = (size_t)sysconf(_SC_PAGESIZE);
	f->pages = PAGES_USUAL;
	ret = stimulus_param_number(params, "pages", 1, PAGES_MAX, &f->pages);
	f->keep = stimulus_param(params, "keep", word, sizeof(word)) < 0 || strcmp(word, "no") != 0;
	return ret == -ENOENT ? 0 : ret;
}

static int join_cgroup(const json_t *params)
{
	char name[STIMULUS_CGROUP_BYTES];
	char path[PATH_MAX];
	int ret = stimulus_cgroup_make(params, name);

	if (ret == -ENOENT && !json_object_get(params, "cgroup"))
		return 0;
	if (ret == 0)
		ret = cgroup_path(name, "/cgroup.procs", path, sizeof(path));
	return ret < 0 ? ret : cgroup_put(path, "0");
}

/* Touched once and given back: the page tables are there. */
static int prepare(struct stimulus_state *state, const json_t *params)
{
	struct faulting *f = calloc(1, sizeof(*f));
	int ret = f ? read_params(params, f) : -ENOMEM;

	state->own = f; /* lives as long as the worker */
	if (ret == 0)
		ret = join_cgroup(params);
	if (ret < 0)
		return ret;
	state->page = mmap(NULL, f->pages * f->page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (state->page == MAP_FAILED)
		return -errno;
	/* Fails where the kernel has no huge pages, and is not needed there. */
	madvise(state->page, f->pages * f->page, MADV_NOHUGEPAGE);
	memset(state->page, 1, f->pages * f->page);
	return madvise(state->page, f->pages * f->page, MADV_DONTNEED) < 0 ? -errno : 0;
}

/*
 * Giving pages back empties the CPU's LRU batches, so it comes first: afterwards the batch
 * of new pages holds what was touched, modulo its 15 places (kernel mm/swap.c).
 */
static int act(struct stimulus_state *state)
{
	const struct faulting *f = state->own;
	size_t bytes = f->pages * f->page;

	if (state->on && madvise(state->page, bytes, MADV_DONTNEED) < 0)
		return -errno;
	for (size_t i = 0; i < bytes; i += f->page)
		((volatile unsigned char *)state->page)[i] = 1;
	state->on = f->keep;
	if (!f->keep && madvise(state->page, bytes, MADV_DONTNEED) < 0)
		return -errno;
	return 0;
}

const struct stimulus_ops *stimulus_fault(void)
{
	static const struct stimulus_ops ops = {
		.name = "fault", .role = STIMULUS_PRIMER, .prepare = prepare, .act = act, .clean = stimulus_cgroup_clean
	};

	return &ops;
}
