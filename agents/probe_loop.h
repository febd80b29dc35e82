/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the loops of the probe share. For agents/probe*.c and their tests only. */
#ifndef VCPULAT_PROBE_LOOP_H
#define VCPULAT_PROBE_LOOP_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "agents/stimulus.h"
#include "common/marks.h"
#include "common/probe_format.h"

#define CACHE_LINE 64

/* What the agent tells the loop. */
enum probe_word { PROBE_GO, PROBE_ACT, PROBE_SHAM, PROBE_END };

/*
 * The mapping that agent and probe share. Each line has one writer. The counters are
 * read by the agent while the probe runs, one by one: relaxed is enough. Records and
 * header are read after the probe's last worker_report(), which orders them.
 */
struct probe_shared {
	alignas(CACHE_LINE) atomic_int word;		 /* stored by the agent, loaded each turn by the loop */
	alignas(CACHE_LINE) atomic_uint_least64_t turns; /* stored by the loop, loaded by probe_count() */
	atomic_uint_least64_t gaps;
	atomic_uint_least64_t lost;
	alignas(CACHE_LINE) struct probe_header header; /* filled in by the probe */
	uint64_t interval_ns;
	uint64_t capacity;
	const struct stimulus_ops *act; /* NULL: the probe does not act */
	struct stimulus_state act_state;
	struct stimulus_shot shot; /* the last one; written by the loop, read by the agent */
	alignas(CACHE_LINE) struct probe_record record[];
};

/**
 * probe_word - what does the agent want?
 * @s: shared with the agent
 *
 * Pairs with the stores in probe_stop() and probe_act(); nothing is published with them, so relaxed.
 * Return: an enum probe_word.
 */
static inline int probe_word(const struct probe_shared *s)
{
	return atomic_load_explicit(&s->word, memory_order_relaxed);
}

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
