// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/interrupt.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"

#define DELAY_NS 5000000U /* by then whoever armed it has left the CPU */

static long sys_bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* r0 = 0, again and again: what it returns says that no sample is wanted. */
int interrupt_prepare(uint32_t ops, struct interrupt *ret)
{
	_cleanup_free_ struct bpf_insn *insn = calloc(ops + 1, sizeof(*insn));
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_PERF_EVENT,
		.insns = (uintptr_t)insn,
		.insn_cnt = ops + 1,
		.license = (uintptr_t) "GPL",
	};

	if (!insn)
		return -ENOMEM;
	if (!ops || ops > INTERRUPT_OPS_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < ops; i++)
		insn[i] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 };
	insn[ops] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	ret->event_fd = -1;
	ret->program_fd = (int)sys_bpf(BPF_PROG_LOAD, &attr);
	return ret->program_fd < 0 ? -errno : 0;
}

static int open_event(struct interrupt *interrupt)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = DELAY_NS,
		.disabled = 1,
	};
	_cleanup_close_ int fd = (int)syscall(SYS_perf_event_open, &attr, -1, sched_getcpu(), -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, interrupt->program_fd) < 0)
		return -errno;
	interrupt->event_fd = TAKE_FD(fd);
	return 0;
}

int interrupt_arm(struct interrupt *interrupt)
{
	int ret = interrupt->event_fd < 0 ? open_event(interrupt) : 0;

	if (ret < 0)
		return ret;
	return ioctl(interrupt->event_fd, PERF_EVENT_IOC_REFRESH, 1) < 0 ? -errno : 0;
}
