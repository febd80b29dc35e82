// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/capture_file.h"
#include "agents/symbols.h"
#include "agents/tracing.h"
#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"

#define CLOCK "x86-tsc"

struct capture {
	char *dir;		     /* of the instance */
	struct capture_event *event; /* those that were enabled */
	size_t count;
	struct tracedat_blob *stats; /* one a CPU, once stopped */
	size_t cpus;
	bool stopped;
};

static int set_up(const char *dir, unsigned int buffer_kib, struct err *err)
{
	char kib[16];
	int ret;

	snprintf(kib, sizeof(kib), "%u", buffer_kib);
	ret = tracing_write(dir, "tracing_on", "0", err);
	if (ret == 0)
		ret = tracing_write(dir, "trace_clock", CLOCK, err);
	if (ret == 0)
		ret = tracing_write(dir, "options/overwrite", "0", err);
	if (ret == 0)
		ret = tracing_write(dir, "buffer_size_kb", kib, err);
	return ret;
}

static int event_write(const char *dir, const struct capture_event *e, const char *file, const char *value,
		       struct err *err)
{
	_cleanup_free_ char *path = capture_event_file(e, file);

	return path ? tracing_write(dir, path, value, err) : err_sys(err, -ENOMEM, "event '%s'", e->name);
}

/* A trigger heeds no filter but its own. */
static int stack_with_event(const char *dir, const struct capture_event *e, const char *filter, struct err *err)
{
	_cleanup_free_ char *trigger = str_printf("stacktrace%s%s", filter[0] ? " if " : "", filter);

	return trigger ? event_write(dir, e, "trigger", trigger, err) : err_sys(err, -ENOMEM, "event '%s'", e->name);
}

static int enable_event(const char *dir, const struct capture_event *e, const json_t *wanted, struct err *err)
{
	const char *filter = json_get_string(wanted, "filter");
	int ret = filter[0] ? event_write(dir, e, "filter", filter, err) : 0;

	if (ret == 0 && json_is_true(json_object_get(wanted, "stack")))
		ret = stack_with_event(dir, e, filter, err);
	return ret < 0 ? ret : event_write(dir, e, "enable", "1", err);
}

static bool event_exists(const char *dir, const struct capture_event *e)
{
	_cleanup_free_ char *path = capture_event_file(e, "enable");

	if (tracing_is_kprobe(e->system) && tracing_kprobe_add(e->system, e->name) < 0)
		return false;

	return path && tracing_has(dir, path);
}

/* "system:event" into its two parts. */
static int name_event(const json_t *wanted, struct capture_event *ret, struct err *err)
{
	const char *name = json_get_string(wanted, "name");
	const char *colon = strchr(name, ':');

	if (!colon || colon == name || !colon[1] || strchr(name, '/') || strchr(name, '.') ||
	    strlen(name) >= sizeof(ret->system))
		return err_set(err, -EINVAL, "event '%s': SYSTEM:EVENT is expected", name);
	snprintf(ret->system, sizeof(ret->system), "%.*s", (int)(colon - name), name);
	snprintf(ret->name, sizeof(ret->name), "%s", colon + 1);
	return 0;
}

static int enable_events(struct capture *c, const json_t *events, json_t *missing, struct err *err)
{
	const json_t *wanted;
	size_t i;
	int ret;

	c->event = calloc(json_array_size(events) + 1, sizeof(*c->event));
	if (!c->event)
		return err_sys(err, -ENOMEM, "events");
	json_array_foreach (events, i, wanted) {
		struct capture_event *e = &c->event[c->count];

		ret = name_event(wanted, e, err);
		if (ret < 0)
			return ret;
		if (!event_exists(c->dir, e)) {
			json_array_append(missing, json_object_get(wanted, "name"));
			continue;
		}
		ret = enable_event(c->dir, e, wanted, err);
		if (ret < 0)
			return ret;
		c->count++;
	}
	return 0;
}

int capture_start(const json_t *events, unsigned int buffer_kib, json_t *missing, struct capture **ret, struct err *err)
{
	struct capture *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_sys(err, -ENOMEM, "cannot record events");
	r = tracing_instance_new(&c->dir, err);
	if (r == 0)
		r = set_up(c->dir, buffer_kib, err);
	if (r == 0)
		r = enable_events(c, events, missing, err);
	if (r == 0)
		r = tracing_write(c->dir, "tracing_on", "1", err);
	if (r < 0) {
		capture_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

/* Value of one line of per_cpu/cpuN/stats. */
static uint64_t stat_value(const char *stats, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = stats; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) == 0 && line[len] == ':')
			return strtoull(line + len + 1, NULL, 10);
	}
	return 0;
}

static int read_stats(struct capture *c, struct err *err)
{
	size_t cpus = tracing_cpus(c->dir);
	int ret;

	c->stats = calloc(cpus + 1, sizeof(*c->stats));
	if (!c->stats)
		return err_sys(err, -ENOMEM, "cannot count events");
	for (; c->cpus < cpus; c->cpus++) {
		struct tracedat_blob *stats = &c->stats[c->cpus];
		char file[64];

		snprintf(file, sizeof(file), "per_cpu/cpu%zu/stats", c->cpus);
		ret = tracing_read(c->dir, file, &stats->data, &stats->bytes, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static struct capture_counts sum_stats(const struct capture *c)
{
	static const char *const losses[] = { "overrun", "commit overrun", "dropped events" };
	struct capture_counts sum = { 0 };

	for (size_t cpu = 0; cpu < c->cpus; cpu++) {
		sum.events += stat_value(c->stats[cpu].data, "entries");
		for (size_t i = 0; i < ARRAY_SIZE(losses); i++)
			sum.lost += stat_value(c->stats[cpu].data, losses[i]);
	}
	return sum;
}

int capture_stop(struct capture *capture, struct capture_counts *ret, struct err *err)
{
	int r;

	if (!capture->stopped) {
		r = tracing_write(capture->dir, "tracing_on", "0", err);
		if (r == 0)
			r = read_stats(capture, err);
		if (r < 0)
			return r;
		capture->stopped = true;
	}
	*ret = sum_stats(capture);
	return 0;
}

int capture_write(struct capture *capture, const struct symbols *symbols, const struct tracedat_link *link, int fd,
		  struct err *err)
{
	const struct capture_file_options options = {
		.dir = capture->dir,
		.event = capture->event,
		.count = capture->count,
		.stats = capture->stats,
		.cpus = capture->cpus,
		.symbols = { symbols ? symbols->text : NULL, symbols ? symbols->bytes : 0 },
		.link = *link,
	};

	if (!capture->stopped)
		return err_set(err, -EBUSY, "events are still being recorded");
	return capture_file_write(&options, fd, err);
}

void capture_free(struct capture *capture)
{
	if (!capture)
		return;
	for (size_t cpu = 0; capture->stats && cpu < capture->cpus; cpu++)
		free(capture->stats[cpu].data);
	free(capture->stats);
	if (capture->dir)
		tracing_instance_remove(capture->dir);
	free(capture->dir);
	for (size_t i = 0; i < capture->count; i++)
		if (tracing_is_kprobe(capture->event[i].system))
			tracing_kprobe_remove(capture->event[i].system, capture->event[i].name);
	free(capture->event);
	free(capture);
}
