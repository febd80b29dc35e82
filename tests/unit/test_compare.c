// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/compare.h"

#include <errno.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "reports/load.h"
#include "tests/unit/make_result.h"

#define SKIP "vmstat-skip-isolated"
#define CAUSE "host/kworker/vmstat_update"

#define assert_near(value, expected) assert_true(fabs((value) - (expected)) < 1e-9)

static json_t *compare(const struct made *made, size_t n, bool aa)
{
	_cleanup_(load_results_done) struct load_results results = { 0 };
	struct compare_params params = { .aa = aa, .seed = 1 };
	struct err err = { 0 };
	json_t *comparison = NULL;

	for (size_t i = 0; i < n; i++)
		assert_int_equal(load_results_add(&results, make_result(made[i])), 0);
	if (compare_results(results.result, results.count, &params, &comparison, &err) < 0)
		fail_msg("%s", err.msg);
	return comparison;
}

static const json_t *row(const json_t *comparison, const char *arm)
{
	json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(comparison, "rows"), i, entry)
		if (strcmp(json_get_string(entry, "arm"), arm) == 0)
			return entry;
	return NULL;
}

static const json_t *verdict(const json_t *comparison, size_t i)
{
	return json_array_get(json_object_get(comparison, "verdicts"), i);
}

static double at(const json_t *object, const char *path)
{
	char key[64];

	while (strchr(path, '.')) {
		size_t len = strcspn(path, ".");

		snprintf(key, sizeof(key), "%.*s", (int)len, path);
		object = json_object_get(object, key);
		path += len + 1;
	}
	object = json_object_get(object, path);
	return json_is_number(object) ? json_number_value(object) : NAN;
}

static void test_removed(void **state)
{
	const struct made made[] = {
		{ .hits = 2 },
		{ .hits = 2, .guest = "none", .length_ns = 7000 },
		{ .arm = SKIP, .removes = CAUSE },
		{ .arm = SKIP, .removes = CAUSE, .guest = "none" },
	};
	_cleanup_json_ json_t *comparison = compare(made, ARRAY_SIZE(made), false);
	const json_t *stock = row(comparison, "stock");

	(void)state;
	assert_true(compare_passed(comparison));
	assert_int_equal(json_array_size(json_object_get(comparison, "verdicts")), 1);
	assert_string_equal(json_get_string(verdict(comparison, 0), "state"), "removed");
	assert_string_equal(json_get_string(verdict(comparison, 0), "text"),
			    CAUSE ": 16 of 16 hits explained on stock; 0 in 40 s on " SKIP
				  " (< 4.5 per minute at 95%): removed");
	assert_true(at(stock, "guest.armed.hit") == 8);
	assert_true(at(stock, "guest.armed.primers") == 8);
	assert_true(fabs(at(stock, "guest.armed.lo") - 0.6306) < 1e-4);
	assert_true(at(stock, "guest.gap_ns.n") == 8);
	assert_true(at(stock, "guest.exposure_s") == 20);
	assert_true(isnan(at(stock, "guest.gap_ns.p99")));
	assert_true(fabs(at(stock, "amplification.p50") - 50300.0 / 7300) < 1e-9);
	assert_true(at(row(comparison, SKIP), "guest.gap_ns.n") == 0);
	assert_true(json_is_null(json_object_get(row(comparison, SKIP), "amplification")));
	assert_true(fabs(at(row(comparison, SKIP), "rate_per_min.hi") - 4.4936) < 1e-3);
}

static void test_remains(void **state)
{
	const struct made made[] = { { .hits = 2 }, { .arm = SKIP, .removes = "host/kworker/*", .hits = 2 } };
	_cleanup_json_ json_t *comparison = compare(made, ARRAY_SIZE(made), false);

	(void)state;
	assert_false(compare_passed(comparison));
	assert_string_equal(json_get_string(verdict(comparison, 0), "state"), "remains");
}

static void test_positive_control(void **state)
{
	struct made made[] = { { .hits = 1 }, { .arm = SKIP, .hits = 1 } };
	_cleanup_json_ json_t *kept = compare(made, ARRAY_SIZE(made), false);
	_cleanup_json_ json_t *gone = NULL;

	(void)state;
	assert_string_equal(json_get_string(verdict(kept, 0), "state"), "as-expected");
	made[0].hits = 2;
	made[1].hits = 0;
	gone = compare(made, ARRAY_SIZE(made), false);
	assert_string_equal(json_get_string(verdict(gone, 0), "state"), "unexpected");
	assert_false(compare_passed(gone));
}

static void test_too_short_is_undecided(void **state)
{
	const struct made made[] = { { .hits = 1, .windows = 1 }, { .arm = SKIP, .removes = CAUSE, .windows = 1 } };
	_cleanup_json_ json_t *comparison = compare(made, ARRAY_SIZE(made), false);

	(void)state;
	assert_string_equal(json_get_string(verdict(comparison, 0), "state"), "undecided");
	assert_false(compare_passed(comparison));
}

