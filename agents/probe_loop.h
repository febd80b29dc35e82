/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the loops of the probe share. For agents/probe*.c and their tests only. */
#ifndef VCPULAT_PROBE_LOOP_H
#define VCPULAT_PROBE_LOOP_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/marks.h"
#include "common/probe_format.h"

#define CACHE_LINE 64

/*
 * The mapping that agent and probe share. Each line has one writer. The counters are
 * read by the agent while the probe runs, one by one: relaxed is enough. Records and
 * header are read after the probe's last worker_report(), which orders them.
 */
struct probe_shared {
	alignas(CACHE_LINE) atomic_bool stop;		 /* stored by probe_stop(), loaded each turn by the loop */
	alignas(CACHE_LINE) atomic_uint_least64_t turns; /* stored by the loop, loaded by probe_count() */
	atomic_uint_least64_t gaps;
	atomic_uint_least64_t lost;
	alignas(CACHE_LINE) struct probe_header header; /* filled in by the probe */
	uint64_t interval_ns;
	uint64_t capacity;
	alignas(CACHE_LINE) struct probe_record record[];
};

/**
 * probe_stopping - has the agent asked the loop to end?
 * @s: shared with the agent
 *
 * Pairs with the store in probe_stop(); nothing is published with it, so relaxed.
 */
static inline bool probe_stopping(const struct probe_shared *s)
{
	return atomic_load_explicit(&s->stop, memory_order_relaxed);
}

/**
 * probe_turn - publish the number of turns made
 * @s: shared with the agent
 * @turn: counted from 1, as MARK_TURN is
 *
 * Pairs with the load in probe_count().
 */
static inline void probe_turn(struct probe_shared *s, uint64_t turn)
{
	atomic_store_explicit(&s->turns, turn, memory_order_relaxed);
}

/**
 * probe_record - keep a gap, or count it as lost
 * @s: shared with the agent
 * @t0: begin, TSC cycles
 * @t1: end
 * @turn: that ended it
 *
 * The counters pair with the loads in probe_count().
 */
static inline void probe_record(struct probe_shared *s, uint64_t t0, uint64_t t1, uint64_t turn)
{
	uint64_t gaps = atomic_load_explicit(&s->gaps, memory_order_relaxed);

	if (gaps == s->capacity) {
		atomic_fetch_add_explicit(&s->lost, 1, memory_order_relaxed);
		return;
	}
	s->record[gaps] = (struct probe_record){ .t0 = t0, .t1 = t1, .turn = turn };
	MARK(MARK_GAP);
	atomic_store_explicit(&s->gaps, gaps + 1, memory_order_relaxed);
}

/**
 * probe_spin - loop of kind spin: read the TSC as fast as possible until told to stop
 * @s: shared with the agent
 */
void probe_spin(struct probe_shared *s);

/**
 * probe_timer - loop of kind timer: sleep until absolute due times until told to stop
 * @s: shared with the agent
 */
void probe_timer(struct probe_shared *s);

#endif
