// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Against published tables, and against what an interval promises: its coverage. Where the
 * distribution is discrete the coverage is summed exactly, else simulated with a fixed
 * seed. VCPULAT_LONG_TESTS=1 simulates more and prints the coverage table.
 */
#include "reports/statistics.h"

#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "reports/tail.h"

#define assert_near(value, expected, tolerance) assert_true(fabs((value) - (expected)) <= (tolerance))

static bool long_tests(void)
{
	return getenv("VCPULAT_LONG_TESTS") != NULL;
}

static void say_coverage(const char *what, double coverage)
{
	if (long_tests())
		printf("coverage: %-58s %.4f\n", what, coverage);
}

/* Clopper-Pearson limits, e.g. Diem and Lentner, Geigy scientific tables, 1970. */
static void test_binomial_table(void **state)
{
	static const struct {
		unsigned int hits, trials;
		double lo, hi;
	} row[] = {
		{ 0, 10, 0, 0.3085 },	     { 1, 10, 0.0025, 0.4450 }, { 5, 10, 0.1871, 0.8129 },
		{ 10, 10, 0.6915, 1 },	     { 26, 26, 0.8677, 1 },	{ 2, 20, 0.0123, 0.3170 },
		{ 50, 100, 0.3983, 0.6017 }, { 0, 100, 0, 0.0362 },	{ 0, 0, 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct stat_interval got = stat_binomial_interval(row[i].hits, row[i].trials, 0.95);

		assert_near(got.lo, row[i].lo, 5e-5);
		assert_near(got.hi, row[i].hi, 5e-5);
	}
}

/* Limits of a Poisson expectation, e.g. Pearson and Hartley, Biometrika tables, table 40. */
static void test_poisson_table(void **state)
{
	static const struct {
		unsigned int events;
		double lo, hi;
	} row[] = {
		{ 0, 0, 3.689 },       { 1, 0.0253, 5.572 },   { 5, 1.623, 11.668 },
		{ 10, 4.795, 18.390 }, { 20, 12.217, 30.889 }, { 100, 81.364, 121.627 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct stat_interval got = stat_poisson_interval(row[i].events, 1, 0.95);

		assert_near(got.lo, row[i].lo, 1e-3);
		assert_near(got.hi, row[i].hi, 1e-3);
	}
}

static void test_zero_is_an_upper_bound(void **state)
{
	(void)state;
	assert_near(stat_poisson_upper(0, 1, 0.95), 2.9957, 1e-4);
	assert_near(stat_poisson_upper(0, 40.0 / 60, 0.95), 4.4936, 1e-4);
	assert_near(stat_poisson_upper(1, 1, 0.95), 4.7439, 1e-4);
	assert_near(stat_exposure_needed(4.5, 0, 0.95), 0.66572, 1e-5);
	assert_near(stat_trials_needed(0.05, 0.95), 59, 0);
	assert_near(stat_trials_needed(0.01, 0.95), 299, 0);
}

/* Of runs as long as is said, more than half prove the bound; of runs half as long, fewer. */
static void test_exposure_at_rate(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	double exposure = stat_exposure_at_rate(0.1, 0.05, 0.95);
	int proved = 0;
	int short_proved = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		unsigned int events = gsl_ran_poisson(rng, 0.05 * exposure);
		unsigned int fewer = gsl_ran_poisson(rng, 0.05 * exposure / 2);

		proved += stat_poisson_upper(events, exposure, 0.95) <= 0.1;
		short_proved += stat_poisson_upper(fewer, exposure / 2, 0.95) <= 0.1;
	}
	gsl_rng_free(rng);
	assert_true(proved > 500 && proved < 750);
	assert_true(short_proved < 400);
	assert_near(stat_exposure_at_rate(0.1, 0, 0.95), 29.957, 1e-3);
	assert_near(stat_exposure_at_rate(1, 1e-9, 0.95), stat_exposure_needed(1, 1, 0.95), 1e-9);
	assert_true(isinf(stat_exposure_at_rate(0.1, 0.1, 0.95)));
	assert_true(isfinite(stat_exposure_at_rate(0.1, 0.099, 0.95)));
}

/* GSL's own inverses fail here; see reports/statistics.c. */
static void test_large_samples(void **state)
{
	struct stat_interval share = stat_binomial_interval(8, 5000, 0.95);
	struct stat_interval rate = stat_poisson_interval(15955, 1, 0.95);

	(void)state;
	assert_near(share.lo, 0.000691, 1e-6);
	assert_near(share.hi, 0.003150, 1e-6);
	assert_near(rate.lo, 15955 - 1.96 * sqrt(15955) + 0.95, 0.2);
	assert_near(rate.hi, 15955 + 1.96 * sqrt(15955) + 1.95, 0.2);
}

/* The lady tasting tea (Fisher 1935), and a table of Agresti's. */
static void test_fisher(void **state)
{
	(void)state;
	assert_near(stat_fisher(3, 4, 1, 4), 0.4857, 1e-4);
	assert_near(stat_fisher(4, 4, 0, 4), 0.0286, 1e-4);
	assert_near(stat_fisher(21, 23, 15, 18), 0.6384, 1e-4);
	assert_near(stat_fisher(26, 26, 0, 26), 4.03e-15, 1e-16);
	assert_near(stat_fisher(5, 10, 5, 10), 1, 1e-9);
	assert_near(stat_fisher(0, 0, 5, 10), 1, 0);
}

static void test_poisson_compare(void **state)
{
	(void)state;
	assert_near(stat_poisson_compare(5, 1, 0, 1), 0.0625, 1e-9);
	assert_near(stat_poisson_compare(0, 20, 26, 20), 2 * pow(0.5, 26), 1e-12);
	assert_near(stat_poisson_compare(7, 1, 7, 1), 1, 0);
	assert_near(stat_poisson_compare(0, 1, 0, 1), 1, 0);
}

/* Deaths by horse kick in 200 corps-years (Bortkiewicz 1898): the textbook Poisson sample. */
static void test_dispersion(void **state)
{
	static const unsigned int times[] = { 109, 65, 22, 3, 1 };
	static const unsigned int clustered[] = { 0, 12, 0, 0, 11, 1 };
	unsigned int events[200];
	double exposure[200];
	struct stat_dispersion got;
	size_t n = 0;

	(void)state;
	for (unsigned int deaths = 0; deaths < ARRAY_SIZE(times); deaths++)
		for (unsigned int i = 0; i < times[deaths]; i++)
			events[n++] = deaths;
	for (size_t i = 0; i < n; i++)
		exposure[i] = 1;
	got = stat_dispersion(events, exposure, n);
	assert_true(got.has);
	assert_near(got.index, 1.0016, 1e-3);
	assert_near(got.p, 0.48, 0.02);
	got = stat_dispersion(clustered, exposure, ARRAY_SIZE(clustered));
	assert_true(got.p < 1e-6);
	assert_true(stat_design_effect(&got) > 5);
	got = stat_dispersion(clustered, exposure, 1);
	assert_false(got.has);
	assert_near(stat_design_effect(&got), 1, 0);
}

/* Ranks of a median's interval: Conover, Practical nonparametric statistics; samples: Wilks 1941. */
static void test_quantile_table(void **state)
{
	static const struct {
		size_t n;
		double lo, hi;
	} row[] = { { 6, 1, 6 }, { 10, 2, 9 }, { 20, 6, 15 }, { 50, 18, 33 }, { 100, 40, 61 } };
	double sorted[1000];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++)
		sorted[i] = (double)i + 1;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct stat_quantile got = stat_quantile(sorted, row[i].n, 0.5, 0.95);

		assert_true(got.has);
		assert_near(got.lo, row[i].lo, 0);
		assert_near(got.hi, row[i].hi, 0);
	}
	assert_int_equal(stat_quantile_sample(0.5, 0.95), 6);
	assert_int_equal(stat_quantile_sample(0.95, 0.95), 59);
	assert_int_equal(stat_quantile_sample(0.99, 0.95), 299);
	assert_int_equal(stat_quantile_sample(0.999, 0.95), 2995);
}