static void test_kernel_log_partial_and_lost(void **state)
{
	static const char missing[] = "the host's kernel log is torn";
	_cleanup_(load_results_done) struct load_results results = { 0 };
	_cleanup_json_ json_t *comparison = NULL;
	json_t *skip = make_result((struct made){ .arm = SKIP, .removes = CAUSE });
	struct err err;

	(void)state;
	json_object_set_new(skip, "kernel_log", json_pack("[{s:s, s:s}]", "layer", "host", "line", "WARNING: CPU: 1"));
	json_object_set_new(skip, "kernel_log_missing", json_pack("[{s:s, s:s}]", "layer", "host", "text", missing));
	json_object_set_new(skip, "verdict", json_pack("{s:s, s:[s]}", "state", "failed", "reasons", missing));
	json_object_set_new(skip, "status", json_string("partial"));
	json_object_set_new(skip, "lost", json_pack("{s:i, s:i, s:i}", "host_events", 3, "guest_events", 0, "gaps", 0));
	assert_int_equal(load_results_add(&results, make_result((struct made){ .hits = 2 })), 0);
	assert_int_equal(load_results_add(&results, skip), 0);
	assert_int_equal(compare_results(results.result, 2, NULL, &comparison, &err), 0);
	assert_false(compare_passed(comparison));
	assert_string_equal(json_get_string(verdict(comparison, 0), "state"), "undecided");
	assert_non_null(strstr(json_get_string(verdict(comparison, 0), "text"), "3 events or gaps lost on " SKIP));
	assert_non_null(
		strstr(json_get_string(verdict(comparison, 0), "text"), "the kernel log has 1 finding on " SKIP));
	assert_non_null(strstr(json_get_string(verdict(comparison, 0), "text"), "1 partial run of " SKIP));
	assert_int_equal(json_array_size(json_object_get(comparison, "findings")), 4);
	assert_string_equal(json_get_string(json_array_get(json_object_get(comparison, "findings"), 1), "text"),
			    missing);
}

static void test_a_caller_that_waits_long_is_told(void **state)
{
	_cleanup_(load_results_done) struct load_results results = { 0 };
	_cleanup_json_ json_t *comparison = NULL;
	json_t *quick = make_result((struct made){ .hits = 2 });
	json_t *slow = make_result((struct made){ .arm = SKIP, .hits = 2 });
	struct err err;

	(void)state;
	json_object_set_new(
		quick, "caller_ns",
		json_pack("{s:i, s:I, s:I}", "n", 5, "max", (json_int_t)40000000, "total", (json_int_t)99000000));
	json_object_set_new(
		slow, "caller_ns",
		json_pack("{s:i, s:I, s:I}", "n", 2, "max", (json_int_t)4400000000, "total", (json_int_t)5100000000));
	assert_int_equal(load_results_add(&results, quick), 0);
	assert_int_equal(load_results_add(&results, slow), 0);
	assert_int_equal(compare_results(results.result, 2, NULL, &comparison, &err), 0);
	assert_int_equal(json_array_size(json_object_get(comparison, "findings")), 1);
	assert_string_equal(json_get_string(json_array_get(json_object_get(comparison, "findings"), 0), "text"),
			    "the stimulus's caller waited: 4.4 s at the longest, 5.1 s in all, in 2 calls");
	assert_true(compare_passed(comparison));
}

static void test_a_hang_is_removed(void **state)
{
	_cleanup_(load_results_done) struct load_results results = { 0 };
	_cleanup_json_ json_t *comparison = NULL;
	struct made fixed = {
		.arm = "reclaim-snapshot", .windows = 5, .cause = "host/hang/stall", .removes = "host/hang/stall"
	};
	json_t *hung = make_result((struct made){ .cause = "host/hang/stall", .windows = 5, .hits = 1 });
	struct err err;

	(void)state;
	json_array_clear(json_object_get(hung, "gaps")); /* no gap shows it */
	assert_int_equal(load_results_add(&results, hung), 0);
	assert_int_equal(load_results_add(&results, make_result(fixed)), 0);
	assert_int_equal(compare_results(results.result, 2, NULL, &comparison, &err), 0);
	assert_string_equal(json_get_string(verdict(comparison, 0), "state"), "removed");
	assert_non_null(strstr(json_get_string(verdict(comparison, 0), "text"), "5 of 5 hits explained on stock"));
}

static void test_unprovoked_more_often(void **state)
{
	struct made made[] = {
		{ .unprovoked = true, .cause = "host/task/new" },
		{ .unprovoked = true, .cause = "host/task/new", .arm = SKIP, .hits = 3 },
	};
	_cleanup_json_ json_t *one_boot = compare(made, ARRAY_SIZE(made), false);
	_cleanup_json_ json_t *reversed = NULL;

	(void)state;
	assert_true(compare_passed(one_boot));
	assert_string_equal(json_get_string(verdict(one_boot, 0), "state"), "undecided");
	assert_true(json_is_false(json_object_get(verdict(one_boot, 0), "decisive")));
	made[0].hits = 3;
	made[1].hits = 0;
	reversed = compare(made, ARRAY_SIZE(made), false);
	assert_int_equal(json_array_size(json_object_get(reversed, "verdicts")), 0);
}

