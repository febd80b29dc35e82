// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/mono.h"

static const int stop_signals[] = { SIGINT, SIGTERM, SIGHUP };
static volatile sig_atomic_t stop_flag;
static volatile sig_atomic_t holding;
static volatile sig_atomic_t held;
static int stop_event = -1;

static void request(void)
{
	int saved = errno;
	uint64_t one = 1;

	stop_flag = 1;
	if (write(stop_event, &one, sizeof(one)) < 0)
		errno = saved; /* full counter: readable already */
	errno = saved;
}

static void on_signal(int sig)
{
	(void)sig;
	if (holding && !held)
		held = 1;
	else
		request();
}

int stop_install(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (stop_event < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(stop_signals); i++)
		if (sigaction(stop_signals[i], &action, NULL) < 0)
			return -errno;
	return sigaction(SIGPIPE, &ignore, NULL) < 0 ? -errno : 0;
}

void stop_reset(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(stop_signals); i++)
		signal(stop_signals[i], SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
}

bool stop_requested(void)
{
	return stop_flag;
}

void stop_acknowledge(void)
{
	uint64_t count;

	stop_flag = 0;
	if (stop_event >= 0 && read(stop_event, &count, sizeof(count)) < 0)
		errno = 0; /* empty: nobody had asked */
}

void stop_hold(void)
{
	held = 0;
	holding = 1;
}

void stop_release(void)
{
	holding = 0;
	if (held)
		request();
	held = 0;
}

int stop_fd(void)
{
	return stop_event;
}

int stop_poll(int fd, short events, int timeout_ms)
{
	struct pollfd fds[2] = { { .fd = stop_event, .events = POLLIN }, { .fd = fd, .events = events } };
	int64_t end = mono_ms() + timeout_ms;
	int left = timeout_ms;
	int n;

	do {
		if (stop_flag)
			return -EINTR;
		n = poll(fds, 2, left);
		if (n > 0 && !(fds[0].revents & POLLIN))
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		left = timeout_ms < 0 ? -1 : (int)(end - mono_ms());
	} while (timeout_ms < 0 || left > 0);
	return stop_flag ? -EINTR : -ETIMEDOUT;
}

int stop_wait(int timeout_ms)
{
	int ret = stop_poll(-1, 0, timeout_ms);

	return ret == -ETIMEDOUT ? 0 : ret;
}
