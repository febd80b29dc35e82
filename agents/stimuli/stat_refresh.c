// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimulus.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define STAT_REFRESH "/proc/sys/vm/stat_refresh"

static int prepare(struct stimulus_state *state, const json_t *params)
{
	(void)params;
	state->fd = open(STAT_REFRESH, O_WRONLY | O_CLOEXEC);
	return state->fd < 0 ? -errno : 0;
}

/* schedule_on_each_cpu(refresh_vm_stats), and waits for all of them (kernel mm/vmstat.c). */
static int act(struct stimulus_state *state)
{
	return pwrite(state->fd, "1", 1, 0) < 0 ? -errno : 0;
}

const struct stimulus_ops *stimulus_stat_refresh(void)
{
	static const struct stimulus_ops ops = {
		.name = "stat_refresh", .role = STIMULUS_STIMULUS, .prepare = prepare, .act = act
	};

	return &ops;
}
