// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/probe_loop.h"

#include "common/tsc.h"

void probe_spin(struct probe_shared *s)
{
	const uint64_t threshold = s->header.threshold_cycles;
	uint64_t turn = 0;
	uint64_t last;
	uint64_t now;
	int word;

	MARK(MARK_PROBE_START);
	last = tsc_read();
	s->header.start_tsc = last;
	while ((word = probe_word(s)) != PROBE_END) {
		if (word != PROBE_GO)
			last = probe_obey(s, word, last);
		now = tsc_read();
		MARK(MARK_TURN);
		turn++;
		if (now - last >= threshold)
			probe_record(s, last, now, turn);
		probe_turn(s, turn);
		last = now;
	}
	MARK(MARK_PROBE_STOP);
	s->header.end_tsc = last;
}
