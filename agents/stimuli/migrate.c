// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimulus.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fs.h"

#define MAPS_LIMIT ((size_t)4 << 20)
#define PAGES_MAX 4096
#define SKIPPED ((size_t)16 << 20)  /* below lie things of the firmware, from there on the guest's kernel */
#define PRESENT (UINT64_C(1) << 63) /* of an entry of pagemap (Documentation/admin-guide/mm/pagemap.rst) */
#define FRAME ((UINT64_C(1) << 55) - 1)
#define COMPOUND_HEAD (UINT64_C(1) << 15) /* of an entry of kpageflags */

struct migrating {
	pid_t pid;
	unsigned long pages;
	void *page[PAGES_MAX];
	int node[PAGES_MAX];   /* where it is to go */
	int status[PAGES_MAX]; /* where it is, or -errno */
};

/* Where the largest private mapping of a process lies: a guest's memory. */
static int find_memory(pid_t pid, size_t *ret_begin, size_t *ret_bytes)
{
	_cleanup_free_ char *path = str_printf("/proc/%d/maps", (int)pid);
	_cleanup_free_ char *text = NULL;
	size_t begin;
	size_t end;
	int ret = path ? fs_read(path, MAPS_LIMIT, &text, NULL, NULL) : -ENOMEM;

	if (ret < 0)
		return ret;
	*ret_bytes = 0;
	for (const char *line = text; *line; line += *line == '\n') {
		if (sscanf(line, "%zx-%zx rw-p 00000000 00:00", &begin, &end) == 2 && end - begin > *ret_bytes) {
			*ret_begin = begin;
			*ret_bytes = end - begin;
		}
		while (*line && *line != '\n')
			line++;
	}
	return 0;
}

static int read_entry(int fd, uint64_t index, uint64_t *ret)
{
	return pread(fd, ret, sizeof(*ret), (off_t)(index * sizeof(*ret))) == sizeof(*ret) ? 0 : -EIO;
}

/* Is that page there, and, where huge ones are wanted, the first of one? Return: 1 or 0, or -errno. */
static int fits(int pagemap, int kpageflags, size_t index)
{
	uint64_t entry = 0;
	uint64_t flags = 0;
	int ret = read_entry(pagemap, index, &entry);

	if (ret < 0 || !(entry & PRESENT) || kpageflags < 0)
		return ret < 0 ? ret : !!(entry & PRESENT);
	ret = read_entry(kpageflags, entry & FRAME, &flags);
	return ret < 0 ? ret : !!(flags & COMPOUND_HEAD);
}

/* The first pages of the memory that are there, as many as there is room for. */
static int list_pages(struct migrating *m, size_t begin, size_t bytes, bool huge)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	_cleanup_free_ char *path = str_printf("/proc/%d/pagemap", (int)m->pid);
	_cleanup_close_ int pagemap = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	_cleanup_close_ int kpageflags = huge ? open("/proc/kpageflags", O_RDONLY | O_CLOEXEC) : -1;
	unsigned long n = 0;

	if (pagemap < 0 || (huge && kpageflags < 0))
		return -errno;
	for (size_t at = begin + SKIPPED; at < begin + bytes && n < m->pages; at += page) {
		int ret = fits(pagemap, kpageflags, at / page);

		if (ret < 0)
			return ret;
		if (ret > 0)
			m->page[n++] = (void *)at; /* in the other process */
	}
	m->pages = n;
	return n ? 0 : -ENXIO;
}

static int locate(struct migrating *m)
{
	return syscall(SYS_move_pages, m->pid, m->pages, m->page, NULL, m->status, 0) < 0 ? -errno : 0;
}

/* Each page at the node where it is not. */
static int aim(struct migrating *m)
{
	int ret = locate(m);

	for (size_t i = 0; i < m->pages; i++)
		m->node[i] = m->status[i] != 1;
	return ret;
}

static int prepare(struct stimulus_state *state, const json_t *params)
{
	struct migrating *m = calloc(1, sizeof(*m));
	unsigned long pid = 0;
	size_t begin = 0;
	size_t bytes = 0;
	int ret = m ? stimulus_param_number(params, "pid", 1, INT32_MAX, &pid) : -ENOMEM;

	state->own = m; /* lives as long as the worker */
	if (ret == 0)
		ret = stimulus_param_number(params, "pages", 1, PAGES_MAX, &m->pages);
	if (ret == 0)
		ret = find_memory((pid_t)pid, &begin, &bytes);
	if (ret < 0)
		return ret;
	m->pid = (pid_t)pid;
	ret = list_pages(m, begin, bytes, stimulus_param_is(params, "huge", "yes"));
	return ret < 0 ? ret : aim(m);
}

/*
 * To the other node, and the next time back. Those that did not move are tried again; they do not count. Where some
 * could not be moved the kernel does not say of all where they are (mm/migrate.c, move_pages_and_store_status()).
 */
static int act(struct stimulus_state *state)
{
	struct migrating *m = state->own;
	long left = syscall(SYS_move_pages, m->pid, m->pages, m->page, m->node, m->status, MPOL_MF_MOVE);
	int ret = left < 0 ? -errno : left > 0 ? locate(m) : 0;
	size_t moved = 0;

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < m->pages; i++)
		if (m->status[i] == m->node[i]) {
			m->node[i] = !m->node[i];
			moved++;
		}
	snprintf(state->detail, sizeof(state->detail), "%zu pages", moved);
	return moved ? 0 : -EAGAIN;
}

const struct stimulus_ops *stimulus_migrate(void)
{
	static const struct stimulus_ops ops = {
		.name = "migrate", .role = STIMULUS_STIMULUS, .prepare = prepare, .act = act
	};

	return &ops;
}
