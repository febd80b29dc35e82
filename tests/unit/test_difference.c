// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two arms that are the same must not differ more often than the stated level, also when
 * hits come in clusters. VCPULAT_LONG_TESTS=1 simulates more and prints the rates.
 */
#include "reports/difference.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/cleanup.h"

#define LEVEL 0.05
#define WINDOW_S 2.0
#define MAX_WINDOWS 128

struct world {
	const char *name;
	unsigned int boots;   /* an arm */
	unsigned int windows; /* a boot */
	double mean;	      /* events a window */
	double window_spread; /* standard deviation of the log of a window's rate */
	double boot_spread;   /* and of a boot's */
};

static bool long_tests(void)
{
	return getenv("VCPULAT_LONG_TESTS") != NULL;
}

static void simulate(gsl_rng *rng, const struct world *world, double factor, struct pool_unit *units, struct pool *pool)
{
	*pool = (struct pool){ .runs = world->boots, .boots = world->boots, .window = units };
	for (unsigned int boot = 0; boot < world->boots; boot++) {
		double boot_rate = world->mean * factor * gsl_ran_lognormal(rng, 0, world->boot_spread);

		for (unsigned int w = 0; w < world->windows; w++) {
			double rate = boot_rate * gsl_ran_lognormal(rng, 0, world->window_spread);
			unsigned int count = gsl_ran_poisson(rng, rate);

			units[pool->windows++] = (struct pool_unit){ count, WINDOW_S, boot, true };
			pool->armed.count += count;
			pool->armed.exposure_s += WINDOW_S;
		}
	}
}

static double share_found(const struct world *world, double factor, int trials)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	int found = 0;

	for (int i = 0; i < trials; i++) {
		struct pool_unit units[2][MAX_WINDOWS];
		struct pool pool[2];
		struct difference got;

		simulate(rng, world, 1, units[0], &pool[0]);
		simulate(rng, world, factor, units[1], &pool[1]);
		assert_int_equal(difference_test(&pool[0], &pool[1], (uint64_t)i, &got), 0);
		found += got.p <= LEVEL;
	}
	gsl_rng_free(rng);
	return found / (double)trials;
}

static const struct world worlds[] = {
	{ "one boot, 8 windows, independent", 1, 8, 3, 0, 0 },
	{ "one boot, 8 windows, clustered", 1, 8, 3, 0.7, 0 },
	{ "one boot, 4 windows, clustered", 1, 4, 6, 0.7, 0 },
	{ "one boot, 20 windows, strongly clustered", 1, 20, 2, 1.2, 0 },
	{ "two boots, clustered in both", 2, 8, 3, 0.5, 0.5 },
	{ "three boots, clustered in both", 3, 8, 3, 0.5, 0.5 },
	{ "five boots, clustered in both", 5, 8, 3, 0.5, 0.7 },
	{ "seven boots, clustered in both", 7, 8, 1, 0.5, 0.7 },
};

static void test_same_arms(void **state)
{
	int trials = long_tests() ? 4000 : 150; /* 1,200 over all worlds */

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(worlds); i++) {
		double found = share_found(&worlds[i], 1, trials);

		if (long_tests())
			printf("false positives at 5%%: %-45s %.4f\n", worlds[i].name, found);
		assert_true(found <= LEVEL + 3.5 * sqrt(LEVEL * (1 - LEVEL) / trials));
	}
}

static void test_power(void **state)
{
	(void)state;
	assert_true(share_found(&worlds[1], 0, 30) > 0.9);
	assert_true(share_found(&worlds[5], 0, 30) > 0.9);
	assert_true(share_found(&worlds[0], 0.2, 30) > 0.6);
}

