// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/statistics.h"

#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

DEFINE_CLEANUP(gsl_rng *, gsl_rng_free)

#define MAX_EVENTS (1U << 16) /* to wait for; of many more GSL gives no chi-square distribution */
#define BISECTIONS 200	      /* enough for the last bit of a double from any start */

/*
 * Where a falling function of x crosses a level. GSL 2.7's gsl_cdf_beta_Pinv() and
 * gsl_cdf_chisq_Qinv() end the program or return a wrong value for some samples from about
 * 1000 on, so its distributions are inverted here.
 */
static double invert(double (*falling)(double x, double a, double b), double a, double b, double level, double end)
{
	double lo = 0;
	double hi = end;

	for (int i = 0; i < BISECTIONS; i++) {
		double x = lo + (hi - lo) / 2;

		if (x <= lo || x >= hi)
			break;
		if (falling(x, a, b) > level)
			lo = x;
		else
			hi = x;
	}
	return lo + (hi - lo) / 2;
}

static double chi_square_above(double x, double freedom, double unused)
{
	(void)unused;
	return gsl_cdf_chisq_Q(x, freedom);
}

static double chi_square_quantile(double above, double freedom)
{
	double end = freedom + 1;

	while (gsl_cdf_chisq_Q(end, freedom) > above)
		end *= 2;
	return invert(chi_square_above, freedom, 0, above, end);
}

struct stat_interval stat_binomial_interval(unsigned int hits, unsigned int trials, double confidence)
{
	double tail = (1 - confidence) / 2;
	struct stat_interval interval = { 0, 1 };

	if (trials == 0)
		return interval;
	if (hits > 0)
		interval.lo = invert(gsl_cdf_beta_Q, hits, trials - hits + 1, 1 - tail, 1);
	if (hits < trials)
		interval.hi = invert(gsl_cdf_beta_Q, hits + 1, trials - hits, tail, 1);
	return interval;
}

struct stat_interval stat_poisson_interval(unsigned int events, double exposure, double confidence)
{
	double tail = (1 - confidence) / 2;
	struct stat_interval interval = { 0, chi_square_quantile(tail, 2.0 * events + 2) / 2 / exposure };

	if (events > 0)
		interval.lo = chi_square_quantile(1 - tail, 2.0 * events) / 2 / exposure;
	return interval;
}

double stat_poisson_upper(unsigned int events, double exposure, double confidence)
{
	return chi_square_quantile(1 - confidence, 2.0 * events + 2) / 2 / exposure;
}

double stat_fisher(unsigned int hits_a, unsigned int trials_a, unsigned int hits_b, unsigned int trials_b)
{
	unsigned int hits = hits_a + hits_b;
	unsigned int misses = trials_a + trials_b - hits;
	unsigned int first = hits > trials_b ? hits - trials_b : 0;
	unsigned int last = hits < trials_a ? hits : trials_a;
	double seen;
	double p = 0;

	if (trials_a == 0 || trials_b == 0)
		return 1;
	seen = gsl_ran_hypergeometric_pdf(hits_a, hits, misses, trials_a);
	for (unsigned int k = first; k <= last; k++) {
		double one = gsl_ran_hypergeometric_pdf(k, hits, misses, trials_a);

		/* Equal tables differ in the last digits. */
		if (one <= seen * (1 + 1e-7))
			p += one;
	}
	return fmin(p, 1);
}

double stat_poisson_compare(unsigned int events_a, double exposure_a, unsigned int events_b, double exposure_b)
{
	unsigned int events = events_a + events_b;
	double share = exposure_a / (exposure_a + exposure_b);
	double below;
	double above;

	if (events == 0)
		return 1;
	below = gsl_cdf_binomial_P(events_a, share, events);
	above = events_a > 0 ? gsl_cdf_binomial_Q(events_a - 1, share, events) : 1;
	return fmin(2 * fmin(below, above), 1);
}

/* The ratio of rates that gives this share of the events. */
static double ratio_of_share(double share, double exposure_a, double exposure_b)
{
	return share < 1 ? share / (1 - share) * exposure_b / exposure_a : HUGE_VAL;
}

struct stat_quantile stat_rate_ratio(unsigned int events_a, double exposure_a, unsigned int events_b, double exposure_b,
				     double confidence)
{
	unsigned int all = events_a + events_b;
	struct stat_interval share = stat_binomial_interval(events_a, all, confidence);

	if (all == 0 || exposure_a <= 0 || exposure_b <= 0)
		return (struct stat_quantile){ 0 };
	return (struct stat_quantile){ .has = true,
				       .value = ratio_of_share((double)events_a / all, exposure_a, exposure_b),
				       .lo = ratio_of_share(share.lo, exposure_a, exposure_b),
				       .hi = ratio_of_share(share.hi, exposure_a, exposure_b) };
}