static void test_unprovoked_more_often_in_boots(void **state)
{
	static const char *const boots[] = { "a", "b", "c", "d" };
	struct made made[8];
	_cleanup_json_ json_t *comparison = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(made); i++)
		made[i] = (struct made){ .unprovoked = true,
					 .cause = "host/task/new",
					 .boot = boots[i / 2],
					 .arm = i % 2 ? SKIP : NULL,
					 .hits = i % 2 ? 3 : 0 };
	comparison = compare(made, ARRAY_SIZE(made), false);
	assert_string_equal(json_get_string(verdict(comparison, 0), "state"), "unexpected");
	assert_false(compare_passed(comparison));
	assert_int_equal(json_get_u64(json_array_get(json_object_get(comparison, "arms"), 0), "boots"), 4);
}

static void test_aa(void **state)
{
	struct made made[] = { { .hits = 2 }, { .hits = 2, .boot = "boot-2" } };
	_cleanup_(load_results_done) struct load_results one = { 0 };
	_cleanup_json_ json_t *comparison = compare(made, ARRAY_SIZE(made), true);
	const struct compare_params aa = { .aa = true };
	json_t *none = NULL;
	struct err err;

	(void)state;
	assert_true(compare_passed(comparison));
	assert_string_equal(json_get_string(verdict(comparison, 0), "state"), "as-expected");
	assert_int_equal(json_array_size(json_object_get(comparison, "arms")), 2);
	assert_int_equal(load_results_add(&one, make_result(made[0])), 0);
	assert_int_equal(compare_results(one.result, 1, &aa, &none, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "two boots"));
}

/* Two arms given: they are compared as they are. */
static void test_aa_finds_a_difference(void **state)
{
	const struct made made[] = { { .hits = 3 }, { .arm = "again" } };
	_cleanup_json_ json_t *comparison = compare(made, ARRAY_SIZE(made), true);

	(void)state;
	assert_string_equal(json_get_string(verdict(comparison, 0), "state"), "unexpected");
	assert_false(compare_passed(comparison));
}

static void test_refused(void **state)
{
	_cleanup_(load_results_done) struct load_results results = { 0 };
	json_t *metal = make_result((struct made){ .arm = SKIP });
	json_t *none = NULL;
	struct err err;

	(void)state;
	assert_int_equal(compare_results(NULL, 0, NULL, &none, &err), -EINVAL);
	json_object_set_new(metal, "emulated", json_false());
	assert_int_equal(load_results_add(&results, make_result((struct made){ .hits = 1 })), 0);
	assert_int_equal(load_results_add(&results, metal), 0);
	assert_int_equal(compare_results(results.result, 2, NULL, &none, &err), -EINVAL);
	json_object_set_new(metal, "guest", json_string("xen"));
	assert_int_equal(compare_results(results.result, 2, NULL, &none, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "xen"));
}

/* Of runs with and without the meter counts and causes can be compared, as of runs without it. */
static void test_mode(void **state)
{
	static const char *const modes[][3] = { { "exact", "exact", "exact" },
						{ "exact", "functional", "functional" },
						{ "functional", "exact", "functional" },
						{ "exact", "qualification", NULL } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		_cleanup_(load_results_done) struct load_results results = { 0 };
		_cleanup_json_ json_t *c = NULL;

		for (size_t k = 0; k < 2; k++) {
			json_t *result = make_result((struct made){ .hits = 1, .arm = k ? SKIP : NULL });

			json_object_set_new(result, "mode", json_string(modes[i][k]));
			assert_int_equal(load_results_add(&results, result), 0);
		}
		assert_int_equal(compare_results(results.result, 2, NULL, &c, NULL), modes[i][2] ? 0 : -EINVAL);
		if (modes[i][2])
			assert_string_equal(json_get_string(c, "mode"), modes[i][2]);
	}
}

static void test_a_debug_kernel_has_hits_but_no_lengths(void **state)
{
	static const char text[] = "the host's kernel checks itself while it runs (LOCKDEP)";
	_cleanup_(load_results_done) struct load_results results = { 0 };
	_cleanup_json_ json_t *comparison = NULL;
	const json_t *finding;

	(void)state;
	for (int i = 0; i < 2; i++) {
		json_t *result = make_result((struct made){ .hits = 2, .guest = i ? "none" : NULL });

		json_object_set_new(result, "debug_kernel", json_pack("[{s:s, s:s}]", "layer", "host", "text", text));
		assert_int_equal(load_results_add(&results, result), 0);
	}
	assert_int_equal(compare_results(results.result, 2, NULL, &comparison, NULL), 0);
	assert_true(at(row(comparison, "stock"), "guest.armed.hit") == 8);
	assert_true(at(row(comparison, "stock"), "guest.gap_ns.n") == 0);
	assert_true(at(row(comparison, "stock"), "native.cost_ns.n") == 0);
	assert_int_equal(json_array_size(json_object_get(comparison, "findings")), 1);
	finding = json_array_get(json_object_get(comparison, "findings"), 0);
	assert_non_null(strstr(json_get_string(finding, "text"), text));
}

