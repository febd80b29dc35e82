// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/capture_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agents/tracing.h"
#include "common/cleanup.h"
#include "common/fs.h"

/* Everything of a file that has to be freed. */
struct gathered {
	struct tracedat_parts parts;
	struct tracedat_format *ftrace;
	struct tracedat_format *events;
	int *cpu_pages;
};

char *capture_event_file(const struct capture_event *event, const char *file)
{
	return str_printf("events/%s/%s/%s", event->system, event->name, file);
}

static int read_tracing(const char *dir, const char *file, struct tracedat_blob *ret, struct err *err)
{
	return tracing_read(dir, file, &ret->data, &ret->bytes, err);
}

static int read_format(const struct capture_event *event, const char *system, struct tracedat_format *ret,
		       struct err *err)
{
	_cleanup_free_ char *path = capture_event_file(event, "format");

	ret->system = system;
	return path ? read_tracing(TRACING_ROOT, path, &ret->text, err) : err_sys(err, -ENOMEM, "event formats");
}

static int add_ftrace(struct gathered *g, const char *name, struct err *err)
{
	struct capture_event event = { .system = "ftrace" };
	struct tracedat_format *bigger = realloc(g->ftrace, (g->parts.ftrace_count + 1) * sizeof(*bigger));
	int ret;

	if (!bigger)
		return err_sys(err, -ENOMEM, "event formats");
	g->ftrace = bigger;
	g->parts.ftrace = bigger;
	bigger[g->parts.ftrace_count] = (struct tracedat_format){ 0 };
	snprintf(event.name, sizeof(event.name), "%s", name);
	ret = read_format(&event, "ftrace", &bigger[g->parts.ftrace_count], err);
	g->parts.ftrace_count += ret == 0;
	return ret == -ENOENT || ret == -ENOTDIR ? 0 : ret;
}

/* Formats of the events of system ftrace: its directory also has files, and directories without a format. */
static int gather_ftrace(struct gathered *g, struct err *err)
{
	_cleanup_closedir_ DIR *dir = opendir(TRACING_ROOT "/events/ftrace");
	struct dirent *entry;
	int ret = 0;

	if (!dir)
		return err_sys(err, -errno, "cannot read '%s'", TRACING_ROOT "/events/ftrace");
	while (ret == 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			ret = add_ftrace(g, entry->d_name, err);
	return ret;
}

static int compare_events(const void *a, const void *b)
{
	const struct capture_event *x = a;
	const struct capture_event *y = b;
	int order = strcmp(x->system, y->system);

	return order ? order : strcmp(x->name, y->name);
}

static int gather_events(struct gathered *g, const struct capture_file_options *o, struct err *err)
{
	int ret;

	g->events = calloc(o->count + 1, sizeof(*g->events));
	if (!g->events)
		return err_sys(err, -ENOMEM, "event formats");
	qsort(o->event, o->count, sizeof(o->event[0]), compare_events);
	for (size_t i = 0; i < o->count; i++) {
		if (i > 0 && compare_events(&o->event[i - 1], &o->event[i]) == 0)
			continue;
		ret = read_format(&o->event[i], o->event[i].system, &g->events[g->parts.events_count], err);
		if (ret < 0)
			return ret;
		g->parts.events_count++;
	}
	g->parts.events = g->events;
	return 0;
}

/* Whose text is there to look at, not to decode by, may be missing. */
static void gather_optional(struct gathered *g)
{
	read_tracing(TRACING_ROOT, "printk_formats", &g->parts.printk_formats, NULL);
	read_tracing(TRACING_ROOT, "saved_cmdlines", &g->parts.saved_cmdlines, NULL);
}

static int gather_text(struct gathered *g, const char *dir, struct err *err)
{
	struct utsname u;
	int ret = read_tracing(TRACING_ROOT, "events/header_page", &g->parts.header_page, err);

	if (ret == 0)
		ret = read_tracing(TRACING_ROOT, "events/header_event", &g->parts.header_event, err);
	if (ret == 0)
		ret = read_tracing(dir, "trace_clock", &g->parts.trace_clock, err);
	if (ret < 0)
		return ret;
	gather_optional(g);
	if (uname(&u) == 0)
		g->parts.uname.data = str_printf("%s %s %s %s", u.sysname, u.nodename, u.release, u.machine);
	g->parts.uname.bytes = g->parts.uname.data ? strlen(g->parts.uname.data) : 0;
	return 0;
}

static int open_pages(struct gathered *g, const struct capture_file_options *o, struct err *err)
{
	g->cpu_pages = calloc(o->cpus + 1, sizeof(*g->cpu_pages));
	if (!g->cpu_pages)
		return err_sys(err, -ENOMEM, "ring buffer pages");
	g->parts.cpu_pages = g->cpu_pages;
	for (; g->parts.cpus < o->cpus; g->parts.cpus++) {
		_cleanup_free_ char *path = str_printf("%s/per_cpu/cpu%zu/trace_pipe_raw", o->dir, g->parts.cpus);
		int fd = path ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;

		if (fd < 0)
			return err_sys(err, -errno, "cannot open '%s'", path ? path : "trace_pipe_raw");
		g->cpu_pages[g->parts.cpus] = fd;
	}
	return 0;
}

static void free_formats(struct tracedat_format *f, size_t count)
{
	for (size_t i = 0; f && i < count; i++)
		free(f[i].text.data);
	free(f);
}

static void gathered_done(struct gathered *g)
{
	struct tracedat_parts *p = &g->parts;

	free_formats(g->ftrace, p->ftrace_count);
	free_formats(g->events, p->events_count);
	for (size_t i = 0; g->cpu_pages && i < p->cpus; i++)
		close(g->cpu_pages[i]);
	free(g->cpu_pages);
	free(p->header_page.data);
	free(p->header_event.data);
	free(p->trace_clock.data);
	free(p->printk_formats.data);
	free(p->saved_cmdlines.data);
	free(p->uname.data);
}

int capture_file_write(const struct capture_file_options *options, int fd, struct err *err)
{
	_cleanup_(gathered_done) struct gathered g = {
		.parts = { .cpu_stats = options->stats, .kallsyms = options->symbols, .link = options->link }
	};
	int ret = gather_text(&g, options->dir, err);

	if (ret == 0)
		ret = gather_ftrace(&g, err);
	if (ret == 0)
		ret = gather_events(&g, options, err);
	if (ret == 0)
		ret = open_pages(&g, options, err);
	return ret < 0 ? ret : tracedat_write(fd, &g.parts, err);
}
