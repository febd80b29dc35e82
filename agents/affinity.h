/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where another task may run, changed for as long as this process lives. */
#ifndef VCPULAT_AFFINITY_H
#define VCPULAT_AFFINITY_H

#include <sched.h>
#include <sys/types.h>

/**
 * affinity_move - have another task run elsewhere until this process ends, however it does
 * @task: that task
 * @cpus: where
 *
 * Somebody who outlives this process gives the task back the CPUs that it had.
 * Return: 0 or -errno.
 */
int affinity_move(pid_t task, const cpu_set_t *cpus);

#endif
