// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/writers/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "reports/compare.h"
#include "reports/load.h"
#include "reports/writers/faults.h"
#include "reports/writers/stimulus_figures.h"
#include "tests/unit/make_result.h"

#define LONG_ARM "an-arm-whose-name-is-far-longer-than-its-column"

static char *print(const struct made *made, size_t n, bool colour)
{
	_cleanup_(load_results_done) struct load_results results = { 0 };
	struct table_params params = { .colour = colour, .all_causes = true };
	_cleanup_json_ json_t *comparison = NULL;
	FILE *out;
	char *text = NULL;
	size_t len;

	for (size_t i = 0; i < n; i++)
		assert_int_equal(load_results_add(&results, make_result(made[i])), 0);
	assert_int_equal(compare_results(results.result, results.count, NULL, &comparison, NULL), 0);
	out = open_memstream(&text, &len);
	table_print(out, comparison, &params);
	fclose(out);
	return text;
}

static void check_width(const char *text)
{
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");

		if (length > TABLE_COLUMNS)
			fail_msg("%zu columns: %.*s", length, (int)length, line);
		line += length + (line[length] == '\n');
	}
}

static void test_width_and_words(void **state)
{
	const struct made made[] = {
		{ .hits = 2, .length_ns = 98765432 },
		{ .hits = 2, .guest = "none", .length_ns = 7123456 },
		{ .arm = LONG_ARM, .removes = "host/*" },
		{ .arm = LONG_ARM, .removes = "host/*", .guest = "none" },
	};
	_cleanup_free_ char *text = print(made, ARRAY_SIZE(made), false);

	(void)state;
	check_width(text);
	assert_non_null(strstr(text, "emulated us"));
	assert_non_null(strstr(text, "8/8 63-100%"));
	assert_non_null(strstr(text, ": removed"));
	assert_null(strchr(text, '\033'));
}

/* "0.989 (0.92-1.1)" would be a column too wide. */
static void test_a_ratio_below_one_fits(void **state)
{
	const struct made made[] = { { .hits = 2, .length_ns = 8700 },
				     { .hits = 2, .guest = "none", .length_ns = 8800 } };
	_cleanup_free_ char *text = print(made, ARRAY_SIZE(made), false);

	(void)state;
	check_width(text);
	assert_non_null(strstr(text, " 0.99 (0.9-1)\n"));
}

/* A thousand seconds with 400 gaps carry a return level of a day; forty seconds do not. */
static void test_tail_of_long_runs(void **state)
{
	const struct made longer[] = { { .hits = 2, .windows = 200 } };
	const struct made shorter[] = { { .hits = 2, .windows = 8 } };
	_cleanup_free_ char *text = print(longer, 1, false);
	_cleanup_free_ char *none = print(shorter, 1, false);
	const char *line = strstr(text, "largest expected in 24 h: ");

	(void)state;
	check_width(text);
	assert_non_null(line);
	assert_non_null(strstr(line, ", from 50 peaks\n"));
	assert_null(strstr(none, "24 h"));
}

static void test_colour(void **state)
{
	const struct made made[] = { { .hits = 2 } };
	_cleanup_free_ char *text = print(made, ARRAY_SIZE(made), true);

	(void)state;
	assert_non_null(strstr(text, "\033[32mok"));
}

/* A task's name comes from a guest. */
static void test_escape_sequences_are_defused(void **state)
{
	const struct made made[] = { { .hits = 2, .cause = "guest/task/\033[2Jevil\r" } };
	_cleanup_free_ char *text = print(made, ARRAY_SIZE(made), false);

	(void)state;
	assert_null(strchr(text, '\033'));
	assert_null(strchr(text, '\r'));
	assert_non_null(strstr(text, "?[2Jevil?"));
}

static void test_characters_stay_whole(void **state)
{
	const struct made made[] = { { .hits = 2, .arm = "ääääääääääääääääääääääääää" } };
	_cleanup_free_ char *text = print(made, ARRAY_SIZE(made), false);

	(void)state;
	assert_non_null(strstr(text, "\n  äääääääääääääääääääää guest "));
}