struct stat_dispersion stat_dispersion(const unsigned int *events, const double *exposure, size_t n)
{
	struct stat_dispersion dispersion = { 0 };
	double all_events = 0;
	double all_exposure = 0;
	double chi_square = 0;

	for (size_t i = 0; i < n; i++) {
		all_events += events[i];
		all_exposure += exposure[i];
	}
	if (n < 2 || all_events < (double)n / 2)
		return dispersion;
	for (size_t i = 0; i < n; i++) {
		double expected = all_events * exposure[i] / all_exposure;

		chi_square += (events[i] - expected) * (events[i] - expected) / expected;
	}
	dispersion.has = true;
	dispersion.index = chi_square / (double)(n - 1);
	dispersion.p = gsl_cdf_chisq_Q(chi_square, (double)(n - 1));
	return dispersion;
}

double stat_design_effect(const struct stat_dispersion *dispersion)
{
	return dispersion->has && dispersion->index > 1 ? dispersion->index : 1;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

void stat_sort(double *values, size_t n)
{
	if (n > 1)
		qsort(values, n, sizeof(*values), compare_doubles);
}

/* The largest rank l, from 1, with P(at most l - 1 of n values lie below the quantile) <= tail. */
static size_t lower_rank(size_t n, double q, double tail)
{
	size_t rank = 1;
	size_t end = n;

	while (rank < end) {
		size_t middle = rank + (end - rank + 1) / 2;

		if (gsl_cdf_binomial_P((unsigned int)middle - 1, q, (unsigned int)n) <= tail)
			rank = middle;
		else
			end = middle - 1;
	}
	return rank;
}

struct stat_quantile stat_quantile(const double *sorted, size_t n, double q, double confidence)
{
	double miss = 1 - confidence;
	double above_all = pow(q, (double)n);
	double below_all = pow(1 - q, (double)n);
	double lower = miss / 2;
	double upper = lower;
	struct stat_quantile quantile = { 0 };

	if (n == 0 || above_all + below_all > miss)
		return quantile;
	/* Where one end of the sample is all there is, it costs what it costs; the other side gets the rest. */
	if (above_all > upper)
		lower = miss - above_all;
	if (below_all > lower)
		upper = miss - below_all;
	quantile.has = true;
	quantile.value = sorted[(size_t)fmax(ceil((double)n * q), 1) - 1];
	quantile.lo = sorted[lower_rank(n, q, lower) - 1];
	/* From the top, the ranks of the quantile q are those of 1 - q. */
	quantile.hi = sorted[n - lower_rank(n, 1 - q, upper)];
	return quantile;
}

size_t stat_quantile_sample(double q, double confidence)
{
	double miss = 1 - confidence;
	double n = floor(log(miss) / log(fmax(q, 1 - q)));

	while (pow(q, n) + pow(1 - q, n) > miss)
		n++;
	return (size_t)n;
}

struct stat_quantile stat_median_ratio(const double *a, size_t n_a, const double *b, size_t n_b, double confidence)
{
	struct stat_quantile over = stat_quantile(a, n_a, 0.5, sqrt(confidence));
	struct stat_quantile under = stat_quantile(b, n_b, 0.5, sqrt(confidence));

	if (!over.has || !under.has || under.lo <= 0)
		return (struct stat_quantile){ 0 };
	return (struct stat_quantile){
		.has = true,
		.value = over.value / under.value,
		.lo = over.lo / under.hi,
		.hi = over.hi / under.lo,
	};
}

struct block {
	double sum;
	double treated_sum;
	size_t first; /* in the array of units, sorted by block */
	size_t size;
	size_t treated;
};

struct design {
	struct block *block;
	size_t blocks;
	double *value; /* by block */
	double seen;   /* treated sum minus its expectation, over all blocks */
	double log_arrangements;
	size_t treated;
	bool lopsided; /* swapping the labels gives another design */
};

static void design_done(struct design *design)
{
	free(design->block);
	free(design->value);
}

static int design_init(struct design *design, const struct stat_unit *units, size_t n)
{
	size_t used = 0;

	design->block = calloc(STAT_MAX_BLOCKS, sizeof(*design->block));
	design->value = calloc(n + 1, sizeof(*design->value));
	if (!design->block || !design->value)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		size_t b = units[i].block % STAT_MAX_BLOCKS;
		struct block *block = &design->block[b];

		design->blocks = b >= design->blocks ? b + 1 : design->blocks;
		block->size++;
		block->sum += units[i].value;
		block->treated += units[i].treated;
		block->treated_sum += units[i].treated ? units[i].value : 0;
	}
	for (size_t b = 0; b < design->blocks; b++) {
		struct block *block = &design->block[b];
		size_t fill = used;

		block->first = used;
		used += block->size;
		for (size_t i = 0; i < n && fill < used; i++)
			if (units[i].block % STAT_MAX_BLOCKS == b)
				design->value[fill++] = units[i].value;
		if (block->treated == 0 || block->treated == block->size)
			continue;
		design->seen += block->treated_sum - block->sum * (double)block->treated / (double)block->size;
		design->treated += block->treated;
		design->lopsided |= block->treated * 2 != block->size;
		design->log_arrangements += gsl_sf_lnchoose((unsigned int)block->size, (unsigned int)block->treated);
	}
	return design->treated ? 0 : -EINVAL;
}

