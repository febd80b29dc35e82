/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does a cause occur at another rate on one arm than on another? Hits come in clusters
 * (of a window, of a boot), so the scatter between units, and not only the counts, decides.
 *
 * The unit is the boot where both arms have at least two of them, else the armed window;
 * with windows as units, differences between boots are not covered, and @boots says so.
 * With fewer than six windows their scatter is a guess: then the exact test stands alone.
 */
#ifndef VCPULAT_DIFFERENCE_H
#define VCPULAT_DIFFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "reports/pool.h"

enum difference_method {
	DIFFERENCE_NONE,	/* nothing to compare: p is 1 */
	DIFFERENCE_EXACT,	/* Fisher (per primer) or conditional Poisson; too few units to see clusters */
	DIFFERENCE_SCATTER,	/* the above, and not below a quasi-Poisson F test over units */
	DIFFERENCE_PERMUTATION, /* the above, and not below a permutation of the units */
	DIFFERENCE_METHOD_MAX
};

struct difference {
	double p;	/* two-sided */
	double scatter; /* variance over mean between units of one arm; 1 when independent, 0 when not known */
	bool boots;	/* the units were boots */
	enum difference_method method;
};

/**
 * difference_test - compare a cause's rate in armed windows
 * @a: one arm
 * @b: the other
 * @seed: of permutations
 * @ret: the outcome
 *
 * Quasi-Poisson: McCullagh and Nelder, "Generalized linear models", 2nd edition, section
 * 6.2; the dispersion is taken as at least 1. It errs on the bold side when clusters are
 * strong, so units are also permuted wherever there are enough of them to give p <= 0.05,
 * and the largest p counts.
 * Return: 0 or -ENOMEM.
 */
int difference_test(const struct pool *a, const struct pool *b, uint64_t seed, struct difference *ret);

/**
 * difference_of_windows - do armed windows of one arm show a cause more or less often than its control windows?
 * @pool: the arm
 * @seed: of permutations
 * @ret: the outcome; never by boots
 *
 * The same test with the two kinds of windows as groups, permuted within each boot. Return: 0 or -ENOMEM.
 */
int difference_of_windows(const struct pool *pool, uint64_t seed, struct difference *ret);

/**
 * difference_method_name - a method in a few words
 * @method: what decided
 */
const char *difference_method_name(enum difference_method method);

#endif
