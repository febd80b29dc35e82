// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimulus.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agents/stimuli/loop_disk.h"

/* Else it is there, or another kind makes it. */
static bool makes_disk(const json_t *params)
{
	return stimulus_param_is(params, "make", "yes");
}

/*
 * Maps all of the device: its pages then stay in memory through every flush, so that reading
 * them afterwards does nothing but look up their buffers.
 */
static int prepare(struct stimulus_state *state, const json_t *params)
{
	char path[PATH_MAX];
	unsigned long long bytes;
	int ret = makes_disk(params) ? loop_disk_attach(params, path, &state->fd)
				     : stimulus_param(params, "device", path, sizeof(path));

	if (ret < 0)
		return ret;
	if (state->fd < 0)
		state->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (state->fd < 0 || ioctl(state->fd, BLKGETSIZE64, &bytes) < 0)
		return -errno;
	state->page = mmap(NULL, bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, state->fd, 0);
	return state->page == MAP_FAILED ? -errno : 0;
}

/*
 * Interrupts each CPU that remembers buffers, of whatever device (kernel fs/buffer.c, invalidate_bh_lrus()), and has
 * all CPUs empty their batches of new pages (block/bdev.c, invalidate_bdev()).
 */
static int act(struct stimulus_state *state)
{
	return ioctl(state->fd, BLKFLSBUF, 0) < 0 ? -errno : 0;
}

static void clean(const json_t *params)
{
	if (makes_disk(params))
		loop_disk_remove(params);
}

const struct stimulus_ops *stimulus_flush_buffers(void)
{
	static const struct stimulus_ops ops = {
		.name = "flush_buffers", .role = STIMULUS_STIMULUS, .prepare = prepare, .act = act, .clean = clean
	};

	return &ops;
}
