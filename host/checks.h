/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preconditions of a run, each tried rather than looked up. What is missing is no failure
 * of the program: the command prints the reason and exits with VCPULAT_EXIT_SKIPPED.
 */
#ifndef VCPULAT_CHECKS_H
#define VCPULAT_CHECKS_H

#include <sched.h>

#include "host/agent.h"
#include "host/scenario.h"

/* Which CPUs a run uses. */
struct run_cpus {
	int measured;
	cpu_set_t housekeeping;
};

/**
 * checks_cpus - choose the measured CPU and the housekeeping ones
 * @want_cpu: the measured CPU; -1: the lowest isolated one
 * @want_housekeeping: CPU list; "": all online CPUs that are not isolated
 * @ret: filled
 * @err: what is missing
 *
 * Return: 0, -ENOTSUP when this host has no such CPUs, -EINVAL for a malformed list.
 */
int checks_cpus(int want_cpu, const char *want_housekeeping, struct run_cpus *ret, struct err *err);

/**
 * checks_host - privileges and tracing
 * @trace: whether tracing is needed
 * @err: what is missing
 *
 * Tracing is tried by really enabling an event in a private instance.
 * Return: 0 or -ENOTSUP.
 */
int checks_host(bool trace, struct err *err);

/**
 * checks_virtualization - KVM and libvirt
 * @err: what is missing
 *
 * Return: 0 or -ENOTSUP.
 */
int checks_virtualization(struct err *err);

/**
 * checks_tsc - a TSC that microseconds may be taken from
 * @err: the flag that is missing
 *
 * Return: 0 or -ENOTSUP.
 */
int checks_tsc(struct err *err);

/**
 * checks_kernel - a kernel that microseconds may be taken from
 * @err: what it does beside its work
 *
 * Refused is one that checks its locks (CONFIG_LOCKDEP): it alone has /proc/lockdep_stats.
 * Return: 0 or -ENOTSUP.
 */
int checks_kernel(struct err *err);

/**
 * checks_scenario - what a scenario itself asks of the host
 * @scenario: its shape and its checks of layer host
 * @err: what is missing
 *
 * Return: 0 or -ENOTSUP.
 */
int checks_scenario(const struct scenario *scenario, struct err *err);

/**
 * checks_guest - what a scenario asks of its guest
 * @scenario: its checks of layer guest
 * @agent: the guest's
 * @err: what is missing
 *
 * Return: 0, -ENOTSUP, or as agent_call().
 */
int checks_guest(const struct scenario *scenario, struct agent *agent, struct err *err);

#endif
