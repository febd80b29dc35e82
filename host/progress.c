// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json.h"
#include "common/log.h"
#include "common/mono.h"

#define INTERVAL_NS 1000000000U

int progress_open(struct progress *progress, const char *path, struct err *err)
{
	*progress = (struct progress){ .fd = -1, .phase = "settle", .scenario = "", .guest = "" };
	if (!path)
		return 0;
	progress->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_CLOEXEC, 0666);
	return progress->fd < 0 ? err_sys(err, -errno, "cannot open '%s' for progress", path) : 0;
}

/* Whoever reads may have gone; that is no reason to end a measurement. */
static void write_line(const struct progress *p)
{
	_cleanup_json_ json_t *line =
		json_pack("{s:s, s:s, s:s, s:i, s:i, s:I, s:I}", "phase", p->phase, "scenario", p->scenario, "guest",
			  p->guest, "step", (int)p->step, "steps", (int)p->steps, "left_s", (json_int_t)p->left_s,
			  "gaps", (json_int_t)p->gaps);
	char text[512];
	size_t len = line ? json_dumpb(line, text, sizeof(text) - 1, JSON_COMPACT) : 0;

	if (!len || len >= sizeof(text))
		return;
	text[len++] = '\n';
	if (write(p->fd, text, len) < 0)
		errno = 0;
}

static void show(struct progress *p)
{
	p->shown_ns = mono_ns();
	if (p->fd >= 0)
		write_line(p);
	log_status("%s, guest %s: %s, window %u of %u, %llu s left, %llu gaps", p->scenario, p->guest, p->phase,
		   p->step, p->steps, (unsigned long long)p->left_s, (unsigned long long)p->gaps);
}

void progress_phase(struct progress *p, const char *phase)
{
	p->phase = phase;
	show(p);
}

void progress_tick(struct progress *p)
{
	if (mono_ns() - p->shown_ns >= INTERVAL_NS)
		show(p);
}

void progress_close(struct progress *p)
{
	log_status(NULL);
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}