static void test_primers(void **state)
{
	struct pool_unit on[13];
	struct pool_unit off[13];
	struct pool a = { .runs = 1, .boots = 1, .armed = { 26, 26, 26, 26 }, .window = on, .windows = 13 };
	struct pool b = { .runs = 1, .boots = 1, .armed = { 26, 0, 0, 26 }, .window = off, .windows = 13 };
	struct difference got;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(on); i++) {
		on[i] = (struct pool_unit){ 2, 2, 0, true };
		off[i] = (struct pool_unit){ 0, 2, 0, true };
	}
	assert_int_equal(difference_test(&a, &b, 1, &got), 0);
	assert_true(got.p < 1e-3);
	assert_int_equal(got.method, DIFFERENCE_PERMUTATION);
	assert_false(got.boots);
	assert_int_equal(difference_test(&a, &a, 1, &got), 0);
	assert_true(got.p > 0.99);
	assert_int_equal(difference_test(&b, &b, 1, &got), 0);
	assert_int_equal(got.method, DIFFERENCE_NONE);
}

static void test_armed_against_control(void **state)
{
	struct pool_unit units[] = { { 3, 2, 0, true },	 { 2, 2, 0, true },  { 3, 2, 0, true },	 { 3, 2, 0, true },
				     { 0, 2, 0, false }, { 0, 2, 0, false }, { 1, 2, 0, false }, { 0, 2, 0, false } };
	struct pool pool = { .runs = 1,
			     .boots = 1,
			     .armed = { 12, 11, 11, 8 },
			     .control = { 12, 1, 1, 8 },
			     .window = units,
			     .windows = ARRAY_SIZE(units) };
	struct difference got;

	(void)state;
	assert_int_equal(difference_of_windows(&pool, 1, &got), 0);
	assert_true(got.p < 0.05);
	pool.control = pool.armed;
	assert_int_equal(difference_of_windows(&pool, 1, &got), 0);
	assert_true(got.p > 0.05);
}

/* A boot with a high rate and mostly armed windows, one with a low rate and mostly control windows: the boot's doing.
 */
static void test_windows_within_boots(void **state)
{
	struct pool_unit units[24];
	struct pool pool = { .runs = 2, .boots = 2, .window = units, .windows = ARRAY_SIZE(units) };
	struct difference apart;
	struct difference alike;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(units); i++) {
		unsigned int boot = i / 12;
		bool armed = i % 12 < (boot ? 2 : 10);
		struct pool_counts *counts = armed ? &pool.armed : &pool.control;

		units[i] = (struct pool_unit){ boot ? i % 2 : 10 + i % 2, 2, boot, armed };
		counts->count += units[i].count;
		counts->exposure_s += 2;
	}
	assert_int_equal(difference_of_windows(&pool, 1, &apart), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(units); i++)
		units[i].boot = 0;
	assert_int_equal(difference_of_windows(&pool, 1, &alike), 0);
	assert_true(alike.p < 0.05);
	assert_true(apart.p > 0.5);
	assert_int_equal(apart.method, DIFFERENCE_PERMUTATION);
}

/* Boots with windows of one kind only cannot be permuted: the other tests decide. */
static void test_nothing_to_permute(void **state)
{
	struct pool_unit units[16];
	struct pool pool = { .runs = 2, .boots = 2, .window = units, .windows = ARRAY_SIZE(units) };
	struct difference got;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(units); i++)
		units[i] = (struct pool_unit){ i < 8 ? 5 + i % 2 : 0, 2, i / 8, i < 8 };
	pool.armed.count = 44;
	pool.armed.exposure_s = pool.control.exposure_s = 16;
	assert_int_equal(difference_of_windows(&pool, 1, &got), 0);
	assert_int_equal(got.method, DIFFERENCE_SCATTER);
	assert_true(got.p < 0.05);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_arms),
		cmocka_unit_test(test_power),
		cmocka_unit_test(test_primers),
		cmocka_unit_test(test_armed_against_control),
		cmocka_unit_test(test_windows_within_boots),
		cmocka_unit_test(test_nothing_to_permute),
	};

	return cmocka_run_group_tests_name("difference", tests, NULL, NULL);
}