static void test_quantile_needs_its_sample(void **state)
{
	double sorted[299];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++)
		sorted[i] = (double)i;
	assert_false(stat_quantile(sorted, 0, 0.5, 0.95).has);
	assert_false(stat_quantile(sorted, 5, 0.5, 0.95).has);
	assert_false(stat_quantile(sorted, 298, 0.99, 0.95).has);
	assert_true(stat_quantile(sorted, 299, 0.99, 0.95).has);
	assert_near(stat_quantile(sorted, 299, 0.99, 0.95).hi, 298, 0);
}

static void test_median_ratio(void **state)
{
	double a[20];
	double b[20];
	struct stat_quantile got;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(a); i++) {
		a[i] = 50000 + 100.0 * (double)i;
		b[i] = 7000 + 10.0 * (double)i;
	}
	got = stat_median_ratio(a, 20, b, 20, 0.95);
	assert_true(got.has);
	assert_near(got.value, 50900.0 / 7090, 1e-9);
	assert_true(got.lo < got.value && got.value < got.hi);
	assert_false(stat_median_ratio(a, 6, b, 20, 0.95).has);
}

/* Holm 1979 by hand: 0.005 * 4, 0.01 * 3, 0.03 * 2, then not below it. */
static void test_holm(void **state)
{
	double p[] = { 0.01, 0.04, 0.03, 0.005 };

	(void)state;
	assert_int_equal(stat_holm(p, ARRAY_SIZE(p)), 0);
	assert_near(p[0], 0.03, 1e-12);
	assert_near(p[1], 0.06, 1e-12);
	assert_near(p[2], 0.06, 1e-12);
	assert_near(p[3], 0.02, 1e-12);
	assert_int_equal(stat_holm(p, 0), 0);
}

