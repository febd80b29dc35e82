// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lab/plan.h"

#include <stdlib.h>

#include "common/random.h"

static void shuffle(struct lab_turn *turns, size_t count, uint64_t *state)
{
	for (size_t i = count; i > 1; i--) {
		size_t k = random_next(state) % i;
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
