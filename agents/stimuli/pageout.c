// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimulus.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/zram_swap.h"

#define SWAP_BYTES (64ULL << 20)
#define MAX_MAPS_BYTES (4 << 20)

struct paging {
	int pidfd;
	struct iovec range;
};

/* The range of the line of a process's maps that ends with the file's name. */
static bool find_range(const char *maps, const char *file, struct iovec *ret)
{
	const char *name = strstr(maps, file);
	const char *line = name;
	unsigned long from;
	unsigned long to;

	while (line && line > maps && line[-1] != '\n')
		line--;
	if (!line || sscanf(line, "%lx-%lx", &from, &to) != 2)
		return false;
	*ret = (struct iovec){ (void *)from, to - from };
	return true;
}

/* Who maps the file is the VMM. */
static int find_mapping(const char *file, struct paging *p)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		_cleanup_free_ char *path = str_printf("/proc/%s/maps", entry->d_name);
		_cleanup_free_ char *maps = NULL;

		if (!isdigit((unsigned char)entry->d_name[0]) || !path ||
		    fs_read(path, MAX_MAPS_BYTES, &maps, NULL, NULL) < 0 || !find_range(maps, file, &p->range))
			continue;
		p->pidfd = (int)syscall(SYS_pidfd_open, (pid_t)strtol(entry->d_name, NULL, 10), 0);
		return p->pidfd < 0 ? -errno : 0;
	}
	return -ESRCH;
}

static int prepare(struct stimulus_state *state, const json_t *params)
{
	struct paging *p = calloc(1, sizeof(*p));
	char file[PATH_MAX];
	int ret = p ? stimulus_param(params, "file", file, sizeof(file)) : -ENOMEM;

	state->own = p; /* lives as long as the worker */
	if (ret == 0)
		ret = find_mapping(file, p);
	return ret < 0 ? ret : zram_swap_on(SWAP_BYTES, NULL);
}

/* Pages that a CPU still keeps in its batch of new ones stay (kernel mm/madvise.c). */
static int act(struct stimulus_state *state)
{
	const struct paging *p = state->own;

	return syscall(SYS_process_madvise, p->pidfd, &p->range, 1, MADV_PAGEOUT, 0) < 0 ? -errno : 0;
}

static void clean(const json_t *params)
{
	(void)params;
	zram_swap_off(NULL);
}

const struct stimulus_ops *stimulus_pageout(void)
{
	static const struct stimulus_ops ops = {
		.name = "pageout", .role = STIMULUS_STIMULUS, .prepare = prepare, .act = act, .clean = clean
	};

	return &ops;
}
