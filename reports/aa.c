// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/aa.h"

#include <errno.h>
#include <gsl/gsl_rng.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "reports/difference.h"

DEFINE_CLEANUP(gsl_rng *, gsl_rng_free)

/* The armed windows of one boot: of the array below, as many as there are. */
struct boot {
	size_t first;
	size_t windows;
};

/* One cause: all armed windows, sorted by half and boot. */
struct source {
	struct pool_unit *window;
	struct boot *boot;
	size_t boots;
	size_t boots_of_a; /* these come first */
	struct pool_unit *drawn;
};

static void source_done(struct source *source)
{
	free(source->window);
	free(source->boot);
	free(source->drawn);
}

static size_t add_half(struct source *source, const struct pool *pool, size_t used)
{
	for (unsigned int boot = 0; boot < pool->boots; boot++) {
		size_t first = used;

		for (size_t i = 0; i < pool->windows; i++)
			if (pool->window[i].armed && pool->window[i].boot == boot)
				source->window[used++] = pool->window[i];
		if (used > first)
			source->boot[source->boots++] = (struct boot){ first, used - first };
	}
	return used;
}

static int source_init(struct source *source, const struct aa_pair *pair)
{
	size_t windows = pair->a->windows + pair->b->windows;
	size_t used;

	source->window = calloc(windows + 1, sizeof(*source->window));
	source->boot = calloc(pair->a->boots + pair->b->boots + 1, sizeof(*source->boot));
	source->drawn = calloc(windows + 1, sizeof(*source->drawn));
	if (!source->window || !source->boot || !source->drawn)
		return -ENOMEM;
	used = add_half(source, pair->a, 0);
	source->boots_of_a = source->boots;
	add_half(source, pair->b, used);
	return 0;
}

/* A boot like the given one: as many windows, of any boot. */
static void draw_boot(const struct source *source, const struct boot *like, gsl_rng *rng, struct pool *to)
{
	const struct boot *from = &source->boot[gsl_rng_uniform_int(rng, source->boots)];

	for (size_t i = 0; i < like->windows; i++) {
		struct pool_unit *unit = &to->window[to->windows++];

		*unit = source->window[from->first + gsl_rng_uniform_int(rng, from->windows)];
		unit->boot = to->boots;
		to->armed.count += unit->count;
		to->armed.exposure_s += unit->exposure_s;
	}
	to->boots++;
}

static int simulate_cause(const struct source *source, gsl_rng *rng, uint64_t seed, double *ret_p)
{
	struct pool a = { .runs = 1, .window = source->drawn };
	struct pool b = { .runs = 1 };
	struct difference difference;
	int r;

	gsl_rng_set(rng, seed);
	for (size_t i = 0; i < source->boots; i++) {
		if (i == source->boots_of_a)
			b.window = a.window + a.windows;
		draw_boot(source, &source->boot[i], rng, i < source->boots_of_a ? &a : &b);
	}
	r = difference_test(&a, &b, seed, &difference);
	*ret_p = difference.p;
	return r;
}

static int simulate_one(const struct source *sources, size_t n, gsl_rng *rng, uint64_t seed, double *p,
			unsigned int *differ)
{
	bool any = false;

	for (size_t i = 0; i < n; i++)
		if (simulate_cause(&sources[i], rng, seed, &p[i]) < 0)
			return -ENOMEM;
	if (stat_holm(p, n) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		any |= p[i] <= 1 - STAT_CONFIDENCE;
	*differ += any;
	return 0;
}

static int simulate(const struct source *sources, size_t n, uint64_t seed, struct aa_simulation *ret)
{
	_cleanup_(gsl_rng_freep) gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	_cleanup_free_ double *p = calloc(n + 1, sizeof(*p));

	if (!rng || !p)
		return -ENOMEM;
	for (unsigned int i = 0; i < ret->comparisons; i++)
		if (simulate_one(sources, n, rng, seed * 1000003 + i + 1, p, &ret->differ) < 0)
			return -ENOMEM;
	ret->share = stat_binomial_interval(ret->differ, ret->comparisons, STAT_CONFIDENCE);
	return 0;
}

int aa_simulate(const struct aa_pair *pairs, size_t n, unsigned int comparisons, uint64_t seed,
		struct aa_simulation *ret)
{
	_cleanup_free_ struct source *sources = calloc(n + 1, sizeof(*sources));
	size_t used = 0;
	int r = sources ? 0 : -ENOMEM;

	*ret = (struct aa_simulation){ .comparisons = comparisons };
	for (; r == 0 && used < n; used++)
		r = source_init(&sources[used], &pairs[used]);
	if (r == 0)
		r = simulate(sources, n, seed, ret);
	for (size_t i = 0; i < used; i++)
		source_done(&sources[i]);
	return r;
}
