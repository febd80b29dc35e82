/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a loop of the probe shares with whoever started it, and the loop of kind spin, which
 * is the same on a host's CPU, in a guest's process and in the bare payload. No library and
 * no system call behind it.
 *
 * The memory may be a guest's: who reads it believes nothing that stands there.
 */
#ifndef VCPULAT_PROBE_RING_H
#define VCPULAT_PROBE_RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include "common/marks.h"
#include "common/probe_format.h"
#include "common/tsc.h"

#define CACHE_LINE 64

/* What the agent tells the loop. */
enum probe_word { PROBE_GO, PROBE_ACT, PROBE_SHAM, PROBE_END };

/*
 * Each line has one writer. The counters are read by the agent while the probe runs, one by one: relaxed is enough.
 * The rest is read after the loop's end, which its process reports.
 */
struct probe_ring {
	alignas(CACHE_LINE) atomic_int word;		 /* stored by the agent, loaded each turn by the loop */
	alignas(CACHE_LINE) atomic_uint_least64_t turns; /* stored by the loop, loaded by probe_count() */
	atomic_uint_least64_t gaps;
	atomic_uint_least64_t lost;
	alignas(CACHE_LINE) uint64_t threshold_cycles; /* for the loop: as in struct probe_header */
	uint64_t capacity;			       /* for the loop: records that fit */
	uint64_t start_tsc;			       /* by the loop: its first and last stamp */
	uint64_t end_tsc;
	uint64_t act_t0; /* by the bare payload: its last action, as in struct stimulus_shot */
	uint64_t act_t1;
	int64_t act_result;
	alignas(CACHE_LINE) struct probe_record record[];
};

/**
 * probe_word - what does the agent want?
 * @ring: shared with the agent
 *
 * Pairs with the stores in probe_stop() and probe_act(); nothing is published with them, so relaxed.
 * Return: an enum probe_word.
 */
static inline int probe_word(const struct probe_ring *ring)
{
	return atomic_load_explicit(&ring->word, memory_order_relaxed);
}

/**
 * probe_acted - the action is done, and what it gave is in memory
 * @ring: shared with the agent
 * @word: as probe_word() gave it
 *
 * Pairs with the load in probe_act(); does nothing where the agent has stopped waiting and wants the end.
 */
static inline void probe_acted(struct probe_ring *ring, int word)
{
	atomic_compare_exchange_strong_explicit(&ring->word, &word, PROBE_GO, memory_order_release,
						memory_order_relaxed);
}

/**
 * probe_turn - publish the number of turns made
 * @ring: shared with the agent
 * @turn: counted from 1, as MARK_TURN is
 *
 * Pairs with the load in probe_count().
 */
static inline void probe_turn(struct probe_ring *ring, uint64_t turn)
{
	atomic_store_explicit(&ring->turns, turn, memory_order_relaxed);
}

/**
 * probe_record - keep a gap, or count it as lost
 * @ring: shared with the agent
 * @t0: begin, TSC cycles
 * @t1: end
 * @turn: that ended it
 *
 * The counters pair with the loads in probe_count().
 */
static inline void probe_record(struct probe_ring *ring, uint64_t t0, uint64_t t1, uint64_t turn)
{
	uint64_t gaps = atomic_load_explicit(&ring->gaps, memory_order_relaxed);

	if (gaps == ring->capacity) {
		atomic_fetch_add_explicit(&ring->lost, 1, memory_order_relaxed);
		return;
	}
	ring->record[gaps] = (struct probe_record){ .t0 = t0, .t1 = t1, .turn = turn };
	MARK(MARK_GAP);
	atomic_store_explicit(&ring->gaps, gaps + 1, memory_order_relaxed);
}

/**
 * probe_ring_spin - read the TSC as fast as possible until told to stop
 * @ring: shared with the agent
 * @obey: acts when told to; returns the time stamp to go on from; inlined here like the rest
 * @ctx: for @obey
 */
static inline __attribute__((always_inline)) void
probe_ring_spin(struct probe_ring *ring, uint64_t (*obey)(void *ctx, int word, uint64_t last), void *ctx)
{
	const uint64_t threshold = ring->threshold_cycles;
	uint64_t turn = 0;
	uint64_t last;
	uint64_t now;
	int word;

	MARK(MARK_PROBE_START);
	last = tsc_read();
	ring->start_tsc = last;
	while ((word = probe_word(ring)) != PROBE_END) {
		if (word != PROBE_GO)
			last = obey(ctx, word, last);
		now = tsc_read();
		MARK(MARK_TURN);
		turn++;
		if (now - last >= threshold)
			probe_record(ring, last, now, turn);
		probe_turn(ring, turn);
		last = now;
	}
	MARK(MARK_PROBE_STOP);
	ring->end_tsc = last;
}

/**
 * probe_ring_calibrate - turns of a loop like the one to come
 * @ring: shared with the agent; their lengths go where the records will
 * @turns: how many; not more than fit
 */
static inline __attribute__((always_inline)) void probe_ring_calibrate(struct probe_ring *ring, uint64_t turns)
{
	uint64_t last = tsc_read();

	for (uint64_t i = 0; i < turns; i++) {
		uint64_t now = tsc_read();

		((volatile struct probe_record *)ring->record)[i].t0 = now - last;
		last = now;
	}
}

#endif
