// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Recorded bundles must give the recorded results, byte for byte. VCPULAT_UPDATE_GOLDEN=1
 * writes what they give now: look at the difference before you commit it.
 */
#include "reports/result.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fs.h"
#include "common/json.h"
#include "reports/analyze.h"

#define BUNDLES "tests/data/*/manifest.json"
#define MAX_GOLDEN ((size_t)8 << 20)

/* Too long to be recorded; the examples have theirs, and courses_account_for_their_gaps() looks at all of them. */
static void drop_courses(json_t *result)
{
	json_t *gap;
	size_t i;

	json_array_foreach (json_object_get(result, "gaps"), i, gap) {
		json_object_del(gap, "segments");
		json_object_del(gap, "events");
	}
}

static char *result_text(const char *dir, bool with_courses)
{
	_cleanup_(analysis_freep) struct analysis *a = NULL;
	_cleanup_json_ json_t *result = NULL;
	_cleanup_free_ char *text = NULL;
	struct err err = { "" };

	if (analyze_open(dir, &a, &err) < 0)
		fail_msg("%s", err.msg);
	result = result_make(a);
	assert_non_null(result);
	json_object_set_new(result, "tool", json_string("test"));
	if (!with_courses)
		drop_courses(result);
	text = json_dumps(result, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
	assert_non_null(text);
	return str_printf("%s\n", text);
}

/* The line of the first difference: all of a result is too much to print. */
static void assert_same(const char *path, const char *text, const char *golden)
{
	size_t line = 1;
	size_t i = 0;

	for (; text[i] && text[i] == golden[i]; i++)
		line += text[i] == '\n';
	if (text[i] != golden[i])
		fail_msg("%s:%zu: recorded '%.80s', now '%.80s'", path, line, golden + i, text + i);
}

static void check_bundle(const char *manifest)
{
	_cleanup_free_ char *dir = strndup(manifest, (size_t)(strrchr(manifest, '/') - manifest));
	_cleanup_free_ char *path = str_printf("%s.result.json", dir);
	_cleanup_free_ char *text = result_text(dir, false);
	_cleanup_free_ char *again = result_text(dir, false);
	_cleanup_free_ char *golden = NULL;
	struct err err = { "" };

	assert_string_equal(text, again);
	if (getenv("VCPULAT_UPDATE_GOLDEN")) {
		assert_int_equal(fs_write_atomic(path, text, strlen(text), &err), 0);
		return;
	}
	if (fs_read(path, MAX_GOLDEN, &golden, NULL, &err) < 0)
		fail_msg("%s", err.msg);
	assert_same(path, text, golden);
}

static void recorded_bundles(void **state)
{
	glob_t found;

	(void)state;
	assert_int_equal(glob(BUNDLES, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		check_bundle(found.gl_pathv[i]);
	globfree(&found);
}

static json_int_t sum_of(const json_t *list, const char *key)
{
	json_int_t sum = 0;
	json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		sum += json_integer_value(json_object_get(item, key));
	return sum;
}

/* Calls @check with the result of each recorded bundle. */
static void for_each_result(bool courses, void (*check)(const json_t *result))
{
	glob_t found;

	assert_int_equal(glob(BUNDLES, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		_cleanup_free_ char *dir =
			strndup(found.gl_pathv[i], strlen(found.gl_pathv[i]) - strlen("/manifest.json"));
		_cleanup_free_ char *text = result_text(dir, courses);
		_cleanup_json_ json_t *result = json_loads(text, 0, NULL);

		check(result);
	}
	globfree(&found);
}

static void check_parts(const json_t *result)
{
	json_t *gap;
	size_t j;

	json_array_foreach (json_object_get(result, "gaps"), j, gap) {
		json_int_t len = json_integer_value(json_object_get(gap, "len_ns"));

		assert_int_equal(sum_of(json_object_get(gap, "parts"), "ns"), len);
		assert_int_equal(json_integer_value(json_object_get(gap, "host_ns")) +
					 json_integer_value(json_object_get(gap, "guest_ns")),
				 len);
	}
}

/* What the schema promises, on whatever was recorded. */
static void parts_sum_in_nanoseconds(void **state)
{
	(void)state;
	for_each_result(false, check_parts);
}

static json_int_t part_of(const json_t *gap, const char *cause)
{
	json_t *part;
	size_t i;

	json_array_foreach (json_object_get(gap, "parts"), i, part)
		if (strcmp(json_get_string(part, "cause"), cause) == 0)
			return json_integer_value(json_object_get(part, "ns"));
	return 0;
}

/* Its segments fill the gap from end to end, and give each cause what its account does, but for rounding. */
static void check_course(const json_t *gap)
{
	const json_t *segments = json_object_get(gap, "segments");
	json_int_t rounding = (json_int_t)json_array_size(segments) + 1;
	json_int_t at = 0;
	json_t *segment;
	json_t *other;
	size_t i;
	size_t k;

	json_array_foreach (segments, i, segment) {
		json_int_t sum = 0;

		assert_int_equal(json_integer_value(json_object_get(segment, "t0_ns")), at);
		at = json_integer_value(json_object_get(segment, "t1_ns"));
		json_array_foreach (segments, k, other)
			if (strcmp(json_get_string(other, "what"), json_get_string(segment, "what")) == 0)
				sum += json_integer_value(json_object_get(other, "t1_ns")) -
				       json_integer_value(json_object_get(other, "t0_ns"));
		assert_true(llabs(sum - part_of(gap, json_get_string(segment, "what"))) <= rounding);
	}
	assert_int_equal(at, json_integer_value(json_object_get(gap, "len_ns")));
}

/* Here every gap has a course: there are fewer than are kept. */
static void check_courses(const json_t *result)
{
	size_t with_course = json_object_size(json_object_get(result, "examples"));
	json_t *gap;
	size_t j;

	json_array_foreach (json_object_get(result, "gaps"), j, gap) {
		if (!json_object_get(gap, "segments"))
			continue;
		check_course(gap);
		with_course++;
	}
	assert_int_equal(with_course, json_array_size(json_object_get(result, "gaps")));
}

static void courses_account_for_their_gaps(void **state)
{
	(void)state;
	for_each_result(true, check_courses);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_bundles),
		cmocka_unit_test(parts_sum_in_nanoseconds),
		cmocka_unit_test(courses_account_for_their_gaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
