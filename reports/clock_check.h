/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the events themselves say about the map between guest and host TSC: nothing of the
 * guest can lie before the entry that let it run, or behind the exit that stopped it. Pure.
 */
#ifndef VCPULAT_CLOCK_CHECK_H
#define VCPULAT_CLOCK_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "reports/trace/trace_event.h"

struct clock_check {
	uint16_t host_cpu;
	uint16_t guest_cpu;
	int32_t vcpu_tid;
	bool is_known; /* where the vCPU is: false before its first entry, and after lost events */
	bool in_guest;
	uint64_t since;		/* of the last entry or exit */
	uint64_t last;		/* guest event since the entry; 0: none */
	uint64_t first_early;	/* first guest event while the vCPU was out; 0: none */
	uint64_t after_entry;	/* shortest distance from an entry to the guest's next event; UINT64_MAX: none */
	uint64_t before_exit;	/* shortest distance from the guest's last event to an exit; UINT64_MAX: none */
	uint64_t contradiction; /* furthest that a guest event lies outside guest mode, in cycles */
	uint64_t pairs;		/* entries and exits that had a guest event to compare with */
	bool changed;		/* KVM wrote this vCPU's TSC offset meanwhile */
};

/**
 * clock_check_init - before the first event
 * @check: to set up
 * @host_cpu: measured CPU of the host
 * @guest_cpu: measured vCPU
 * @vcpu_tid: its thread
 */
void clock_check_init(struct clock_check *check, uint16_t host_cpu, uint16_t guest_cpu, int32_t vcpu_tid);

/**
 * clock_check_feed - take in the next event of either layer
 * @check: the check
 * @event: mapped to host TSC, in the order of time
 */
void clock_check_feed(struct clock_check *check, const struct trace_event *event);

/**
 * clock_check_error - how far the map may be off
 * @check: after the last event
 *
 * Return: cycles; UINT64_MAX when the events do not say.
 */
uint64_t clock_check_error(const struct clock_check *check);

#endif
