// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimulus.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agents/cgroup.h"
#include "agents/stimulus_cgroup.h"

#define LIMIT "33554432"
#define HOG_BYTES ((size_t)256 << 20)

static int prepare(struct stimulus_state *state, const json_t *params)
{
	char *procs = malloc(PATH_MAX);
	char name[STIMULUS_CGROUP_BYTES];
	char max[PATH_MAX];
	int ret = procs ? stimulus_cgroup_make(params, name) : -ENOMEM;

	state->own = procs; /* lives as long as the worker */
	if (ret == 0)
		ret = cgroup_path(name, "/cgroup.procs", procs, PATH_MAX);
	if (ret == 0)
		ret = cgroup_path(name, "/memory.max", max, sizeof(max));
	return ret < 0 ? ret : cgroup_put(max, LIMIT);
}

/* Of all in the group it is the one that goes. Never returns. */
static void hog(const char *procs)
{
	volatile unsigned char *memory;

	if (cgroup_put("/proc/self/oom_score_adj", "1000") < 0 || cgroup_put(procs, "0") < 0)
		_exit(1);
	memory = mmap(NULL, HOG_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; memory != MAP_FAILED && i < HOG_BYTES; i += 4096)
		memory[i] = 1;
	_exit(1);
}

static int act(struct stimulus_state *state)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		hog(state->own);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : -ENOTRECOVERABLE;
}

const struct stimulus_ops *stimulus_oom(void)
{
	static const struct stimulus_ops ops = {
		.name = "oom", .role = STIMULUS_STIMULUS, .prepare = prepare, .act = act, .clean = stimulus_cgroup_clean
	};

	return &ops;
}
