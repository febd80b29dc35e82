// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/probe_loop.h"

#include <sys/prctl.h>
#include <time.h>

#include "common/mono.h"
#include "common/tsc.h"

#define NS_PER_SECOND 1000000000U
#define MAX_READING_PER_SECOND 50000 /* 20 us: many times what it takes, also in emulation */
#define TRIES 4

static void sleep_until(uint64_t due_ns)
{
	const struct timespec due = { .tv_sec = (time_t)(due_ns / NS_PER_SECOND),
				      .tv_nsec = (long)(due_ns % NS_PER_SECOND) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

/* Due times that passed while the probe did not run belong to the gap just seen. */
static uint64_t next_due(uint64_t due_ns, uint64_t now_ns, uint64_t interval_ns)
{
	return due_ns + interval_ns * ((now_ns - due_ns) / interval_ns + 1);
}

/* One instant in both clocks: read anew where the reading itself was interrupted. */
static uint64_t read_clocks(uint64_t cycles_per_second, uint64_t *ret_ns)
{
	uint64_t tsc;
	int tries = 0;

	do {
		tsc = tsc_read();
		*ret_ns = mono_ns();
	} while (tsc_read() - tsc > cycles_per_second / MAX_READING_PER_SECOND && ++tries < TRIES);
	return tsc;
}

/* One that is a gap like any other, whether it would have made the next wake-up late or not, is a turn of its own. */
static uint64_t act(struct probe_shared *s, int word, uint64_t turn)
{
	const uint64_t begin = tsc_read();
	uint64_t end;

	if (probe_obey(s, word, begin) != begin)
		return turn;
	end = tsc_read();
	MARK(MARK_TURN);
	turn++;
	if (end - begin >= s->ring.threshold_cycles)
		probe_record(&s->ring, begin, end, turn);
	return turn;
}

/*
 * The due time is turned into cycles backwards from each wake-up, where both clocks were
 * just read: CLOCK_MONOTONIC is slewed, and an anchor taken once would drift away.
 */
int probe_timer(struct probe_shared *s)
{
	struct probe_ring *ring = &s->ring;
	const uint64_t threshold = ring->threshold_cycles;
	uint64_t turn = 0;
	uint64_t due_ns;
	uint64_t now_ns;
	uint64_t late;
	uint64_t now;
	int word;

	prctl(PR_SET_TIMERSLACK, 1); /* ns; 50 us otherwise, unless SCHED_FIFO */
	MARK(MARK_PROBE_START);
	ring->start_tsc = tsc_read();
	due_ns = mono_ns() + s->interval_ns; /* the mark may take its time */
	while ((word = probe_word(ring)) != PROBE_END) {
		if (word != PROBE_GO) {
			turn = act(s, word, turn);
			due_ns = mono_ns() + s->interval_ns;
		}
		sleep_until(due_ns);
		now = read_clocks(s->header.cycles_per_second, &now_ns);
		MARK(MARK_TURN);
		turn++;
		if (now_ns < due_ns) /* a signal */
			continue;
		late = tsc_from_ns(now_ns - due_ns, s->header.cycles_per_second);
		if (late >= threshold)
			probe_record(ring, now - late, now, turn);
		probe_turn(ring, turn);
		due_ns = next_due(due_ns, now_ns, s->interval_ns);
	}
	MARK(MARK_PROBE_STOP);
	ring->end_tsc = tsc_read();
	return 0;
}
