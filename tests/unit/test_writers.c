// SPDX-License-Identifier: GPL-2.0-or-later
/* What is written must hold whatever a guest calls its tasks. */
#include "reports/writers/writer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "reports/compare.h"
#include "reports/writers/hit.h"
#include "reports/writers/html.h"
#include "tests/unit/make_result.h"

#define HOSTILE "guest/task/</script><!--\"'&\x01\x1b[2J"

static const struct made hostile = { .hits = 2, .cause = HOSTILE };

/* What a writer makes of one result; the caller frees it. */
static char *written_of(const char *name, const json_t *result, struct writer_input *input, int *ret_code)
{
	_cleanup_json_ json_t *comparison = NULL;
	const json_t *results[] = { result };
	struct err err = { 0 };
	char *text = NULL;
	size_t len;
	FILE *out;

	assert_int_equal(compare_results(results, 1, NULL, &comparison, &err), 0);
	input->comparison = comparison;
	input->results = results;
	input->count = 1;
	out = open_memstream(&text, &len);
	*ret_code = writer_find(name)->write(input, out, &err);
	fclose(out);
	return text;
}

static char *written(const char *name, const struct made *made, struct writer_input *input, int *ret_code)
{
	_cleanup_json_ json_t *result = make_result(*made);

	return written_of(name, result, input, ret_code);
}

static void test_data_is_safe_in_a_script(void **state)
{
	_cleanup_json_ json_t *result = make_result(hostile);
	_cleanup_json_ json_t *comparison = NULL;
	_cleanup_json_ json_t *back = NULL;
	_cleanup_free_ char *text = NULL;
	const json_t *results[] = { result };

	(void)state;
	assert_int_equal(compare_results(results, 1, NULL, &comparison, NULL), 0);
	text = report_html_data(comparison, results, 1);
	assert_non_null(text);
	assert_null(strpbrk(text, "<>&"));
	back = json_loads(text, 0, NULL);
	assert_string_equal(json_string_value(json_array_get(json_object_get(back, "causes"), 0)), HOSTILE);
	assert_int_equal(json_array_size(json_object_get(back, "runs")), 1);
}

static void test_page_wants_its_assets(void **state)
{
	struct writer_input input = { .assets_dir = "/nonexistent" };
	int code;
	_cleanup_free_ char *text = written("html", &hostile, &input, &code);

	(void)state;
	assert_int_equal(code, -ENOENT);
	assert_string_equal(text, "");
}

static void test_junit_escapes(void **state)
{
	struct writer_input input = { 0 };
	int code;
	_cleanup_free_ char *text = written("junit", &hostile, &input, &code);

	(void)state;
	assert_int_equal(code, 0);
	assert_non_null(strstr(text, "guest/task/&lt;/script&gt;&lt;!--&quot;'&amp;??[2J"));
	assert_null(strpbrk(text, "\x01\x1b"));
	assert_non_null(strstr(text, "tests=\"1\" failures=\"0\""));
}

static void test_junit_counts_failures(void **state)
{
	const struct made unseen = { .hits = 0 };
	struct writer_input input = { 0 };
	int code;
	_cleanup_free_ char *text = written("junit", &unseen, &input, &code);

	(void)state;
	assert_int_equal(code, 0);
	assert_non_null(strstr(text, "tests=\"1\" failures=\"1\""));
	assert_non_null(strstr(text, "type=\"unexpected\""));
}

static void test_tap_is_one_line_a_point(void **state)
{
	const struct made odd = { .hits = 2, .cause = "guest/task/a # SKIP\nok 7" };
	const struct made unseen = { .hits = 0 };
	struct writer_input input = { 0 };
	int code;
	_cleanup_free_ char *text = written("tap", &odd, &input, &code);
	_cleanup_free_ char *failed = written("tap", &unseen, &input, &code);

	(void)state;
	assert_int_equal(code, 0);
	assert_non_null(strstr(text, "\nok 1 - vmstat-host stock guest/task/a \\# SKIP ok 7\n# "));
	assert_non_null(strstr(text, "\n1..1\n"));
	assert_non_null(strstr(failed, "\nnot ok 1 - vmstat-host stock host/kworker/vmstat_update\n"));
}

