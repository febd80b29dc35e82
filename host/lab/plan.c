// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lab/plan.h"

#include <stdlib.h>

/* splitmix64: small, and the same everywhere. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void shuffle(struct lab_turn *turns, size_t count, uint64_t *state)
{
	for (size_t i = count; i > 1; i--) {
		size_t k = next_random(state) % i;
		struct lab_turn t = turns[k];

		turns[k] = turns[i - 1];
		turns[i - 1] = t;
	}
}

struct lab_turn *lab_plan(size_t arms, unsigned int repeats, uint64_t seed)
{
	struct lab_turn *turns = calloc(arms * repeats + 1, sizeof(*turns));

	for (unsigned int r = 0; turns && r < repeats; r++) {
		for (size_t a = 0; a < arms; a++)
			turns[r * arms + a] = (struct lab_turn){ .arm = a, .repeat = r + 1 };
		shuffle(turns + r * arms, arms, &seed);
	}
	return turns;
}