static void test_permutation(void **state)
{
	/* Every treated unit above every other: 2 of 70 arrangements are as extreme. */
	static const struct stat_unit apart[] = { { 9, 0, true },  { 8, 0, true },  { 7, 0, true },  { 8, 0, true },
						  { 1, 0, false }, { 2, 0, false }, { 0, 0, false }, { 1, 0, false } };
	static const struct stat_unit one_label[] = { { 9, 0, true }, { 8, 0, true } };
	static const struct stat_unit pair[] = { { 9, 0, true }, { 1, 0, false } };
	struct stat_permutation got;
	struct stat_permutation again;

	(void)state;
	assert_int_equal(stat_permutation(apart, ARRAY_SIZE(apart), 20000, 1, &got), 0);
	assert_near(got.p, 2.0 / 70, 0.004);
	assert_near(got.smallest_p, 2.0 / 70, 1e-9);
	assert_near(got.difference, 7, 1e-9);
	assert_int_equal(stat_permutation(apart, ARRAY_SIZE(apart), 20000, 1, &again), 0);
	assert_true(got.p == again.p);
	assert_int_equal(stat_permutation(one_label, ARRAY_SIZE(one_label), 10, 1, &got), -EINVAL);
	assert_int_equal(stat_permutation(pair, ARRAY_SIZE(pair), 10, 1, &got), 0);
	assert_near(got.p, 1, 0);
	assert_near(got.smallest_p, 1, 0);
}

/* Exact coverage: the probability of every outcome whose interval holds the true value. */
static void test_binomial_coverage(void **state)
{
	static const unsigned int trials[] = { 9, 26, 60 };

	(void)state;
	for (size_t t = 0; t < ARRAY_SIZE(trials); t++) {
		struct stat_interval interval[61];
		double least = 1;

		for (unsigned int k = 0; k <= trials[t]; k++)
			interval[k] = stat_binomial_interval(k, trials[t], 0.95);
		for (double p = 0.005; p < 1; p += 0.005) {
			double coverage = 0;

			for (unsigned int k = 0; k <= trials[t]; k++)
				if (interval[k].lo <= p && p <= interval[k].hi)
					coverage += gsl_ran_binomial_pdf(k, p, trials[t]);
			least = fmin(least, coverage);
		}
		assert_true(least >= 0.95);
		say_coverage("binomial 95%, least over all shares", least);
	}
}

static void test_poisson_coverage(void **state)
{
	struct stat_interval interval[120];
	double least = 1;
	double least_upper = 1;

	(void)state;
	for (unsigned int k = 0; k < ARRAY_SIZE(interval); k++)
		interval[k] = stat_poisson_interval(k, 1, 0.95);
	for (double mean = 0.1; mean < 40; mean += 0.1) {
		double coverage = 0;
		double upper = 0;

		for (unsigned int k = 0; k < ARRAY_SIZE(interval); k++) {
			double probability = gsl_ran_poisson_pdf(k, mean);

			coverage += interval[k].lo <= mean && mean <= interval[k].hi ? probability : 0;
			upper += k > 0 || mean <= stat_poisson_upper(0, 1, 0.95) ? probability : 0;
		}
		least = fmin(least, coverage);
		least_upper = fmin(least_upper, upper);
	}
	assert_true(least >= 0.95);
	assert_true(least_upper >= 0.95);
	say_coverage("Poisson 95%, least over means 0.1 to 40", least);
	say_coverage("Poisson upper bound after zero events, least", least_upper);
}

static double quantile_coverage(gsl_rng *rng, size_t n, double q, int rounds)
{
	double truth = exp(gsl_cdf_ugaussian_Pinv(q));
	double values[1000];
	int covered = 0;

	for (int round = 0; round < rounds; round++) {
		struct stat_quantile got;

		for (size_t i = 0; i < n; i++)
			values[i] = gsl_ran_lognormal(rng, 0, 1);
		stat_sort(values, n);
		got = stat_quantile(values, n, q, 0.95);
		covered += got.lo <= truth && truth <= got.hi;
	}
	return covered / (double)rounds;
}

