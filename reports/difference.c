// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/difference.h"

#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <string.h>

#include "common/cleanup.h"
#include "reports/statistics.h"

#define PERMUTATIONS 9999
#define PERMUTATION_P 0.05 /* fewer units cannot give a p this small: four against four are needed */
#define MIN_WINDOWS 6	   /* of both arms: with fewer the scatter between windows is a guess */
#define MIN_BOOTS 4
#define HOPELESS_P 0.2 /* above it no further test can matter */

struct unit {
	double count;
	double exposure_s;
	unsigned int block; /* labels are exchanged inside it */
};

struct group {
	struct unit *unit;
	size_t n;
	double count;
	double exposure_s;
};

static void group_done(struct group *group)
{
	free(group->unit);
}

static void group_sum(struct group *group)
{
	for (size_t i = 0; i < group->n; i++) {
		group->count += group->unit[i].count;
		group->exposure_s += group->unit[i].exposure_s;
	}
}

/* A window's block is its boot, where both kinds of windows are of the same boots; else all windows are alike. */
static int group_windows(const struct pool *pool, bool armed, bool within_boots, struct group *group)
{
	group->unit = calloc(pool->windows + 1, sizeof(*group->unit));
	if (!group->unit)
		return -ENOMEM;
	for (size_t i = 0; i < pool->windows; i++)
		if (pool->window[i].armed == armed)
			group->unit[group->n++] = (struct unit){ pool->window[i].count, pool->window[i].exposure_s,
								 within_boots ? pool->window[i].boot : 0 };
	group_sum(group);
	return 0;
}

static int group_boots(const struct pool *pool, struct group *group)
{
	group->unit = calloc(pool->boots + 1, sizeof(*group->unit));
	if (!group->unit)
		return -ENOMEM;
	for (size_t i = 0; i < pool->windows; i++) {
		const struct pool_unit *window = &pool->window[i];

		if (!window->armed || window->boot >= pool->boots)
			continue;
		group->unit[window->boot].count += window->count;
		group->unit[window->boot].exposure_s += window->exposure_s;
	}
	for (size_t i = 0; i < pool->boots; i++)
		if (group->unit[i].exposure_s > 0)
			group->unit[group->n++] = group->unit[i];
	group_sum(group);
	return 0;
}

static double pearson(const struct group *group)
{
	double sum = 0;

	for (size_t i = 0; i < group->n; i++) {
		double expected = group->count * group->unit[i].exposure_s / group->exposure_s;
		double off = group->unit[i].count - expected;

		sum += expected > 0 ? off * off / expected : 0;
	}
	return sum;
}

static double deviance_part(double count, double expected)
{
	return count > 0 ? 2 * count * log(count / expected) : 0;
}

/* p of the quasi-Poisson F test; 1 where the groups do not carry it. */
static double scatter_test(const struct group *a, const struct group *b, double *ret_scatter)
{
	double freedom = (double)(a->n + b->n) - 2;
	double share = a->exposure_s / (a->exposure_s + b->exposure_s);
	double all = a->count + b->count;
	double deviance;

	if (freedom < 1)
		return 1;
	*ret_scatter = (pearson(a) + pearson(b)) / freedom;
	deviance = deviance_part(a->count, all * share) + deviance_part(b->count, all * (1 - share));
	return gsl_cdf_fdist_Q(fmax(deviance, 0) / fmax(*ret_scatter, 1), 1, freedom);
}

static int permute(const struct group *a, const struct group *b, uint64_t seed, struct stat_permutation *ret)
{
	_cleanup_free_ struct stat_unit *units = calloc(a->n + b->n + 1, sizeof(*units));

	if (!units)
		return -ENOMEM;
	for (size_t i = 0; i < a->n + b->n; i++) {
		const struct unit *unit = i < a->n ? &a->unit[i] : &b->unit[i - a->n];

		units[i] = (struct stat_unit){ unit->count / fmax(unit->exposure_s, 1e-9), unit->block, i < a->n };
	}
	return stat_permutation(units, a->n + b->n, PERMUTATIONS, seed, ret);
}

static bool comparable(const struct group *a, const struct group *b)
{
	return a->exposure_s > 0 && b->exposure_s > 0 && a->count + b->count > 0;
}

static int decide(const struct group *a, const struct group *b, double exact_p, uint64_t seed, struct difference *ret)
{
	struct stat_permutation permutation;
	size_t enough = ret->boots ? MIN_BOOTS : MIN_WINDOWS;
	int err;

	ret->p = exact_p;
	ret->method = DIFFERENCE_EXACT;
	if (!comparable(a, b) || a->n + b->n < enough)
		return 0;
	ret->method = DIFFERENCE_SCATTER;
	ret->p = fmax(exact_p, scatter_test(a, b, &ret->scatter));
	if (ret->p > HOPELESS_P)
		return 0;
	err = permute(a, b, seed, &permutation);
	if (err == -ENOMEM)
		return err;
	if (err < 0 || permutation.smallest_p > PERMUTATION_P)
		return 0;
	ret->p = fmax(ret->p, permutation.p);
	ret->method = DIFFERENCE_PERMUTATION;
	return 0;
}

static double exact_test(const struct pool_counts *a, const struct pool_counts *b)
{
	if (a->primers > 0 && b->primers > 0 && a->hit <= a->primers && b->hit <= b->primers)
		return stat_fisher(a->hit, a->primers, b->hit, b->primers);
	if (a->exposure_s <= 0 || b->exposure_s <= 0)
		return 1;
	return stat_poisson_compare(a->count, a->exposure_s, b->count, b->exposure_s);
}

int difference_test(const struct pool *a, const struct pool *b, uint64_t seed, struct difference *ret)
{
	_cleanup_(group_done) struct group first = { 0 };
	_cleanup_(group_done) struct group second = { 0 };
	bool boots = a->boots >= 2 && b->boots >= 2;

	*ret = (struct difference){ .p = 1 };
	if (a->armed.count + b->armed.count + a->armed.hit + b->armed.hit == 0)
		return 0;
	if ((boots ? group_boots(a, &first) : group_windows(a, true, false, &first)) < 0 ||
	    (boots ? group_boots(b, &second) : group_windows(b, true, false, &second)) < 0)
		return -ENOMEM;
	ret->boots = boots;
	return decide(&first, &second, exact_test(&a->armed, &b->armed), seed, ret);
}

int difference_of_windows(const struct pool *pool, uint64_t seed, struct difference *ret)
{
	_cleanup_(group_done) struct group armed = { 0 };
	_cleanup_(group_done) struct group control = { 0 };

	*ret = (struct difference){ .p = 1 };
	if (pool->armed.count + pool->control.count + pool->armed.hit + pool->control.hit == 0)
		return 0;
	if (group_windows(pool, true, true, &armed) < 0 || group_windows(pool, false, true, &control) < 0)
		return -ENOMEM;
	return decide(&armed, &control, exact_test(&pool->armed, &pool->control), seed, ret);
}

const char *difference_method_name(enum difference_method method)
{
	switch (method) {
	case DIFFERENCE_NONE:
		return "none";
	case DIFFERENCE_EXACT:
		return "exact";
	case DIFFERENCE_SCATTER:
		return "scatter of units";
	case DIFFERENCE_PERMUTATION:
		return "permutation of units";
	case DIFFERENCE_METHOD_MAX:
		break;
	}
	return "none";
}
