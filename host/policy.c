// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/policy.h"

#include <errno.h>
#include <sched.h>

int policy_set(pid_t tid, enum cpu_policy policy, struct err *err)
{
	const struct sched_param param = { .sched_priority = policy == POLICY_FIFO ? 1 : 0 };
	int want = policy == POLICY_FIFO ? SCHED_FIFO : SCHED_OTHER;
	int have;

	if (sched_setscheduler(tid, want, &param) < 0)
		return err_sys(err, -errno, "thread %d does not get policy '%s'", (int)tid, policy_name(policy));
	have = sched_getscheduler(tid);
	if (have != want)
		return err_set(err, -EXDEV, "thread %d has policy %d, not '%s'", (int)tid, have, policy_name(policy));
	return 0;
}
