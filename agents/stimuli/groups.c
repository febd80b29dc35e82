// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Many groups whose statistics change, and somebody who reads some of them. An update stays on its CPU, under its
 * group, until somebody adds up all groups of all CPUs: who reads does, and who reclaims; or the kernel, every two
 * seconds (kernel mm/memcontrol.c). The readers come first here, so that what changes afterwards is left to others.
 *
 * A page is charged to whose process touched it first. So each group has one of a mapping that all share, and who maps
 * it from then on changes that group's statistics.
 */
#include "agents/stimulus.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agents/cgroup.h"
#include "agents/stimuli/memory_cgroup.h"
#include "common/cleanup.h"
#include "common/fs.h"

#define GROUPS_MAX 1000
#define TOUCHES_PER_CPU 64 /* below 64 updates for each CPU the kernel adds nothing up, and a touch makes two */
#define MAX_STAT_BYTES 65536

struct grouping {
	char name[STIMULUS_CGROUP_BYTES];
	unsigned long groups;
	unsigned long readers;
	unsigned long rounds; /* of touches, in each action */
	size_t page;	      /* bytes */
};

static int read_params(const json_t *params, struct grouping *g)
{
	int ret = stimulus_param(params, "cgroup", g->name, sizeof(g->name));

	if (ret == 0)
		ret = stimulus_param_number(params, "groups", 1, GROUPS_MAX, &g->groups);
	if (ret < 0)
		return ret;
	return stimulus_param_number_or(params, "readers", 0, g->groups, &g->readers);
}

static char *name_of(const struct grouping *g, unsigned long number)
{
	return str_printf("%s-%lu", g->name, number);
}

static void touch(const struct stimulus_state *state, unsigned long number)
{
	const struct grouping *g = state->own;

	((volatile unsigned char *)state->page)[number * g->page];
}

/* By a process that begins and ends in the group. */
static int touch_inside(const struct stimulus_state *state, const char *group, unsigned long number)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	char path[PATH_MAX];
	int ret = cgroup_path(group, "", path, sizeof(path));
	_cleanup_close_ int fd = ret < 0 ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t pid;

	if (fd < 0)
		return ret < 0 ? ret : -errno;
	args.cgroup = (unsigned int)fd;
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		touch(state, number);
		_exit(0);
	}
	return pid < 0 || waitpid(pid, NULL, 0) < 0 ? -errno : 0;
}

static int make_group(const struct stimulus_state *state, unsigned long number)
{
	_cleanup_free_ char *name = name_of(state->own, number);
	int ret = name ? cgroup_make(name) : -ENOMEM;

	return ret < 0 ? ret : touch_inside(state, name, number);
}

static int prepare(struct stimulus_state *state, const json_t *params)
{
	struct grouping *g = calloc(1, sizeof(*g));
	int ret = g ? read_params(params, g) : -ENOMEM;

	state->own = g; /* lives as long as the worker */
	if (ret < 0)
		return ret;
	g->page = (size_t)sysconf(_SC_PAGESIZE);
	g->rounds = TOUCHES_PER_CPU * (1 + (unsigned long)sysconf(_SC_NPROCESSORS_ONLN)) / g->groups + 1;
	state->page = mmap(NULL, g->groups * g->page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (state->page == MAP_FAILED)
		return -errno;
	for (unsigned long i = 0; ret == 0 && i < g->groups; i++)
		ret = make_group(state, i);
	return ret;
}

static int read_statistics(const struct grouping *g, unsigned long number)
{
	_cleanup_free_ char *name = name_of(g, number);
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	int ret = name ? cgroup_path(name, "/memory.stat", path, sizeof(path)) : -ENOMEM;

	return ret < 0 ? ret : fs_read(path, MAX_STAT_BYTES, &text, NULL, NULL);
}

static int act(struct stimulus_state *state)
{
	const struct grouping *g = state->own;
	int ret = 0;

	for (unsigned long i = 0; ret == 0 && i < g->readers; i++)
		ret = read_statistics(g, i);
	for (unsigned long n = 0; ret == 0 && n < g->rounds; n++) {
		for (unsigned long i = 0; i < g->groups; i++)
			touch(state, i);
		ret = madvise(state->page, g->groups * g->page, MADV_DONTNEED) < 0 ? -errno : 0;
	}
	return ret;
}

/* The first one last: it may have handed the memory controller down. */
static void clean(const json_t *params)
{
	struct grouping g = { .groups = 0 };

	if (read_params(params, &g) < 0)
		return;
	while (g.groups--) {
		_cleanup_free_ char *name = name_of(&g, g.groups);

		if (name)
			cgroup_remove(name);
	}
}

const struct stimulus_ops *stimulus_groups(void)
{
	static const struct stimulus_ops ops = {
		.name = "groups", .role = STIMULUS_STIMULUS, .prepare = prepare, .act = act, .clean = clean
	};

	return &ops;
}
