// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimulus.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VALUE_BYTES 64

struct writing {
	char value[VALUE_BYTES];
	char back[VALUE_BYTES]; /* "": nothing is written after it */
	bool may_be_refused;	/* the attempt is what counts */
};

static int read_params(const json_t *params, char path[static PATH_MAX], struct writing *w)
{
	char refused[VALUE_BYTES] = "";
	int ret = stimulus_param(params, "path", path, PATH_MAX);

	if (ret == 0)
		ret = stimulus_param(params, "value", w->value, sizeof(w->value));
	if (ret < 0)
		return ret;
	if (stimulus_param(params, "back", w->back, sizeof(w->back)) == -ENAMETOOLONG)
		return -ENAMETOOLONG;
	stimulus_param(params, "refused", refused, sizeof(refused));
	w->may_be_refused = strcmp(refused, "ok") == 0;
	return (strncmp(path, "/proc/sys/", 10) && strncmp(path, "/sys/", 5)) || strstr(path, "..") ? -EPERM : 0;
}

static int prepare(struct stimulus_state *state, const json_t *params)
{
	struct writing *w = calloc(1, sizeof(*w));
	char path[PATH_MAX];
	int ret = w ? read_params(params, path, w) : -ENOMEM;

	state->own = w; /* lives as long as the worker */
	if (ret < 0)
		return ret;
	state->fd = open(path, O_WRONLY | O_CLOEXEC);
	return state->fd < 0 ? -errno : 0;
}

static int put(int fd, const char *text)
{
	return pwrite(fd, text, strlen(text), 0) < 0 ? -errno : 0;
}

static int act(struct stimulus_state *state)
{
	const struct writing *w = state->own;
	int ret = put(state->fd, w->value);

	if (ret == -EBUSY && w->may_be_refused)
		return 0; /* and nothing has changed that would have to be written back */
	if (ret < 0 || !w->back[0])
		return ret;
	return put(state->fd, w->back);
}

const struct stimulus_ops *stimulus_write(void)
{
	static const struct stimulus_ops ops = {
		.name = "write", .role = STIMULUS_STIMULUS, .prepare = prepare, .act = act
	};

	return &ops;
}
