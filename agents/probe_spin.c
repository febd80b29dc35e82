// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/probe_loop.h"

static uint64_t obey(void *ctx, int word, uint64_t last)
{
	return probe_obey(ctx, word, last);
}

int probe_spin(struct probe_shared *s)
{
	probe_ring_spin(&s->ring, obey, s);
	return 0;
}
