/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A timer interrupt of known length, without a kernel module: a one-shot perf clock event of a
 * CPU whose handler runs a BPF program, straight-line code of as many operations as are asked
 * for. The kernel's BPF interpreter executes each with the same number of instructions; where
 * programs are compiled (CONFIG_BPF_JIT) it is one each.
 */
#ifndef VCPULAT_INTERRUPT_H
#define VCPULAT_INTERRUPT_H

#include <stdint.h>

#define INTERRUPT_OP_INSNS 9 /* of one operation in the interpreter of Linux 6.1, x86-64, as gcc compiles it */
#define INTERRUPT_OPS_MAX 200000U

struct interrupt {
	int program_fd;
	int event_fd; /* -1: not yet opened, which happens on the CPU that it interrupts */
};

/**
 * interrupt_prepare - load the program
 * @ops: operations it executes, 1 to INTERRUPT_OPS_MAX
 * @ret: lives as long as the process
 *
 * Return: 0, or -errno: the kernel has no BPF, or we may not use it.
 */
int interrupt_prepare(uint32_t ops, struct interrupt *ret);

/**
 * interrupt_arm - interrupt this CPU once, some milliseconds from now
 * @interrupt: prepared; always armed on the same CPU
 *
 * Return: 0 or -errno.
 */
int interrupt_arm(struct interrupt *interrupt);

#endif