static void test_quantile_coverage(void **state)
{
	static const struct {
		size_t n;
		double q;
	} row[] = { { 6, 0.5 }, { 26, 0.5 }, { 100, 0.5 }, { 299, 0.99 }, { 500, 0.99 } };
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	int rounds = long_tests() ? 20000 : 400;
	double slack = 3.5 * sqrt(0.95 * 0.05 / rounds);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		double coverage = quantile_coverage(rng, row[i].n, row[i].q, rounds);
		char what[80];

		snprintf(what, sizeof(what), "quantile %g of %zu log-normal values", row[i].q, row[i].n);
		say_coverage(what, coverage);
		assert_true(coverage >= 0.95 - slack);
	}
	gsl_rng_free(rng);
}

/* The example of R's poisson.test(): 11 in 800 against 21 in 3011. */
static void test_rate_ratio(void **state)
{
	struct stat_quantile got = stat_rate_ratio(11, 800, 21, 3011, 0.95);

	(void)state;
	assert_true(got.has);
	assert_near(got.value, 1.971488, 1e-6);
	assert_near(got.lo, 0.8584264, 1e-6);
	assert_near(got.hi, 4.2772659, 1e-6);
	got = stat_rate_ratio(5, 10, 0, 10, 0.95);
	assert_true(got.has && isinf(got.hi) && got.lo > 0.9);
	assert_near(stat_rate_ratio(0, 10, 5, 10, 0.95).lo, 0, 0);
	assert_false(stat_rate_ratio(0, 10, 0, 10, 0.95).has);
	assert_false(stat_rate_ratio(1, 0, 1, 10, 0.95).has);
}

static void test_rate_ratio_coverage(void **state)
{
	static const struct {
		double a, b;
	} mean[] = { { 3, 5 }, { 20, 10 }, { 100, 130 } };
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	int rounds = long_tests() ? 20000 : 400;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(mean); i++) {
		double truth = mean[i].a / 20 / (mean[i].b / 30);
		int covered = 0;

		for (int round = 0; round < rounds; round++) {
			unsigned int a = gsl_ran_poisson(rng, mean[i].a);
			unsigned int b = gsl_ran_poisson(rng, mean[i].b);
			struct stat_quantile got = stat_rate_ratio(a, 20, b, 30, 0.95);

			covered += !got.has || (got.lo <= truth && truth <= got.hi);
		}
		say_coverage("ratio of rates", covered / (double)rounds);
		assert_true(covered / (double)rounds >= 0.95 - 3.5 * sqrt(0.95 * 0.05 / rounds));
	}
	gsl_rng_free(rng);
}

static void test_ratio_coverage(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	int rounds = long_tests() ? 20000 : 400;
	int covered = 0;

	(void)state;
	for (int round = 0; round < rounds; round++) {
		struct stat_quantile got;
		double a[15];
		double b[20];

		for (size_t i = 0; i < ARRAY_SIZE(a); i++)
			a[i] = 7 * gsl_ran_lognormal(rng, 0, 0.8);
		for (size_t i = 0; i < ARRAY_SIZE(b); i++)
			b[i] = gsl_ran_lognormal(rng, 0, 0.4);
		stat_sort(a, ARRAY_SIZE(a));
		stat_sort(b, ARRAY_SIZE(b));
		got = stat_median_ratio(a, ARRAY_SIZE(a), b, ARRAY_SIZE(b), 0.95);
		covered += got.lo <= 7 && 7 <= got.hi;
	}
	gsl_rng_free(rng);
	say_coverage("ratio of medians (15 over 20 values)", covered / (double)rounds);
	assert_true(covered / (double)rounds >= 0.95 - 3.5 * sqrt(0.95 * 0.05 / rounds));
}

/* Windows of four boots whose levels differ: no difference between the labels, heavy tails. */
static void test_permutation_level(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	unsigned int rounds = long_tests() ? 999 : 99;
	int trials = long_tests() ? 4000 : 400;
	int found = 0;

	(void)state;
	for (int trial = 0; trial < trials; trial++) {
		struct stat_unit units[32];
		struct stat_permutation got;

		for (unsigned int i = 0; i < ARRAY_SIZE(units); i++)
			units[i] = (struct stat_unit){ (i / 8) * 100 + gsl_ran_lognormal(rng, 0, 2), i / 8, i % 2 };
		assert_int_equal(stat_permutation(units, ARRAY_SIZE(units), rounds, (uint64_t)trial, &got), 0);
		found += got.p <= 0.05;
	}
	gsl_rng_free(rng);
	if (long_tests())
		printf("false positives: permutation at 5%%, windows within boots %20.4f\n", found / (double)trials);
	assert_true(found / (double)trials <= 0.05 + 3.5 * sqrt(0.05 * 0.95 / trials));
}

