/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When QEMU may be asked to translate everything anew, for which it stops all CPUs.
 *
 * QEMU's VMRUN (7.2, target/i386/tcg/sysemu/svm_helper.c, helper_vmrun()) leaves the vector of an interrupt that it
 * injects in the CPU's exception_index. Until the guest's next exception or exit it stays there, and whoever stops the
 * CPU meanwhile without an interrupt of his own has that vector delivered once more, whether the guest takes interrupts
 * or not (accel/tcg/cpu-exec.c, cpu_handle_interrupt()). In the middle of an update of the guest's clock the timer's
 * handler then waits for the end of that update, for ever. So CPUs are stopped where they are in no guest; but for the
 * one whose probe asks: that is in user mode, where one interrupt more does no harm.
 *
 * Any thread may call any of these.
 */
#ifndef VCPULAT_METER_RESET_H
#define VCPULAT_METER_RESET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct meter_reset_cpu {
	_Atomic bool in_guest;
	_Atomic bool asks;
};

struct meter_reset {
	struct meter_reset_cpu *cpu;
	uint32_t cpus;
};

/**
 * meter_reset_init - no CPU is in a guest, none asks
 * @reset: filled; to be given to meter_reset_done()
 * @cpus: outer CPUs
 *
 * Return: 0 or -ENOMEM.
 */
int meter_reset_init(struct meter_reset *reset, uint32_t cpus);

/**
 * meter_reset_done - free it
 * @reset: may be zeroed
 */
void meter_reset_done(struct meter_reset *reset);

/**
 * meter_reset_switch - a CPU is about to enter a guest, or has left it
 * @reset: initialised
 * @cpu: outer CPU; one beyond those there are is ignored
 * @in_guest: from now on
 */
void meter_reset_switch(struct meter_reset *reset, uint32_t cpu, bool in_guest);

/**
 * meter_reset_ask - everything is to be translated anew, as soon as that may be
 * @reset: initialised
 * @cpu: on which a probe says so; as meter_reset_switch()
 */
void meter_reset_ask(struct meter_reset *reset, uint32_t cpu);

/**
 * meter_reset_take - is it asked for, and may it be now?
 * @reset: initialised
 *
 * Return: true once for all that have asked, when no CPU but those is in a guest.
 */
bool meter_reset_take(struct meter_reset *reset);

#endif
