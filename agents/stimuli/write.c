// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimulus.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/mono.h"

#define VALUE_BYTES 64
#define NAME_BYTES 32
#define HOLD_MAX_MS 10000
#define MAX_STAT_BYTES ((size_t)1 << 20)

/* As in struct stimulus_state's owed. */
enum { MAIN, BESIDE, FIRST, WRITERS };

/* Of their parameters' names. */
static const char *const prefixes[WRITERS] = { "", "beside_", "first_" };

struct writing {
	bool wanted;
	int fd;
	char value[VALUE_BYTES];
	char back[VALUE_BYTES]; /* "": nothing is written after it */
	int back_fd;		/* where it is written */
	unsigned long hold_ms;	/* before it is written back */
	bool may_be_refused;	/* the attempt is what counts */
	bool *owed;		/* it is still to be written back; the agent sees it */
	int result;		/* of the last time */
	unsigned long took_ms;
};

struct writers {
	struct writing one[WRITERS];
	char counter[NAME_BYTES]; /* of /proc/vmstat, whose growth is told; "": none */
	unsigned long least;	  /* it must grow */
};

static int open_param(const json_t *params, const char *name)
{
	char path[PATH_MAX];
	int ret = stimulus_param(params, name, path, sizeof(path));
	int fd;

	if (ret < 0)
		return ret;
	if (!fs_is_setting(path))
		return -EPERM;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

struct name {
	char text[NAME_BYTES];
};

static struct name name_of(int writer, const char *param)
{
	struct name name;

	snprintf(name.text, sizeof(name.text), "%s%s", prefixes[writer], param);
	return name;
}

/* What all writers have. */
static int read_writing(const json_t *params, int writer, struct writing *w)
{
	const struct name path = name_of(writer, "path");
	int ret;

	w->wanted = writer == MAIN || json_object_get(params, path.text);
	if (!w->wanted)
		return 0;
	ret = stimulus_param(params, name_of(writer, "value").text, w->value, sizeof(w->value));
	if (ret < 0)
		return ret;
	if (stimulus_param(params, name_of(writer, "back").text, w->back, sizeof(w->back)) == -ENAMETOOLONG)
		return -ENAMETOOLONG;
	w->fd = open_param(params, path.text);
	w->back_fd = w->fd;
	return w->fd < 0 ? w->fd : 0;
}

/* What only the one that it is all about has. */
static int read_main(const json_t *params, struct writing *w)
{
	int ret = stimulus_param_number_or(params, "hold", 0, HOLD_MAX_MS, &w->hold_ms);

	if (ret < 0)
		return ret;
	w->may_be_refused = stimulus_param_is(params, "refused", "ok");
	if (json_object_get(params, "back_path"))
		w->back_fd = open_param(params, "back_path");
	return w->back_fd < 0 ? w->back_fd : 0;
}

/* Reading it sums up the CPUs' counts, and disturbs none of them (kernel mm/vmstat.c, sum_vm_events()). */
static int read_counter(const char *name, unsigned long long *ret)
{
	_cleanup_free_ char *text = NULL;
	int r = name[0] ? fs_read("/proc/vmstat", MAX_STAT_BYTES, &text, NULL, NULL) : -ENOENT;
	const size_t len = strlen(name);

	for (char *rest = text, *line; r == 0 && (line = strsep(&rest, "\n"));)
		if (strncmp(line, name, len) == 0 && sscanf(line + len, " %llu", ret) == 1)
			return 0;
	return r < 0 ? r : -ENODEV;
}

static int read_growth(const json_t *params, struct writers *w)
{
	unsigned long long count = 0;
	int ret = 0;

	if (json_object_get(params, "counter"))
		ret = stimulus_param(params, "counter", w->counter, sizeof(w->counter));
	if (ret == 0 && w->counter[0])
		ret = read_counter(w->counter, &count);
	return ret < 0 ? ret : stimulus_param_number_or(params, "least", 0, UINT32_MAX, &w->least);
}

static int prepare(struct stimulus_state *state, const json_t *params)
{
	struct writers *w = calloc(1, sizeof(*w));
	int ret = w ? 0 : -ENOMEM;

	state->own = w; /* lives as long as the worker */
	for (int i = 0; ret == 0 && i < WRITERS; i++) {
		w->one[i].owed = &state->owed[i];
		ret = read_writing(params, i, &w->one[i]);
	}
	if (ret == 0)
		ret = read_main(params, &w->one[MAIN]);
	return ret < 0 ? ret : read_growth(params, w);
}

static int put(int fd, const char *text)
{
	ssize_t n = pwrite(fd, text, strlen(text), 0);

	if (n < 0 && errno == ESPIPE) /* files of debugfs have no positions */
		n = write(fd, text, strlen(text));
	return n < 0 ? -errno : 0;
}

/*
 * A kill may come at any point. Into the same file a value can be written back twice, or for nothing, so that this is
 * owed from before the first write until after the second. Where it goes to another file, the second gives back what
 * the first took: twice would be too much, and what is in doubt is not owed.
 */
static int put_there_and_back(const struct writing *w)
{
	bool in_doubt = w->back_fd == w->fd;
	int ret;

	*w->owed = w->back[0] && in_doubt;
	ret = put(w->fd, w->value);
	*w->owed = w->back[0] && ret == 0;
	if (ret == -EBUSY && w->may_be_refused)
		return 0; /* and nothing has changed that would have to be written back */
	if (ret < 0 || !w->back[0])
		return ret;
	if (w->hold_ms)
		usleep((useconds_t)w->hold_ms * 1000);
	*w->owed = in_doubt;
	ret = put(w->back_fd, w->back);
	*w->owed = ret < 0;
	return ret;
}

static void *run_writer(void *arg)
{
	struct writing *w = arg;
	uint64_t begin_ns = mono_ns();

	w->result = put_there_and_back(w);
	w->took_ms = (unsigned long)((mono_ns() - begin_ns) / 1000000);
	return NULL;
}

/* The main one, and the one beside it if there is one. */
static int write_both(struct writers *w)
{
	struct writing *beside = &w->one[BESIDE];
	pthread_t thread;
	int ret = beside->wanted ? pthread_create(&thread, NULL, run_writer, beside) : 0;

	if (ret)
		return -ret;
	run_writer(&w->one[MAIN]);
	if (!beside->wanted)
		return w->one[MAIN].result;
	pthread_join(thread, NULL);
	return w->one[MAIN].result < 0 ? w->one[MAIN].result : beside->result;
}

static int act(struct stimulus_state *state)
{
	struct writers *w = state->own;
	unsigned long long before = 0;
	unsigned long long after = 0;
	int ret = w->one[FIRST].wanted ? put_there_and_back(&w->one[FIRST]) : 0;
	int used;

	if (ret < 0)
		return ret;
	read_counter(w->counter, &before);
	ret = write_both(w);
	read_counter(w->counter, &after);
	used = snprintf(state->detail, sizeof(state->detail), "took=%lu ms", w->one[MAIN].took_ms);
	if (w->one[BESIDE].wanted)
		used += snprintf(state->detail + used, sizeof(state->detail) - (size_t)used, ", beside took=%lu ms",
				 w->one[BESIDE].took_ms);
	if (w->counter[0])
		snprintf(state->detail + used, sizeof(state->detail) - (size_t)used, ", %s=%llu events", w->counter,
			 after - before);
	return ret == 0 && after - before < w->least ? -ENODATA : ret; /* it did not meet what it is about */
}

static void write_back(const json_t *params, int writer)
{
	const bool elsewhere = writer == MAIN && json_object_get(params, "back_path");
	const struct name path = name_of(writer, elsewhere ? "back_path" : "path");
	_cleanup_close_ int fd = open_param(params, path.text);
	char back[VALUE_BYTES];

	if (fd >= 0 && stimulus_param(params, name_of(writer, "back").text, back, sizeof(back)) == 0)
		put(fd, back);
}

static void repay(const json_t *params, const bool owed[static STIMULUS_DEBTS_MAX])
{
	for (int i = 0; i < WRITERS; i++)
		if (owed[i])
			write_back(params, i);
}

const struct stimulus_ops *stimulus_write(void)
{
	static const struct stimulus_ops ops = {
		.name = "write", .role = STIMULUS_STIMULUS, .prepare = prepare, .act = act, .repay = repay
	};

	return &ops;
}