/* A result whose members are all of the wrong kind must not end the program. */
static void test_nonsense_is_survived(void **state)
{
	static const char *const members[] = {
		"windows", "gaps",    "causes", "lost",	       "exposure", "kernel_log", "kernel_log_missing",
		"verdict", "retries", "clock",	"arm.removes", "status",   "boot_id"
	};
	static const char *const values[] = { "null", "[]", "{}", "-7", "[[]]", "[{\"t_ns\":-1}]", "\"x\"", "[null]" };

	(void)state;
	for (size_t m = 0; m < ARRAY_SIZE(members); m++) {
		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			json_t *result = make_result((struct made){ .hits = 2 });
			const json_t *list[] = { result };
			json_t *comparison = NULL;

			json_object_set_new(result, members[m], json_loads(values[v], JSON_DECODE_ANY, NULL));
			if (compare_results(list, 1, NULL, &comparison, NULL) == 0)
				json_decref(comparison);
			json_decref(result);
		}
	}
}

static const json_t *effect(const json_t *comparison)
{
	return json_array_get(json_object_get(comparison, "probe_effect"), 0);
}

/* Runs without a trace say nothing of causes: they must not thin out the hits of those that have one. */
static void test_untraced_runs_do_not_dilute(void **state)
{
	const struct made made[] = { { .hits = 2 },
				     { .hits = 2, .untraced = true, .boot = "boot-2" },
				     { .arm = SKIP, .removes = CAUSE },
				     { .arm = SKIP, .removes = CAUSE, .untraced = true, .hits = 2, .boot = "boot-3" } };
	_cleanup_json_ json_t *c = compare(made, 4, false);

	(void)state;
	assert_near(at(row(c, "stock"), "guest.armed.primers"), 8);
	assert_near(at(row(c, "stock"), "guest.exposure_s"), 20);
	assert_near(at(row(c, SKIP), "guest.armed.hit"), 0);
	assert_string_equal(json_get_string(verdict(c, 0), "state"), "removed");
	assert_int_equal(json_array_size(json_object_get(c, "findings")), 2);
	assert_true(compare_passed(c));
}

/* Nothing was traced on the patched arm: no proof of anything. */
static void test_an_arm_without_a_trace(void **state)
{
	const struct made made[] = { { .hits = 2 }, { .arm = SKIP, .removes = CAUSE, .untraced = true } };
	_cleanup_json_ json_t *c = compare(made, 2, false);

	(void)state;
	assert_string_equal(json_get_string(verdict(c, 0), "state"), "undecided");
	assert_false(compare_passed(c));
	assert_int_equal(json_array_size(json_object_get(c, "probe_effect")), 0);
}

static void test_nothing_traced_is_not_judged(void **state)
{
	const struct made made[] = { { .hits = 2, .untraced = true } };
	_cleanup_json_ json_t *c = compare(made, 1, false);

	(void)state;
	assert_int_equal(json_array_size(json_object_get(c, "verdicts")), 0);
	assert_string_equal(json_get_string(json_array_get(json_object_get(c, "findings"), 0), "text"),
			    "not traced: its gaps are counted, not explained");
}

/* The meter explains runs without a trace, but traced ones come first where there are both. */
static void test_the_meter_instead_of_a_trace(void **state)
{
	const struct made made[] = { { .hits = 2, .untraced = true, .metered = true },
				     { .arm = SKIP, .removes = CAUSE, .untraced = true, .metered = true },
				     { .hits = 1, .boot = "boot-2" } };
	_cleanup_json_ json_t *metered = compare(made, 2, false);
	_cleanup_json_ json_t *both = compare(made, 3, false);

	(void)state;
	assert_near(at(row(metered, "stock"), "guest.armed.hit"), 8);
	assert_string_equal(json_get_string(verdict(metered, 0), "state"), "removed");
	assert_int_equal(json_array_size(json_object_get(metered, "findings")), 0);
	assert_near(at(row(both, "stock"), "guest.armed.hit"), 4);
	assert_near(at(effect(both), "untraced.gaps"), 8);
}