static double pareto(double u, double shape, double scale)
{
	return scale * expm1(-shape * log(u)) / shape;
}

/* Evenly spread quantiles of a known distribution are its ideal sample. */
static void test_tail_recovers_its_parameters(void **state)
{
	static const double shapes[] = { -0.3, 0.1, 0.5 };
	const struct tail_params params = { .threshold = 100, .exposure = 60, .period = 3600, .confidence = 0.95 };

	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(shapes); s++) {
		double values[400];
		struct tail got;
		double truth = 100 + pareto(1 / (60 * 400.0), shapes[s], 20);

		for (size_t i = 0; i < ARRAY_SIZE(values); i++)
			values[i] = 100 + pareto(((double)i + 0.5) / ARRAY_SIZE(values), shapes[s], 20);
		assert_int_equal(tail_fit(values, ARRAY_SIZE(values), &params, &got), 0);
		assert_int_equal(got.exceedances, 400);
		assert_near(got.shape, shapes[s], 0.03);
		assert_near(got.scale, 20, 0.6);
		assert_near(got.level / truth, 1, 0.15);
		assert_true(got.level_lo < truth && truth < got.level_hi);
	}
}

static void test_tail_refuses(void **state)
{
	struct tail_params params = { .threshold = 0, .exposure = 60, .period = 3600, .confidence = 0.95 };
	double values[50];
	struct tail got;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		values[i] = pareto(((double)i + 0.5) / ARRAY_SIZE(values), 0.1, 20);
	assert_int_equal(tail_fit(values, 49, &params, &got), -ERANGE);
	assert_int_equal(tail_fit(values, 50, &params, &got), 0);
	params.period = 1;
	assert_int_equal(tail_fit(values, 50, &params, &got), -EDOM);
}

static void test_tail_coverage(void **state)
{
	const struct tail_params params = { .threshold = 0, .exposure = 1, .period = 100, .confidence = 0.95 };
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	int rounds = 300;
	int covered = 0;

	(void)state;
	if (!long_tests())
		rounds = 4;
	for (int round = 0; round < rounds; round++) {
		double values[100];
		struct tail got;
		double truth = pareto(1 / (100 * 100.0), 0.2, 10);

		for (size_t i = 0; i < ARRAY_SIZE(values); i++)
			values[i] = pareto(gsl_rng_uniform_pos(rng), 0.2, 10);
		assert_int_equal(tail_fit(values, ARRAY_SIZE(values), &params, &got), 0);
		covered += got.level_lo <= truth && truth <= got.level_hi;
	}
	gsl_rng_free(rng);
	say_coverage("return level, 100 peaks, 100 times the run's length", covered / (double)rounds);
	/* The profile likelihood's coverage is asymptotic. */
	assert_true(rounds < 100 || covered / (double)rounds >= 0.90);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_binomial_table),
		cmocka_unit_test(test_poisson_table),
		cmocka_unit_test(test_zero_is_an_upper_bound),
		cmocka_unit_test(test_exposure_at_rate),
		cmocka_unit_test(test_large_samples),
		cmocka_unit_test(test_fisher),
		cmocka_unit_test(test_poisson_compare),
		cmocka_unit_test(test_dispersion),
		cmocka_unit_test(test_quantile_table),
		cmocka_unit_test(test_quantile_needs_its_sample),
		cmocka_unit_test(test_median_ratio),
		cmocka_unit_test(test_holm),
		cmocka_unit_test(test_permutation),
		cmocka_unit_test(test_binomial_coverage),
		cmocka_unit_test(test_poisson_coverage),
		cmocka_unit_test(test_quantile_coverage),
		cmocka_unit_test(test_ratio_coverage),
		cmocka_unit_test(test_rate_ratio),
		cmocka_unit_test(test_rate_ratio_coverage),
		cmocka_unit_test(test_permutation_level),
		cmocka_unit_test(test_tail_recovers_its_parameters),
		cmocka_unit_test(test_tail_refuses),
		cmocka_unit_test(test_tail_coverage),
	};

	return cmocka_run_group_tests_name("statistics", tests, NULL, NULL);
}
