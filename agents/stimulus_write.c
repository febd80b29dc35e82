// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimulus.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VALUE_BYTES 64
#define HOLD_MAX_MS 10000

struct writing {
	char value[VALUE_BYTES];
	char back[VALUE_BYTES]; /* "": nothing is written after it */
	int back_fd;		/* where it is written */
	unsigned long hold_ms;	/* before it is written back */
	bool may_be_refused;	/* the attempt is what counts */
};

static bool is_writable(const char *path)
{
	return (strncmp(path, "/proc/sys/", 10) == 0 || strncmp(path, "/sys/", 5) == 0) && !strstr(path, "..");
}

static int open_param(const json_t *params, const char *name)
{
	char path[PATH_MAX];
	int ret = stimulus_param(params, name, path, sizeof(path));
	int fd;

	if (ret < 0)
		return ret;
	if (!is_writable(path))
		return -EPERM;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int read_params(const json_t *params, struct writing *w)
{
	char refused[VALUE_BYTES] = "";
	int ret = stimulus_param(params, "value", w->value, sizeof(w->value));

	if (ret < 0)
		return ret;
	if (stimulus_param(params, "back", w->back, sizeof(w->back)) == -ENAMETOOLONG)
		return -ENAMETOOLONG;
	if (stimulus_param_number(params, "hold", 0, HOLD_MAX_MS, &w->hold_ms) == -EINVAL)
		return -EINVAL;
	stimulus_param(params, "refused", refused, sizeof(refused));
	w->may_be_refused = strcmp(refused, "ok") == 0;
	return 0;
}

static int prepare(struct stimulus_state *state, const json_t *params)
{
	struct writing *w = calloc(1, sizeof(*w));
	int ret = w ? read_params(params, w) : -ENOMEM;

	state->own = w; /* lives as long as the worker */
	if (ret < 0)
		return ret;
	state->fd = open_param(params, "path");
	if (state->fd < 0)
		return state->fd;
	w->back_fd = json_object_get(params, "back_path") ? open_param(params, "back_path") : state->fd;
	return w->back_fd < 0 ? w->back_fd : 0;
}

static int put(int fd, const char *text)
{
	ssize_t n = pwrite(fd, text, strlen(text), 0);

	if (n < 0 && errno == ESPIPE) /* files of debugfs have no positions */
		n = write(fd, text, strlen(text));
	return n < 0 ? -errno : 0;
}

static int act(struct stimulus_state *state)
{
	const struct writing *w = state->own;
	int ret = put(state->fd, w->value);

	if (ret == -EBUSY && w->may_be_refused)
		return 0; /* and nothing has changed that would have to be written back */
	if (ret < 0 || !w->back[0])
		return ret;
	if (w->hold_ms)
		usleep((useconds_t)w->hold_ms * 1000);
	return put(w->back_fd, w->back);
}

const struct stimulus_ops *stimulus_write(void)
{
	static const struct stimulus_ops ops = {
		.name = "write", .role = STIMULUS_STIMULUS, .prepare = prepare, .act = act
	};

	return &ops;
}