static void test_excerpt_is_plain_and_narrow(void **state)
{
	struct writer_input input = { 0 };
	int code;
	_cleanup_free_ char *text = written("excerpt", &hostile, &input, &code);

	(void)state;
	assert_int_equal(code, 0);
	assert_null(strpbrk(text, "\x01\x1b"));
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 72);
	assert_non_null(strstr(text, "kvm_exit reason interrupt"));
	assert_non_null(strstr(text, "probe's next turn"));
	assert_non_null(strstr(text, "softirq"));
	assert_non_null(strstr(text, "\n              => vmstat_shepherd\n"));
}

static void test_excerpt_without_a_hit(void **state)
{
	const struct made unseen = { .hits = 0 };
	struct writer_input input = { 0 };
	int code;
	_cleanup_free_ char *text = written("excerpt", &unseen, &input, &code);

	(void)state;
	assert_int_equal(code, -ENOENT);
}

/* A fault that hangs is no gap of the probe. */
static void test_excerpt_of_a_stimulus_that_looks(void **state)
{
	static const struct {
		const char *cause;
		int code;
	} causes[] = { { NULL, 0 }, { "host/hang/stall", 0 }, { "host/task/none", -ENOENT } };
	const struct made unseen = { .hits = 0 };
	_cleanup_json_ json_t *result = make_result(unseen);

	(void)state;
	json_object_set_new(result, "actions",
			    json_pack("[{s:s, s:I, s:I}, {s:s, s:s, s:I, s:I}]", "role", "settle", "t0_ns",
				      (json_int_t)0, "t1_ns", (json_int_t)1, "role", "stimulus", "detail",
				      "76 pages free: 12 counted", "t0_ns", (json_int_t)2000000000, "t1_ns",
				      (json_int_t)5100000000));
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		struct writer_input input = { .cause = causes[i].cause };
		int code;
		_cleanup_free_ char *text = written_of("excerpt", result, &input, &code);

		assert_int_equal(code, causes[i].code);
		if (code == 0)
			assert_non_null(strstr(text, "\n       2.0      3.1  76 pages free: 12 counted\n"));
	}
}

static void test_perfetto_chooses_gaps(void **state)
{
	const uint64_t gaps[] = { 1, 2, 999 };
	struct writer_input input = { .gap = gaps, .gaps = ARRAY_SIZE(gaps) };
	int code;
	_cleanup_free_ char *text = written("perfetto", &hostile, &input, &code);
	_cleanup_json_ json_t *trace = json_loads(text, 0, NULL);
	unsigned int slices = 0;
	json_t *event;
	size_t i;

	(void)state;
	assert_int_equal(code, 0);
	json_array_foreach (json_object_get(trace, "traceEvents"), i, event)
		slices += strcmp(json_get_string(event, "ph"), "X") == 0;
	assert_int_equal(slices, 2);
}

static void test_typical_hit(void **state)
{
	_cleanup_json_ json_t *result = make_result((struct made){ .hits = 2 });
	struct hit hit;

	(void)state;
	assert_true(hit_typical(result, NULL, &hit));
	assert_true(hit_in_guest(&hit));
	assert_int_equal(json_array_size(hit.events), 2);
	assert_false(hit_typical(result, "host/task/none", &hit));
	assert_false(hit_by_id(result, 12345, &hit));
	assert_true(hit_by_id(result, 3, &hit));
	assert_null(hit.segments);
}

static void test_no_file_is_left_on_failure(void **state)
{
	char path[] = "/tmp/test_writers_XXXXXX";
	struct writer_input input = { .assets_dir = "/nonexistent" };
	struct err err;

	(void)state;
	close(mkstemp(path));
	unlink(path);
	assert_true(writer_to_file(writer_find("html"), &input, path, &err) < 0);
	assert_false(fs_exists(path));
	assert_null(writer_find("nothing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data_is_safe_in_a_script),
		cmocka_unit_test(test_page_wants_its_assets),
		cmocka_unit_test(test_junit_escapes),
		cmocka_unit_test(test_junit_counts_failures),
		cmocka_unit_test(test_tap_is_one_line_a_point),
		cmocka_unit_test(test_excerpt_is_plain_and_narrow),
		cmocka_unit_test(test_excerpt_without_a_hit),
		cmocka_unit_test(test_excerpt_of_a_stimulus_that_looks),
		cmocka_unit_test(test_perfetto_chooses_gaps),
		cmocka_unit_test(test_typical_hit),
		cmocka_unit_test(test_no_file_is_left_on_failure),
	};

	return cmocka_run_group_tests_name("writers", tests, NULL, NULL);
}
