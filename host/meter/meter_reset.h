/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When QEMU may be asked to translate everything anew, for which it stops all CPUs.
 *
 * QEMU's VMRUN (7.2, target/i386/tcg/sysemu/svm_helper.c, helper_vmrun()) leaves the vector of an interrupt that it
 * injects in the CPU's exception_index. Until the guest's next exception or exit it stays there, and whoever stops the
 * CPU meanwhile without an interrupt of his own has that vector delivered once more, whether the guest takes interrupts
 * or not (accel/tcg/cpu-exec.c, cpu_handle_interrupt()). In the middle of an update of the guest's clock the timer's
 * handler then waits for the end of that update, for ever; at the first instruction of a handler the guest's kernel
 * takes itself for interrupted in the kernel, and crashes. So CPUs are stopped where they are in no guest and not about
 * to enter one: at the moment when one has just left it, by that one. All but the one whose probe asks: that is in user
 * mode, where one interrupt more does no harm.
 *
 * Any thread may call any of these.
 */
#ifndef VCPULAT_METER_RESET_H
#define VCPULAT_METER_RESET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define METER_RESET_REST_NS 100000000ULL /* after which a CPU is not about to enter a guest */
#define METER_RESET_INSIDE UINT64_MAX

struct meter_reset_cpu {
	_Atomic uint64_t left_ns; /* a guest; 0: it was in none; METER_RESET_INSIDE: it is in one */
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
 * meter_reset_enter - a CPU is about to enter a guest
 * @reset: initialised
 * @cpu: outer CPU; one beyond those there are is ignored
 */
void meter_reset_enter(struct meter_reset *reset, uint32_t cpu);

/**
 * meter_reset_leave - a CPU has left a guest
 * @reset: initialised
 * @cpu: as meter_reset_enter()
 * @now_ns: CLOCK_MONOTONIC
 */
void meter_reset_leave(struct meter_reset *reset, uint32_t cpu, uint64_t now_ns);

/**
 * meter_reset_ask - everything is to be translated anew, as soon as that may be
 * @reset: initialised
 * @cpu: on which a probe says so; as meter_reset_enter()
 */
void meter_reset_ask(struct meter_reset *reset, uint32_t cpu);

/**
 * meter_reset_asks - has this CPU asked, and is that still to be done?
 * @reset: initialised
 * @cpu: as meter_reset_enter()
 */
bool meter_reset_asks(const struct meter_reset *reset, uint32_t cpu);

/**
 * meter_reset_take - is it asked for, and may it be now?
 * @reset: initialised
 * @cpu: whose thread would do it, and now executes neither VMRUN nor a guest, unless it asked itself
 * @now_ns: CLOCK_MONOTONIC
 *
 * Return: true once for all that have asked, when no CPU but those and @cpu is in a guest or has lately been.
 */
bool meter_reset_take(struct meter_reset *reset, uint32_t cpu, uint64_t now_ns);

#endif
