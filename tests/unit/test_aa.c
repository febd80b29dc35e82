// SPDX-License-Identifier: GPL-2.0-or-later
/* What is simulated from recorded windows: that it repeats, keeps clusters together, and finds a test that is too bold.
 */
#include "reports/aa.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/cleanup.h"

#define BOOTS 3
#define WINDOWS 6
#define CAUSES 4

/* Windows of two seconds; every other one is a control window, which must not be drawn. */
static struct pool fill(struct pool_unit *units, unsigned int boots, unsigned int windows, const unsigned int *count)
{
	struct pool pool = { .runs = boots, .boots = boots, .window = units };

	for (unsigned int i = 0; i < boots * windows; i++) {
		units[pool.windows++] = (struct pool_unit){ count[i], 2, i / windows, true };
		units[pool.windows++] = (struct pool_unit){ 1000, 2, i / windows, false };
		pool.armed.count += count[i];
		pool.armed.exposure_s += 2;
	}
	return pool;
}

static void test_clustered_hits_keep_the_level(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct pool_unit units[2 * CAUSES][2 * BOOTS * WINDOWS];
	struct pool pools[2 * CAUSES];
	struct aa_pair pairs[CAUSES];
	struct aa_simulation got;
	struct aa_simulation again;

	(void)state;
	for (size_t i = 0; i < 2 * CAUSES; i++) {
		unsigned int count[BOOTS * WINDOWS];
		double level = 3;

		for (size_t w = 0; w < ARRAY_SIZE(count); w++) {
			level = w % WINDOWS ? level : 3 * gsl_ran_lognormal(rng, 0, 0.5);
			count[w] = gsl_ran_poisson(rng, level * gsl_ran_lognormal(rng, 0, 0.7));
		}
		pools[i] = fill(units[i], BOOTS, WINDOWS, count);
		pairs[i / 2].a = i % 2 ? pairs[i / 2].a : &pools[i];
		pairs[i / 2].b = &pools[i];
	}
	gsl_rng_free(rng);
	assert_int_equal(aa_simulate(pairs, CAUSES, 300, 1, &got), 0);
	assert_int_equal(got.comparisons, 300);
	assert_true(got.share.lo <= 0.05);
	assert_int_equal(aa_simulate(pairs, CAUSES, 300, 1, &again), 0);
	assert_int_equal(got.differ, again.differ);
}

/* One window a boot, and one boot a half: only the exact test is left, which takes clusters for a difference. */
static void test_a_bold_test_is_found(void **state)
{
	const unsigned int few = 0;
	const unsigned int many = 40;
	struct pool_unit units[2][2];
	struct pool a = fill(units[0], 1, 1, &few);
	struct pool b = fill(units[1], 1, 1, &many);
	struct aa_pair pair = { &a, &b };
	struct aa_simulation got;

	(void)state;
	assert_int_equal(aa_simulate(&pair, 1, 200, 1, &got), 0);
	assert_true(got.differ > 60 && got.differ < 140);
	assert_true(got.share.lo > 0.05);
}

static void test_nothing_to_draw(void **state)
{
	struct pool none = { 0 };
	struct aa_pair pair = { &none, &none };
	struct aa_simulation got;

	(void)state;
	assert_int_equal(aa_simulate(&pair, 1, 10, 1, &got), 0);
	assert_int_equal(got.differ, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clustered_hits_keep_the_level),
		cmocka_unit_test(test_a_bold_test_is_found),
		cmocka_unit_test(test_nothing_to_draw),
	};

	return cmocka_run_group_tests_name("aa", tests, NULL, NULL);
}