/* Four gaps a window against two, 50 us against 40: the effect is found, with its size. */
static void test_probe_effect(void **state)
{
	const struct made made[] = { { .hits = 4, .windows = 8 },
				     { .hits = 2, .windows = 8, .length_ns = 40000, .untraced = true } };
	_cleanup_json_ json_t *c = compare(made, 2, false);
	const json_t *e = effect(c);

	(void)state;
	assert_near(at(e, "traced.gaps"), 32);
	assert_near(at(e, "untraced.gaps"), 16);
	assert_near(at(e, "rate_ratio.value"), 2);
	assert_true(at(e, "rate_ratio.lo") > 1 && at(e, "rate_ratio.hi") < 4);
	assert_true(at(e, "length_ratio.value") > 1.2 && at(e, "length_ratio.lo") > 1);
	assert_true(json_is_true(json_object_get(e, "changes")));
	assert_true(json_is_false(json_object_get(e, "boots")));
	assert_non_null(strstr(json_get_string(e, "text"), "tracing changes both"));
}

static void test_no_probe_effect(void **state)
{
	const struct made made[] = { { .hits = 2, .windows = 8 }, { .hits = 2, .windows = 8, .untraced = true } };
	_cleanup_json_ json_t *c = compare(made, 2, false);

	(void)state;
	assert_true(json_is_false(json_object_get(effect(c), "changes")));
	assert_non_null(strstr(json_get_string(effect(c), "text"), "no effect shown; what differs from boot"));
}

/* A dozen interrupts of one boot that made no gap: one cluster in one of the halves, no difference. */
static void test_clusters_without_gaps(void **state)
{
	static const char *const boots[] = { "a", "b", "c", "d", "e", "f", "g", "h" };
	_cleanup_(load_results_done) struct load_results results = { 0 };
	const struct compare_params aa = { .aa = true, .seed = 1 };
	_cleanup_json_ json_t *c = NULL;

	(void)state;
	for (size_t b = 0; b < ARRAY_SIZE(boots); b++) {
		int count = b == 3 ? 12 : 0;
		json_t *result = make_result((struct made){ .boot = boots[b], .unprovoked = true });
		json_t *cause = json_array_get(json_object_get(result, "causes"), 0);

		json_object_set_new(json_object_get(cause, "armed"), "count", json_integer(count));
		json_object_set_new(cause, "by_window",
				    json_pack("[i, i, i, i, i, i, i, i]", 0, 0, 0, count, 0, 0, 0, 0));
		assert_int_equal(load_results_add(&results, result), 0);
	}
	assert_int_equal(compare_results(results.result, results.count, &aa, &c, NULL), 0);
	assert_near(at(row(c, "stock/A"), "guest.armed.count") + at(row(c, "stock/B"), "guest.armed.count"), 12);
	assert_true(compare_passed(c));
}

/* Four boots of one arm, each with a level of its own, and windows that scatter about it. */
static bool same_arm_passes(gsl_rng *rng, uint64_t seed)
{
	_cleanup_(load_results_done) struct load_results results = { 0 };
	struct compare_params params = { .aa = true, .seed = seed };
	_cleanup_json_ json_t *comparison = NULL;
	static const char *const boots[] = { "boot-1", "boot-2", "boot-3", "boot-4" };

	for (size_t b = 0; b < ARRAY_SIZE(boots); b++) {
		double level = 2 * gsl_ran_lognormal(rng, 0, 0.5);
		unsigned int hits[4];
		struct made made = { .boot = boots[b], .hits = 1, .hits_of = hits, .unprovoked = true };

		for (size_t w = 0; w < ARRAY_SIZE(hits); w++)
			hits[w] = gsl_ran_poisson(rng, level * gsl_ran_lognormal(rng, 0, 0.7));
		assert_int_equal(load_results_add(&results, make_result(made)), 0);
	}
	assert_int_equal(compare_results(results.result, results.count, &params, &comparison, NULL), 0);
	return compare_passed(comparison);
}

/* The whole way of `compare --aa`, with hits in clusters: no difference is found more often than the level says. */
static void test_aa_keeps_its_level(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	int comparisons = getenv("VCPULAT_LONG_TESTS") ? 1000 : 100;
	int found = 0;

	(void)state;
	for (int i = 0; i < comparisons; i++)
		found += !same_arm_passes(rng, (uint64_t)i + 1);
	gsl_rng_free(rng);
	if (getenv("VCPULAT_LONG_TESTS"))
		printf("A/A of four clustered boots: %d of %d differ\n", found, comparisons);
	assert_true(found / (double)comparisons <= 0.05 + 3.5 * sqrt(0.05 * 0.95 / comparisons));
}

#define CAUSES 20

