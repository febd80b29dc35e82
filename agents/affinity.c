// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/affinity.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"

/* Never returns. The pipe ends when the last process that could write to it has. */
static void give_back(int pipe, pid_t task, const cpu_set_t *cpus)
{
	char none;

	setsid(); /* Ctrl-C is not for us */
	while (read(pipe, &none, 1) < 0 && errno == EINTR)
		;
	sched_setaffinity(task, sizeof(*cpus), cpus);
	_exit(0);
}

/* A child's child: nobody here waits for it. */
static int start_keeper(const int ends[2], pid_t task, const cpu_set_t *cpus)
{
	pid_t pid = fork();

	if (pid == 0) {
		close(ends[1]);
		if (fork() == 0)
			give_back(ends[0], task, cpus);
		_exit(0);
	}
	return pid < 0 || waitpid(pid, NULL, 0) < 0 ? -errno : 0;
}

int affinity_move(pid_t task, const cpu_set_t *cpus)
{
	_cleanup_close_ int pipe_end = -1;
	cpu_set_t before;
	int ends[2];
	int ret;

	if (sched_getaffinity(task, sizeof(before), &before) < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pipe_end = ends[0]; /* the other one stays open until we end */
	ret = start_keeper(ends, task, &before);
	if (ret == 0 && sched_setaffinity(task, sizeof(*cpus), cpus) < 0)
		ret = -errno;
	return ret;
}
