// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fs.h"
#include "common/json.h"

static void put(const char *root, const char *dir, const char *file, const char *text)
{
	_cleanup_free_ char *folder = str_printf("%s/%s", root, dir);
	_cleanup_free_ char *path = str_printf("%s/%s", folder, file);

	assert_int_equal(fs_mkdirs(folder, NULL), 0);
	assert_int_equal(fs_write(path, text, NULL), 0);
}

static int set_up(void **state)
{
	char *root = strdup("/tmp/vcpulat-test-XXXXXX");

	*state = root;
	return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
	fs_remove_tree(*state, NULL);
	free(*state);
	return 0;
}

static void test_read_without_scaling(void **state)
{
	struct clock_reading r;
	struct err err = { "" };

	put(*state, "120-11/vcpu0", "tsc-offset", "-123456789012\n");
	put(*state, "120-11/vcpu0", "pid", "130\n");
	put(*state, "120-11/vcpu1", "tsc-offset", "-123456789000\n");
	put(*state, "120-11/vcpu1", "pid", "131\n");
	put(*state, "12-11/vcpu0", "tsc-offset", "5\n");
	assert_int_equal(clock_read(*state, 120, &r, &err), 0);
	assert_int_equal(r.count, 2);
	assert_int_equal(r.vcpu[1].vcpu, 1);
	assert_int_equal(r.vcpu[1].tid, 131);
	assert_int_equal(r.vcpu[0].map.offset, -123456789012);
	assert_int_equal(r.vcpu[0].map.ratio, 0);
	assert_true(r.tsc > 0);
}

static void test_read_with_scaling(void **state)
{
	struct clock_reading r;

	put(*state, "7-9/vcpu0", "tsc-offset", "0\n");
	put(*state, "7-9/vcpu0", "tsc-scaling-ratio", "9223372036854775808\n");
	put(*state, "7-9/vcpu0", "tsc-scaling-ratio-frac-bits", "48\n");
	assert_int_equal(clock_read(*state, 7, &r, NULL), 0);
	assert_true(r.vcpu[0].map.ratio == 1ULL << 63);
	assert_int_equal(r.vcpu[0].map.frac_bits, 48);
	assert_int_equal(r.vcpu[0].tid, 0);
}

static void test_read_what_is_not_there(void **state)
{
	struct clock_reading r;
	struct err err = { "" };

	put(*state, "120-11/vcpu0", "tsc-offset", "oops\n");
	assert_int_equal(clock_read(*state, 12, &r, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "12"));
	assert_int_equal(clock_read("/nonexistent", 12, &r, &err), -ENOENT);
	assert_int_equal(clock_read(*state, 120, &r, &err), -EINVAL);
}

static void test_error_is_half_of_the_best_round_trip(void **state)
{
	const struct clock_pair pairs[] = { { 100, 0, 300 }, { 1000, 0, 1051 }, { 2000, 0, 2500 } };

	(void)state;
	assert_int_equal(clock_error_cycles(pairs, 3), 26);
	assert_true(clock_error_cycles(pairs, 0) == UINT64_MAX);
}

static void test_pairs_that_contradict(void **state)
{
	const struct tsc_map map = { .offset = -1000 };
	const struct clock_pair pairs[] = { { 5000, 4010, 5020 }, { 6000, 5100, 6050 }, { 7000, 5990, 7010 } };

	(void)state;
	assert_int_equal(clock_contradicts(&map, pairs, 3), 2);
	assert_int_equal(clock_contradicts(&map, pairs, 1), 0);
}

static void test_json(void **state)
{
	struct clock_reading readings[] = { { .tsc = 10, .count = 1 },
					    { .tsc = 15, .count = 1 },
					    { .tsc = 20, .count = 1 } };
	const struct clock_pair pair = { 5000, 4010, 5020 };
	_cleanup_json_ json_t *same = NULL;
	_cleanup_json_ json_t *changed = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(readings); i++)
		readings[i].vcpu[0].map.offset = -1000;
	same = clock_json(readings, ARRAY_SIZE(readings), &pair, 1);
	assert_true(json_is_true(json_object_get(same, "stable")));
	assert_int_equal(json_get_u64(same, "error_cycles"), 10);
	assert_int_equal(json_array_size(json_object_get(same, "read")), 3);
	readings[1].vcpu[0].map.offset = -999; /* and back again */
	changed = clock_json(readings, ARRAY_SIZE(readings), &pair, 1);
	assert_true(json_is_false(json_object_get(changed, "stable")));
}

static void test_fits_traces(void **state)
{
	struct clock_reading reading = { .count = 2,
					 .vcpu = { { 0, 70, { -5, 0, 0 } }, { 1, 71, { -5, 1ULL << 48, 48 } } } };

	(void)state;
	assert_true(clock_fits_traces(&reading));
	reading.vcpu[1].map.ratio++;
	assert_false(clock_fits_traces(&reading));
	reading.vcpu[1].map.ratio--;
	reading.vcpu[0].tid = 0;
	assert_false(clock_fits_traces(&reading));
	reading.count = 0;
	assert_false(clock_fits_traces(&reading));
}

static void test_json_without_a_guest(void **state)
{
	_cleanup_json_ json_t *value = clock_json(NULL, 0, NULL, 0);

	(void)state;
	assert_true(json_is_true(json_object_get(value, "stable")));
	assert_int_equal(json_array_size(json_object_get(value, "vcpus")), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_read_without_scaling),
		TEST(test_read_with_scaling),
		TEST(test_read_what_is_not_there),
		cmocka_unit_test(test_error_is_half_of_the_best_round_trip),
		cmocka_unit_test(test_pairs_that_contradict),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_fits_traces),
		cmocka_unit_test(test_json_without_a_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