/* One boot with many causes, each with a level of its own in this boot, and windows that scatter about it. */
static json_t *boot_of_many(gsl_rng *rng, const char *boot, const char names[CAUSES][16])
{
	json_t *result = NULL;

	for (size_t i = 0; i < CAUSES; i++) {
		double level = 3 * gsl_ran_lognormal(rng, 0, 0.3);
		unsigned int hits[4];
		struct made made = { .boot = boot, .cause = names[i], .hits = 1, .hits_of = hits, .unprovoked = true };
		_cleanup_json_ json_t *more = NULL;

		for (size_t w = 0; w < ARRAY_SIZE(hits); w++)
			hits[w] = gsl_ran_poisson(rng, level * gsl_ran_lognormal(rng, 0, 0.7));
		more = make_result(made);
		if (!result) {
			result = TAKE_PTR(more);
			continue;
		}
		json_array_extend(json_object_get(result, "causes"), json_object_get(more, "causes"));
		json_array_extend(json_object_get(result, "gaps"), json_object_get(more, "gaps"));
	}
	/* Whether armed windows differ from control windows is not asked here, and takes time to answer. */
	json_object_set_new(json_object_get(result, "exposure"), "control_ns", json_integer(0));
	return result;
}

/* How many of the causes differ between halves of so many boots, Holm's correction included. */
static unsigned int causes_that_differ(gsl_rng *rng, size_t boots, const char names[CAUSES][16], uint64_t seed)
{
	static const char *const boot[] = { "boot-1", "boot-2", "boot-3", "boot-4",
					    "boot-5", "boot-6", "boot-7", "boot-8" };
	_cleanup_(load_results_done) struct load_results results = { 0 };
	struct compare_params params = { .aa = true, .seed = seed };
	_cleanup_json_ json_t *comparison = NULL;
	unsigned int differ = 0;

	for (size_t b = 0; b < boots; b++)
		assert_int_equal(load_results_add(&results, boot_of_many(rng, boot[b], names)), 0);
	assert_int_equal(compare_results(results.result, results.count, &params, &comparison, NULL), 0);
	for (size_t i = 0; i < json_array_size(json_object_get(comparison, "verdicts")); i++)
		differ += strcmp(json_get_string(verdict(comparison, i), "state"), "unexpected") == 0;
	assert_true((differ == 0) == compare_passed(comparison));
	return differ;
}

/* Twenty causes, all tested: still no more than the level's share of comparisons finds any difference. */
static void test_aa_keeps_its_level_over_many_causes(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	int comparisons = getenv("VCPULAT_LONG_TESTS") ? 1000 : 40;
	char names[CAUSES][16];
	int found = 0;

	(void)state;
	for (size_t i = 0; i < CAUSES; i++)
		snprintf(names[i], sizeof(names[i]), "host/task/%zu", i);
	for (int i = 0; i < comparisons; i++)
		found += causes_that_differ(rng, i % 2 ? 8 : 4, names, (uint64_t)i + 1) > 0;
	gsl_rng_free(rng);
	if (getenv("VCPULAT_LONG_TESTS"))
		printf("A/A of four and eight clustered boots, %d causes: %d of %d differ in any\n", CAUSES, found,
		       comparisons);
	assert_true(found / (double)comparisons <= 0.05 + 3.5 * sqrt(0.05 * 0.95 / comparisons));
}

static json_t *clustered(gsl_rng *rng, double mean, bool untraced)
{
	unsigned int hits[12];
	struct made made = { .windows = ARRAY_SIZE(hits), .hits = 1, .hits_of = hits, .untraced = untraced };

	for (size_t w = 0; w < ARRAY_SIZE(hits); w++)
		hits[w] = gsl_ran_poisson(rng, mean * gsl_ran_lognormal(rng, -0.125, 0.5));
	return make_result(made);
}

/* Does the interval hold the true ratio of rates, 1.5, as often as it says, when gaps come in clusters? */
static void test_probe_effect_coverage(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	int rounds = getenv("VCPULAT_LONG_TESTS") ? 2000 : 100;
	int covered = 0;

	(void)state;
	for (int i = 0; i < rounds; i++) {
		_cleanup_(load_results_done) struct load_results results = { 0 };
		_cleanup_json_ json_t *c = NULL;

		assert_int_equal(load_results_add(&results, clustered(rng, 9, false)), 0);
		assert_int_equal(load_results_add(&results, clustered(rng, 6, true)), 0);
		assert_int_equal(compare_results(results.result, results.count, NULL, &c, NULL), 0);
		covered += at(effect(c), "rate_ratio.lo") <= 1.5 && at(effect(c), "rate_ratio.hi") >= 1.5;
	}
	gsl_rng_free(rng);
	if (rounds > 100)
		printf("coverage: probe effect, ratio of clustered rates %.4f\n", covered / (double)rounds);
	assert_true(covered / (double)rounds >= 0.95 - 3.5 * sqrt(0.95 * 0.05 / rounds));
}

