// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimulus.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agents/cgroup.h"
#include "agents/stimuli/memory_cgroup.h"

#define LIMIT "33554432"
#define HOG_BYTES ((size_t)256 << 20)
#define KIND_BYTES 64

struct hogging {
	char procs[PATH_MAX];
	const struct stimulus_ops *drain; /* what acts meanwhile; NULL: nothing */
	struct stimulus_state state;	  /* of the drain */
};

/* One that needs nothing of its own, made or undone. */
static int get_drain(const json_t *params, struct hogging *h)
{
	char kind[KIND_BYTES];
	int ret = stimulus_param(params, "drain", kind, sizeof(kind));

	if (ret < 0)
		return ret == -ENOENT ? 0 : ret;
	h->state.fd = -1;
	h->drain = stimulus_kind(kind, NULL);
	return h->drain && !h->drain->prepare && !h->drain->clean ? 0 : -EINVAL;
}

static int prepare(struct stimulus_state *state, const json_t *params)
{
	struct hogging *h = calloc(1, sizeof(*h));
	char name[STIMULUS_CGROUP_BYTES];
	char max[PATH_MAX];
	int ret = h ? stimulus_cgroup_make(params, name) : -ENOMEM;

	state->own = h; /* lives as long as the worker */
	if (ret == 0)
		ret = get_drain(params, h);
	if (ret == 0)
		ret = cgroup_path(name, "/cgroup.procs", h->procs, sizeof(h->procs));
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

/* Drains until the process is gone, one after the other; without one, only waits for it. */
static int drain_until_gone(struct hogging *h, pid_t pid, int *ret_status, unsigned long *ret_drains)
{
	pid_t gone;

	while ((gone = waitpid(pid, ret_status, h->drain ? WNOHANG : 0)) == 0) {
		int ret = h->drain->act(&h->state);

		if (ret < 0) {
			kill(pid, SIGKILL);
			waitpid(pid, ret_status, 0);
			return ret;
		}
		++*ret_drains;
	}
	return gone < 0 ? -errno : 0;
}

static int act(struct stimulus_state *state)
{
	struct hogging *h = state->own;
	unsigned long drains = 0;
	int status = 0;
	pid_t pid = fork();
	int ret;

	if (pid == 0)
		hog(h->procs);
	ret = pid < 0 ? -errno : drain_until_gone(h, pid, &status, &drains);
	if (h->drain)
		snprintf(state->detail, sizeof(state->detail), "drains=%lu times", drains);
	if (ret < 0)
		return ret;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : -ENOTRECOVERABLE;
}

const struct stimulus_ops *stimulus_oom(void)
{
	static const struct stimulus_ops ops = {
		.name = "oom", .role = STIMULUS_STIMULUS, .prepare = prepare, .act = act, .clean = stimulus_cgroup_clean
	};

	return &ops;
}
