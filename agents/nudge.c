// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/nudge.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "agents/worker.h"

#define READY_TIMEOUT_MS 30000

struct nudge {
	struct worker sleeper; /* on the CPU */
	struct worker waker;   /* on a housekeeping CPU */
};

static int sleeper_body(struct worker *self, void *ctx)
{
	int ret = worker_pin(self);

	(void)ctx;
	if (ret < 0)
		return ret;
	worker_report(self);
	do {
		ret = worker_await(self);
	} while (ret == 0);
	return ret;
}

/* Runs without a timer of its own on the CPU it nudges: only the wake-ups reach it. */
static int waker_body(struct worker *self, void *ctx)
{
	unsigned int hz = *(const unsigned int *)ctx;
	const struct timespec pause = { .tv_sec = hz == 1, .tv_nsec = hz == 1 ? 0 : 1000000000 / (long)hz };
	int ret = worker_pin(self);

	if (ret < 0)
		return ret;
	worker_report(self);
	do {
		nanosleep(&pause, NULL);
		ret = worker_wake(self);
	} while (ret == 0);
	return ret;
}

int nudge_start(int cpu, unsigned int hz, const cpu_set_t *housekeeping, struct nudge **ret, struct err *err)
{
	struct worker_options options = {
		.name = "vcpulat-nudge", .cpu = cpu, .housekeeping = housekeeping, .shared_bytes = 1
	};
	struct nudge *nudge;
	int r;

	if (cpu < 0 || cpu >= CPU_SETSIZE || hz < 1 || hz > NUDGE_MAX_HZ)
		return err_set(err, -EINVAL, "cannot nudge CPU %d %u times a second: 1 to %d are possible", cpu, hz,
			       NUDGE_MAX_HZ);
	nudge = calloc(1, sizeof(*nudge));
	if (!nudge)
		return err_sys(err, -ENOMEM, "nudging CPU %d", cpu);
	r = worker_start(&options, sleeper_body, NULL, READY_TIMEOUT_MS, &nudge->sleeper, err);
	if (r == 0) {
		options.cpu = -1;
		options.other_go_fd = nudge->sleeper.go_fd;
		r = worker_start(&options, waker_body, &hz, READY_TIMEOUT_MS, &nudge->waker, err);
	}
	if (r < 0) {
		nudge_free(nudge);
		return r;
	}
	*ret = nudge;
	return 0;
}

void nudge_free(struct nudge *nudge)
{
	if (!nudge)
		return;
	worker_end(&nudge->waker);
	worker_end(&nudge->sleeper);
	free(nudge);
}
