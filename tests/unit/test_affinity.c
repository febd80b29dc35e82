// SPDX-License-Identifier: GPL-2.0-or-later
/* A task of our own is moved by a process that is killed; no root needed, but two CPUs. */
#include "agents/affinity.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/mono.h"

static bool comes_to_run_on(pid_t task, const cpu_set_t *want)
{
	const int64_t end_ms = mono_ms() + 10000;
	cpu_set_t now;

	do {
		usleep(1000);
		if (sched_getaffinity(task, sizeof(now), &now) == 0 && CPU_EQUAL(&now, want))
			return true;
	} while (mono_ms() < end_ms);
	return false;
}

static pid_t start_sleeper(void)
{
	pid_t pid = fork();

	while (pid == 0)
		pause();
	return pid;
}

static pid_t start_mover(pid_t task, const cpu_set_t *cpus)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (affinity_move(task, cpus) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void task_is_moved_and_given_back(void **state)
{
	cpu_set_t before;
	cpu_set_t one;
	pid_t task;
	pid_t mover;
	bool moved;
	bool back;

	(void)state;
	sched_getaffinity(0, sizeof(before), &before);
	if (CPU_COUNT(&before) < 2)
		skip();
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	task = start_sleeper();
	mover = start_mover(task, &one);
	moved = comes_to_run_on(task, &one);
	end(mover);
	back = comes_to_run_on(task, &before);
	end(task);
	assert_true(moved);
	assert_true(back);
}

static void task_that_is_gone_is_an_error(void **state)
{
	pid_t task = start_sleeper();
	cpu_set_t cpus;

	(void)state;
	end(task);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	assert_true(affinity_move(task, &cpus) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(task_is_moved_and_given_back),
		cmocka_unit_test(task_that_is_gone_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
