// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/stop.h"

#define REAP_TIMEOUT_MS 5000
#define STACK_TOUCH 65536 /* bytes of stack a worker may use without a fault */

static void close_all_but(int a, int b)
{
	unsigned int low = (unsigned int)(a < b ? a : b);
	unsigned int high = (unsigned int)(a < b ? b : a);

	if (low > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0U, 0);
}

static void touch_stack(void)
{
	volatile char room[STACK_TOUCH];

	for (size_t i = 0; i < sizeof(room); i += 4096)
		room[i] = 0;
}

/*
 * Locking also copies every page that fork() left shared with the agent. Without the
 * right to lock that much (unit tests) the worker runs all the same.
 */
static int lock_memory(void)
{
	touch_stack();
	if (mlockall(MCL_CURRENT) == 0 || geteuid() != 0)
		return 0;
	return -errno;
}

static int child_run(const struct worker_options *o, struct worker *self, int (*body)(struct worker *self, void *ctx),
		     void *ctx, pid_t parent)
{
	int ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return -ECHILD;
	prctl(PR_SET_NAME, o->name);
	stop_reset();
	close_all_but(self->go_fd, self->done_fd);
	ret = lock_memory();
	return ret < 0 ? ret : body(self, ctx);
}

static int map_shared(size_t bytes, void **ret)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	*ret = p;
	return 0;
}

static int prepare(const struct worker_options *o, struct worker *w, struct err *err)
{
	int ret;

	w->go_fd = o->other_go_fd ? fcntl(o->other_go_fd, F_DUPFD_CLOEXEC, 0) : eventfd(0, EFD_CLOEXEC);
	w->done_fd = eventfd(0, EFD_CLOEXEC);
	if (w->go_fd < 0 || w->done_fd < 0)
		return err_sys(err, -errno, "cannot start worker '%s'", o->name);
	ret = map_shared(o->shared_bytes, &w->shared);
	if (ret < 0)
		return err_sys(err, ret, "worker '%s' cannot share %zu bytes", o->name, o->shared_bytes);
	w->shared_bytes = o->shared_bytes;
	return 0;
}

int worker_start(const struct worker_options *options, int (*body)(struct worker *self, void *ctx), void *ctx,
		 int timeout_ms, struct worker *ret, struct err *err)
{
	_cleanup_(worker_end) struct worker w = {
		.go_fd = -1, .done_fd = -1, .cpu = options->cpu, .housekeeping = *options->housekeeping
	};
	pid_t parent = getpid();
	int r = prepare(options, &w, err);

	if (r < 0)
		return r;
	w.pid = fork();
	if (w.pid < 0)
		return err_sys(err, -errno, "cannot start worker '%s'", options->name);
	if (w.pid == 0)
		_exit(-child_run(options, &w, body, ctx, parent));
	r = worker_wait(&w, timeout_ms, err);
	if (r < 0)
		return err_prefix(err, r, "worker '%s' on CPU %d", options->name, options->cpu);
	*ret = w;
	w = (struct worker){ .go_fd = -1, .done_fd = -1 };
	return 0;
}

static int signal_event(int fd)
{
	uint64_t one = 1;

	return write(fd, &one, sizeof(one)) == sizeof(one) ? 0 : -errno;
}

static int take_event(int fd)
{
	uint64_t count;
	ssize_t n;

	do {
		n = read(fd, &count, sizeof(count));
	} while (n < 0 && errno == EINTR);
	return n == sizeof(count) ? 0 : -errno;
}

int worker_wake(struct worker *worker)
{
	return signal_event(worker->go_fd);
}

static int body_result(struct worker *worker, struct err *err)
{
	int status = 0;

	if (waitpid(worker->pid, &status, 0) < 0)
		return err_sys(err, -errno, "waiting for process %d", (int)worker->pid);
	worker->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status))
		return err_set(err, -WEXITSTATUS(status), "%s", strerror(WEXITSTATUS(status)));
	return err_set(err, -ECHILD, "ended too early");
}

int worker_wait(struct worker *worker, int timeout_ms, struct err *err)
{
	_cleanup_close_ int end_fd = -1;
	struct pollfd fds[3] = { { .fd = worker->done_fd, .events = POLLIN },
				 { .events = POLLIN },
				 { .fd = stop_fd(), .events = POLLIN } };
	int n;

	if (worker->pid <= 0)
		return err_set(err, -ECHILD, "the worker has ended");
	end_fd = (int)syscall(SYS_pidfd_open, worker->pid, 0);
	if (end_fd < 0)
		return err_sys(err, -errno, "pidfd_open");
	fds[1].fd = end_fd;
	do {
		n = poll(fds, ARRAY_SIZE(fds), timeout_ms);
	} while (n < 0 && errno == EINTR && !stop_requested());
	if (n == 0)
		return err_set(err, -ETIMEDOUT, "no answer within %d ms", timeout_ms);
	if (n < 0 || fds[2].revents)
		return err_sys(err, -EINTR, "waiting");
	return fds[0].revents ? take_event(worker->done_fd) : body_result(worker, err);
}

/* One that waits in the kernel behind a busy FIFO task cannot die yet: it does when it can, unattended. */
bool worker_reap(struct worker *worker)
{
	_cleanup_close_ int end_fd = -1;
	struct pollfd end = { .events = POLLIN };
	bool gone;

	if (worker->pid <= 0)
		return true;
	kill(worker->pid, SIGKILL);
	end_fd = (int)syscall(SYS_pidfd_open, worker->pid, 0);
	end.fd = end_fd;
	gone = poll(&end, 1, REAP_TIMEOUT_MS) != 0;
	if (gone)
		waitpid(worker->pid, NULL, WNOHANG);
	worker->pid = 0;
	return gone;
}

void worker_end(struct worker *worker)
{
	worker_reap(worker);
	if (worker->shared)
		munmap(worker->shared, worker->shared_bytes);
	if (worker->go_fd > 0)
		close(worker->go_fd);
	if (worker->done_fd > 0)
		close(worker->done_fd);
	*worker = (struct worker){ .go_fd = -1, .done_fd = -1 };
}

int worker_run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) < 0 ? -errno : 0;
}

int worker_pin(const struct worker *self)
{
	if (self->cpu >= 0)
		return worker_run_on(self->cpu);
	return sched_setaffinity(0, sizeof(self->housekeeping), &self->housekeeping) < 0 ? -errno : 0;
}

void worker_leave(const struct worker *self)
{
	const struct sched_param other = { 0 };

	sched_setaffinity(0, sizeof(self->housekeeping), &self->housekeeping);
	sched_setscheduler(0, SCHED_OTHER, &other);
}

int worker_await(const struct worker *self)
{
	return take_event(self->go_fd);
}

void worker_report(const struct worker *self)
{
	signal_event(self->done_fd);
}