/* A run that measured page faults with one thread and with two. */
static int add_faults(struct load_results *results, const char *arm, const char *boot, const double per_s[2],
		      unsigned int insns)
{
	json_t *result = make_result((struct made){ .arm = arm, .boot = boot });
	json_t *rates = json_pack("[{s:i, s:f, s:f, s:f}, {s:i, s:f, s:f, s:f}]", "threads", 1, "per_s", per_s[0],
				  "per_cpu_s", per_s[0], "ipis_per_1000", 0.5, "threads", 2, "per_s", per_s[1],
				  "per_cpu_s", per_s[1] / 2, "ipis_per_1000", 1.5);
	json_t *exact = json_pack("{s:s, s:[{s:i, s:i, s:{s:i}}]}", "schema", "vcpulat-exact-1", "page_faults",
				  "threads", 1, "pages", 100, "insns", "median", insns);

	json_object_set_new(result, "fault_rate", rates);
	json_object_set_new(result, "exact", exact);
	return load_results_add(results, result);
}

/* One thread is slower by a tenth on the arm, boot by boot; two threads are as fast, and scatter. */
static json_t *compare_faults(unsigned int boots)
{
	static const char *const boot[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" };
	_cleanup_(load_results_done) struct load_results results = { 0 };
	_cleanup_json_ json_t *comparison = NULL;

	for (unsigned int i = 0; i < boots; i++) {
		const double base[] = { 1000 + i, 1500 + 10 * i };
		const double arm[] = { 900 + 0.9 * i, 1540 - 10 * i };

		assert_int_equal(add_faults(&results, "stock", boot[i], base, 250000 + i), 0);
		assert_int_equal(add_faults(&results, SKIP, boot[9 - i], arm, 255000 + i), 0);
	}
	assert_int_equal(compare_results(results.result, results.count, NULL, &comparison, NULL), 0);
	return json_incref(json_object_get(comparison, "fault_rate"));
}

static const json_t *fault_row(const json_t *faults, const char *figure, json_int_t threads)
{
	json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(faults, "rows"), i, entry)
		if (strcmp(json_get_string(entry, "figure"), figure) == 0 && at(entry, "threads") == (double)threads)
			return entry;
	return NULL;
}

static void test_page_faults(void **state)
{
	_cleanup_json_ json_t *faults = compare_faults(5);
	const json_t *one = fault_row(faults, "per_s", 1);
	const json_t *two = fault_row(faults, "per_s", 2);
	const json_t *insns = fault_row(faults, "insns", 1);

	(void)state;
	assert_true(json_is_true(json_object_get(faults, "decidable")));
	assert_string_equal(json_get_string(one, "against"), "stock");
	assert_near(at(one, "from"), 1002);
	assert_near(at(one, "to"), 901.8);
	assert_near(at(one, "change_percent"), -10);
	assert_true(at(one, "boots") == 5 && at(one, "boots_against") == 5);
	assert_true(json_is_true(json_object_get(one, "significant")));
	/* Two of the 252 ways to deal ten boots out are as far apart; corrected for two numbers of threads. */
	assert_true(fabs(at(one, "p") - 2 * 2.0 / 252) < 0.006);
	assert_near(at(two, "change_percent"), 0);
	assert_false(json_is_true(json_object_get(two, "significant")));
	assert_near(at(insns, "from"), 2500.02);
	assert_near(at(insns, "to"), 2550.02);
	assert_true(json_is_true(json_object_get(insns, "significant")));
	assert_null(fault_row(faults, "insns", 2));
}

static void test_page_faults_of_few_boots(void **state)
{
	_cleanup_json_ json_t *faults = compare_faults(2);

	(void)state;
	assert_false(json_is_true(json_object_get(faults, "decidable")));
	assert_near(at(fault_row(faults, "per_s", 1), "change_percent"), -10);
	assert_false(json_is_true(json_object_get(fault_row(faults, "per_s", 1), "significant")));
}

/* A run of one to four threads whose instructions were counted from @counted threads on. */
static void add_insns(struct load_results *results, const char *arm, const char *boot, int counted)
{
	json_t *result = make_result((struct made){ .arm = arm, .boot = boot });
	json_t *rates = json_array();
	json_t *insns = json_array();

	for (int threads = 1; threads <= 4; threads++) {
		json_array_append_new(rates, json_pack("{s:i, s:f}", "threads", threads, "per_s", 1000.0));
		if (threads >= counted)
			json_array_append_new(insns, json_pack("{s:i, s:i, s:{s:i}}", "threads", threads, "pages", 100,
							       "insns", "median", 250000));
	}
	json_object_set_new(result, "fault_rate", rates);
	json_object_set_new(result, "exact",
			    json_pack("{s:s, s:o}", "schema", "vcpulat-exact-1", "page_faults", insns));
	assert_int_equal(load_results_add(results, result), 0);
}

