// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimulus.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/cgroup.h"
#include "agents/stimuli/memory_cgroup.h"

#define BELOW 4096 /* the kernel drains the CPUs' caches of charges first, and mostly finds as much there */

struct limiting {
	int current_fd;
	int high_fd;
};

static int open_file(const char *group, const char *file, int flags)
{
	char path[PATH_MAX];
	int ret = cgroup_path(group, file, path, sizeof(path));
	int fd;

	if (ret < 0)
		return ret;
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int prepare(struct stimulus_state *state, const json_t *params)
{
	struct limiting *l = calloc(1, sizeof(*l));
	char name[STIMULUS_CGROUP_BYTES];
	int ret = l ? stimulus_cgroup_make(params, name) : -ENOMEM;

	state->own = l; /* lives as long as the worker */
	if (ret < 0)
		return ret;
	l->current_fd = open_file(name, "/memory.current", O_RDONLY);
	l->high_fd = open_file(name, "/memory.high", O_WRONLY);
	if (l->current_fd < 0)
		return l->current_fd;
	return l->high_fd < 0 ? l->high_fd : 0;
}

static int put(int fd, const char *text)
{
	return pwrite(fd, text, strlen(text), 0) < 0 ? -errno : 0;
}

/* drain_all_stock() for the CPUs that hold charges of the group (kernel mm/memcontrol.c, memory_high_write()). */
static int act(struct stimulus_state *state)
{
	const struct limiting *l = state->own;
	char text[32] = "";
	long long bytes;
	int ret;

	if (pread(l->current_fd, text, sizeof(text) - 1, 0) < 0)
		return -errno;
	bytes = strtoll(text, NULL, 10);
	snprintf(text, sizeof(text), "%lld", bytes > BELOW ? bytes - BELOW : 0);
	ret = put(l->high_fd, text);
	return ret < 0 ? ret : put(l->high_fd, "max");
}

const struct stimulus_ops *stimulus_memory_high(void)
{
	static const struct stimulus_ops ops = { .name = "memory_high",
						 .role = STIMULUS_STIMULUS,
						 .prepare = prepare,
						 .act = act,
						 .clean = stimulus_cgroup_clean };

	return &ops;
}