static json_t *fault_row(const char *figure, int threads, double from, double to, bool significant)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:f, s:f, s:f, s:i, s:i, s:b}", "scenario", "page-fault-cost",
			 "arm", "patched", "against", "stock", "figure", figure, "threads", threads, "to", to, "from",
			 from, "change_percent", 100 * (to / from - 1), "boots", 5, "boots_against", 4, "significant",
			 significant);
}

static const char *const faults_table =
	"\n"
	"page-fault-cost, page faults by threads; arithmetic means of 4 and 5 boots\n"
	"                                threads                stock              patched     change\n"
	"  faults/s, emulated                  1             12345.00             11110.50   -10.00% *\n"
	"                                      2             20000.00             20020.00    +0.10%\n"
	"  instructions/fault                  1              2500.25              2625.26    +5.00% *\n"
	"* p <= 0.05 by permutation\n";

static void test_page_faults(void **state)
{
	_cleanup_json_ json_t *comparison =
		json_pack("{s:b, s:{s:s, s:b, s:[o, o, o]}}", "emulated", true, "fault_rate", "method", "permutation",
			  "decidable", true, "rows", fault_row("per_s", 1, 12345, 11110.5, true),
			  fault_row("per_s", 2, 20000, 20020, false), fault_row("insns", 1, 2500.25, 2625.2625, true));
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	faults_print(out, comparison);
	fclose(out);
	assert_string_equal(text, faults_table);
}

static const char *const figures_table =
	"\n"
	"watermark-drift, figures of stimulus stall, armed: least/median/most (actions)\n"
	"                                                   stock               patched vmstat-remote-fold-an\n"
	"  held back at most, pages                  -3/17/48 (4)                     -             0/0/0 (1)\n"
	"  below min, emulated ms                       1/2/3 (3)             4/5/6 (2)                     -\n"
	"\n"
	"watermark-drift, figures of stimulus stall, armed: least/median/most (actions)\n"
	"                                              ?[2Jfourth\n"
	"  held back at most, pages                             -\n"
	"  below min, emulated ms                               -\n";

static void test_figures_of_stimuli(void **state)
{
	_cleanup_json_ json_t *comparison = json_loads(
		"{\"emulated\": true, \"arms\": [{\"name\": \"stock\"}, {\"name\": \"patched\"},"
		"  {\"name\": \"vmstat-remote-fold-and-more\"}, {\"name\": \"\\u001b[2Jfourth\"}],"
		" \"stimulus_figures\": [{\"scenario\": \"watermark-drift\", \"kind\": \"stall\", \"window\": "
		"\"armed\","
		"   \"figure\": \"held back at most\", \"unit\": \"pages\", \"arms\": ["
		"    {\"arm\": \"stock\", \"n\": 4, \"min\": -3, \"median\": 17, \"max\": 48},"
		"    {\"arm\": \"vmstat-remote-fold-and-more\", \"n\": 1, \"min\": 0, \"median\": 0, \"max\": 0}]},"
		"  {\"scenario\": \"watermark-drift\", \"kind\": \"stall\", \"window\": \"armed\","
		"   \"figure\": \"below min\", \"unit\": \"ms\", \"arms\": ["
		"    {\"arm\": \"stock\", \"n\": 3, \"min\": 1, \"median\": 2, \"max\": 3},"
		"    {\"arm\": \"patched\", \"n\": 2, \"min\": 4, \"median\": 5, \"max\": 6}]}]}",
		0, NULL);
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(comparison);
	stimulus_figures_print(out, comparison);
	fclose(out);
	assert_string_equal(text, figures_table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_width_and_words),
		cmocka_unit_test(test_a_ratio_below_one_fits),
		cmocka_unit_test(test_tail_of_long_runs),
		cmocka_unit_test(test_colour),
		cmocka_unit_test(test_figures_of_stimuli),
		cmocka_unit_test(test_page_faults),
		cmocka_unit_test(test_escape_sequences_are_defused),
		cmocka_unit_test(test_characters_stay_whole),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