/* Numbers of threads that one arm alone has are left out, and leave nothing behind in the one that follows. */
static void test_page_faults_counted_on_one_arm(void **state)
{
	(void)state;
	for (int counted = 4; counted <= 5; counted++) {
		_cleanup_(load_results_done) struct load_results results = { 0 };
		_cleanup_json_ json_t *comparison = NULL;
		const json_t *faults;
		const json_t *four;

		for (size_t boot = 0; boot < 2; boot++) {
			add_insns(&results, "stock", boot ? "b" : "a", counted);
			add_insns(&results, SKIP, boot ? "d" : "c", 1);
		}
		assert_int_equal(compare_results(results.result, results.count, NULL, &comparison, NULL), 0);
		faults = json_object_get(comparison, "fault_rate");
		assert_non_null(fault_row(faults, "per_s", 4));
		for (int threads = 1; threads < 4; threads++)
			assert_null(fault_row(faults, "insns", threads));
		four = fault_row(faults, "insns", 4);
		assert_int_equal(four != NULL, counted == 4);
		if (four) {
			assert_near(at(four, "from"), 2500);
			assert_near(at(four, "to"), 2500);
			assert_true(at(four, "boots") == 2 && at(four, "boots_against") == 2);
		}
	}
}

static void add_figures(struct load_results *results, const char *arm, const char *boot, const char *figures)
{
	json_t *result = make_result((struct made){ .arm = arm, .boot = boot });

	json_object_set_new(result, "stimulus_figures", json_loads(figures, 0, NULL));
	assert_int_equal(load_results_add(results, result), 0);
}

/* Values of an arm's runs are put together; what no stimulus could have said is left out. */
static void test_figures_of_stimuli(void **state)
{
	_cleanup_(load_results_done) struct load_results results = { 0 };
	_cleanup_json_ json_t *comparison = NULL;
	_cleanup_json_ json_t *wanted =
		json_loads("[{\"scenario\": \"vmstat-host\", \"kind\": \"stall\", \"figure\": \"a\", \"unit\": \"ms\","
			   "  \"window\": \"armed\", \"arms\": ["
			   "   {\"n\": 4, \"min\": -2, \"median\": 4, \"max\": 9, \"arm\": \"stock\"},"
			   "   {\"n\": 1, \"min\": 8, \"median\": 8, \"max\": 8, \"arm\": \"" SKIP "\"}]},"
			   " {\"scenario\": \"vmstat-host\", \"kind\": \"stall\", \"figure\": \"a\", \"unit\": \"ms\","
			   "  \"window\": \"control\", \"arms\": ["
			   "   {\"n\": 1, \"min\": 1, \"median\": 1, \"max\": 1, \"arm\": \"stock\"}]}]",
			   0, NULL);

	(void)state;
	add_figures(&results, "stock", "a",
		    "[{\"kind\": \"stall\", \"figure\": \"a\", \"unit\": \"ms\", \"control\": {\"values\": [1]},"
		    "  \"armed\": {\"values\": [9, -2, \"5\", 1e300, 4000000000000000000]}}]");
	add_figures(
		&results, "stock", "b",
		"[{\"kind\": \"stall\", \"figure\": \"a\", \"unit\": \"ms\", \"armed\": {\"values\": [4, 7]}},"
		" {\"kind\": \"stall\", \"figure\": \"\\u001b[2J\", \"unit\": \"ms\", \"armed\": {\"values\": [4]}},"
		" 7]");
	add_figures(&results, SKIP, "c",
		    "[{\"kind\": \"stall\", \"figure\": \"a\", \"unit\": \"ms\", \"armed\": {\"values\": [8]}}]");
	assert_int_equal(compare_results(results.result, results.count, NULL, &comparison, NULL), 0);
	assert_true(json_equal(json_object_get(comparison, "stimulus_figures"), wanted));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_faults),
		cmocka_unit_test(test_figures_of_stimuli),
		cmocka_unit_test(test_page_faults_of_few_boots),
		cmocka_unit_test(test_page_faults_counted_on_one_arm),
		cmocka_unit_test(test_removed),
		cmocka_unit_test(test_remains),
		cmocka_unit_test(test_positive_control),
		cmocka_unit_test(test_too_short_is_undecided),
		cmocka_unit_test(test_kernel_log_partial_and_lost),
		cmocka_unit_test(test_a_hang_is_removed),
		cmocka_unit_test(test_a_caller_that_waits_long_is_told),
		cmocka_unit_test(test_unprovoked_more_often),
		cmocka_unit_test(test_unprovoked_more_often_in_boots),
		cmocka_unit_test(test_aa),
		cmocka_unit_test(test_aa_finds_a_difference),
		cmocka_unit_test(test_clusters_without_gaps),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_a_debug_kernel_has_hits_but_no_lengths),
		cmocka_unit_test(test_nonsense_is_survived),
		cmocka_unit_test(test_untraced_runs_do_not_dilute),
		cmocka_unit_test(test_an_arm_without_a_trace),
		cmocka_unit_test(test_nothing_traced_is_not_judged),
		cmocka_unit_test(test_probe_effect),
		cmocka_unit_test(test_no_probe_effect),
		cmocka_unit_test(test_aa_keeps_its_level),
		cmocka_unit_test(test_aa_keeps_its_level_over_many_causes),
		cmocka_unit_test(test_probe_effect_coverage),
		cmocka_unit_test(test_the_meter_instead_of_a_trace),
	};

	return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
