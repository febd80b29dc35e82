/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the loops of the probe share. For agents/probe*.c, agents/bare.c and their tests only. */
#ifndef VCPULAT_PROBE_LOOP_H
#define VCPULAT_PROBE_LOOP_H

#include <stdalign.h>
#include <stdint.h>

#include "agents/bare.h"
#include "agents/probe.h"
#include "agents/stimulus.h"
#include "common/probe_format.h"
#include "common/probe_ring.h"

#define PROBE_PAGE 4096

/*
 * The mapping that agent and probe share. Header and ring are read after the probe's last
 * worker_report(), which orders them. A bare guest gets the pages of the ring, and no others.
 */
struct probe_shared {
	struct probe_header header; /* filled in by the probe's process */
	uint64_t interval_ns;
	const struct stimulus_ops *act; /* NULL: the probe does not act */
	struct stimulus_state act_state;
	struct stimulus_shot shot; /* the last one; written by the loop, read by the agent; not of kind bare */
	struct bare *bare;	   /* of kind bare, in the probe's process */
	alignas(PROBE_PAGE) struct probe_ring ring;
};

/**
 * probe_obey - act, or sham
 * @s: shared with the agent
 * @word: PROBE_ACT or PROBE_SHAM
 * @last: the loop's last time stamp
 *
 * Return: the time stamp to go on from: @last where the action is a gap, else that of its end.
 */
uint64_t probe_obey(struct probe_shared *s, int word, uint64_t last);

/**
 * probe_ring_counts - how far a loop is
 * @ring: its word, which may be a guest's
 * @capacity: records that fit
 *
 * Return: not more gaps than that.
 */
struct probe_counts probe_ring_counts(const struct probe_ring *ring, uint64_t capacity);

/**
 * probe_ring_shot - what the payload's last action gave
 * @ring: its word
 *
 * Return: numbers only; a result that it cannot have is -EIO.
 */
struct stimulus_shot probe_ring_shot(const struct probe_ring *ring);

/**
 * probe_spin - loop of kind spin: read the TSC as fast as possible until told to stop
 * @s: shared with the agent
 *
 * Return: 0.
 */
int probe_spin(struct probe_shared *s);

/**
 * probe_timer - loop of kind timer: sleep until absolute due times until told to stop
 * @s: shared with the agent
 *
 * Return: 0.
 */
int probe_timer(struct probe_shared *s);

#endif
