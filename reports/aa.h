/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How often would an A/A comparison of such runs find a difference? Simulated from what was recorded: boots are drawn
 * from those of both halves, and then windows from each, so that hits stay in the clusters in which they came; all
 * causes of a simulated comparison see the same windows. It is then tested and corrected as the real one.
 *
 * Rates are compared; which primers were hit is not known by window.
 */
#ifndef VCPULAT_AA_H
#define VCPULAT_AA_H

#include <stddef.h>
#include <stdint.h>

#include "reports/pool.h"
#include "reports/statistics.h"

/* What one cause showed in each half, borrowed. */
struct aa_pair {
	const struct pool *a;
	const struct pool *b;
};

struct aa_simulation {
	unsigned int comparisons;
	unsigned int differ;	    /* with a difference in any cause */
	struct stat_interval share; /* of these, exact */
};

/**
 * aa_simulate - simulate comparisons of halves that are the same
 * @pairs: one a cause and scenario
 * @n: how many
 * @comparisons: to be simulated
 * @seed: same seed, same outcome
 * @ret: the outcome
 *
 * Return: 0 or -ENOMEM.
 */
int aa_simulate(const struct aa_pair *pairs, size_t n, unsigned int comparisons, uint64_t seed,
		struct aa_simulation *ret);

#endif