static double draw(struct design *design, gsl_rng *rng)
{
	double sum = 0;

	for (size_t b = 0; b < design->blocks; b++) {
		const struct block *block = &design->block[b];
		double *value = design->value + block->first;

		if (block->treated == 0 || block->treated == block->size)
			continue;
		gsl_ran_shuffle(rng, value, block->size, sizeof(*value));
		for (size_t i = 0; i < block->treated; i++)
			sum += value[i];
		sum -= block->sum * (double)block->treated / (double)block->size;
	}
	return sum;
}

static double mean_difference(const struct stat_unit *units, size_t n)
{
	double sum[2] = { 0 };
	size_t count[2] = { 0 };

	for (size_t i = 0; i < n; i++) {
		sum[units[i].treated] += units[i].value;
		count[units[i].treated]++;
	}
	return sum[true] / (double)count[true] - sum[false] / (double)count[false];
}

int stat_permutation(const struct stat_unit *units, size_t n, unsigned int rounds, uint64_t seed,
		     struct stat_permutation *ret)
{
	_cleanup_(gsl_rng_freep) gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	_cleanup_(design_done) struct design design = { 0 };
	unsigned int extreme = 0;
	double seen;
	int err;

	if (!rng)
		return -ENOMEM;
	err = design_init(&design, units, n);
	if (err < 0)
		return err;
	gsl_rng_set(rng, seed);
	/* The same sum in another order differs in the last digits. */
	seen = fabs(design.seen) * (1 - 1e-9) - 1e-12;
	for (unsigned int i = 0; i < rounds; i++)
		extreme += fabs(draw(&design, rng)) >= seen;
	ret->difference = mean_difference(units, n);
	ret->p = (1.0 + extreme) / (1.0 + rounds);
	/* In a balanced design an arrangement and its mirror image are equally extreme. */
	ret->smallest_p = fmin((design.lopsided ? 1 : 2) * exp(-design.log_arrangements), 1);
	return 0;
}

struct ranked {
	double p;
	size_t index;
};

static int compare_ranked(const void *a, const void *b)
{
	return compare_doubles(&((const struct ranked *)a)->p, &((const struct ranked *)b)->p);
}

int stat_holm(double *p, size_t n)
{
	_cleanup_free_ struct ranked *ranked = calloc(n + 1, sizeof(*ranked));
	double least = 0;

	if (!ranked)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		ranked[i] = (struct ranked){ p[i], i };
	qsort(ranked, n, sizeof(*ranked), compare_ranked);
	for (size_t i = 0; i < n; i++) {
		least = fmax(least, fmin(ranked[i].p * (double)(n - i), 1));
		p[ranked[i].index] = least;
	}
	return 0;
}

double stat_exposure_needed(double rate, unsigned int events, double confidence)
{
	return stat_poisson_upper(events, 1, confidence) / rate;
}

/* With more events tolerated the exposure grows, and what is expected in it falls behind. */
static bool tolerates(double bound, double rate, unsigned int events, double confidence)
{
	return rate * stat_exposure_needed(bound, events, confidence) <= events;
}

double stat_exposure_at_rate(double bound, double rate, double confidence)
{
	unsigned int few = 0;
	unsigned int enough = 1;

	if (rate >= bound)
		return HUGE_VAL;
	if (rate <= 0)
		return stat_exposure_needed(bound, 0, confidence);
	while (!tolerates(bound, rate, enough, confidence)) {
		if (enough >= MAX_EVENTS)
			return HUGE_VAL;
		few = enough;
		enough *= 2;
	}
	while (enough - few > 1) {
		unsigned int middle = few + (enough - few) / 2;

		if (tolerates(bound, rate, middle, confidence))
			enough = middle;
		else
			few = middle;
	}
	return stat_exposure_needed(bound, enough, confidence);
}

double stat_trials_needed(double share, double confidence)
{
	return ceil(log(1 - confidence) / log1p(-share) - 1e-9);
}
