// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimulus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agents/stimuli/loop_disk.h"
#include "common/cleanup.h"

#define ENTRIES_BYTES 4096

/* Mounted nowhere, so that it goes with the last descriptor. */
static int mount_root(const char *device)
{
	_cleanup_close_ int context = fsopen("ext4", FSOPEN_CLOEXEC);
	_cleanup_close_ int root = -1;
	int fd;

	if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "source", device, 0) < 0 ||
	    fsconfig(context, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0 ||
	    fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	root = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
	fd = root < 0 ? -1 : openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int prepare(struct stimulus_state *state, const json_t *params)
{
	_cleanup_close_ int fd = -1;
	char device[PATH_MAX];
	int ret = loop_disk_attach(params, device, &fd);

	if (ret < 0)
		return ret;
	state->fd = mount_root(device);
	state->page = malloc(ENTRIES_BYTES); /* lives as long as the worker, as does the descriptor */
	if (state->fd < 0)
		return state->fd;
	return state->page ? 0 : -ENOMEM;
}

/* The CPU remembers the directory's buffer until somebody has it forget all of them (kernel fs/buffer.c, bh_lrus). */
static int act(struct stimulus_state *state)
{
	if (lseek(state->fd, 0, SEEK_SET) < 0 || syscall(SYS_getdents64, state->fd, state->page, ENTRIES_BYTES) < 0)
		return -errno;
	return 0;
}

const struct stimulus_ops *stimulus_list(void)
{
	static const struct stimulus_ops ops = {
		.name = "list", .role = STIMULUS_PRIMER, .prepare = prepare, .act = act, .clean = loop_disk_remove
	};

	return &ops;
}
