// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/setup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/json.h"
#include "reports/writers/diff.h"

struct side {
	const char *cmdline;
	const char *seed;
	const char *facts; /* JSON; NULL: none */
};

static void add(struct setup *setup, struct side side)
{
	_cleanup_json_ json_t *facts = side.facts ? json_loads(side.facts, 0, NULL) : NULL;
	_cleanup_json_ json_t *manifest =
		json_pack("{s:{s:s, s:{s:s, s:s}}, s:{s:s}, s:s, s:[{s:s, s:s}]}", "arm", "name", "stock", "host",
			  "kernel", "stock", "cmdline", side.cmdline, "scenario", "name", "vmstat-host", "command",
			  side.seed ? side.seed : "vcpulat run", "retries", "what", "guest-start", "reason", "slow");

	assert_non_null(manifest);
	assert_int_equal(setup_add(setup, manifest, facts, NULL), 0);
}

static json_t *diff(struct side one, struct side other)
{
	_cleanup_(setup_done) struct setup a = { 0 };
	_cleanup_(setup_done) struct setup b = { 0 };

	add(&a, one);
	add(&b, other);
	return setup_diff(&a, &b);
}

static const json_t *find(const json_t *diff, const char *section, const char *key)
{
	json_t *item;
	size_t i;

	json_array_foreach (json_object_get(diff, "differences"), i, item)
		if (strcmp(json_get_string(item, "section"), section) == 0 &&
		    strcmp(json_get_string(item, "key"), key) == 0)
			return item;
	return NULL;
}

static void assert_values(const json_t *item, const char *side, const char *values)
{
	_cleanup_free_ char *text = json_dumps(json_object_get(item, side), JSON_COMPACT);

	assert_string_equal(text, values);
}

static void test_command_lines_by_word(void **state)
{
	_cleanup_json_ json_t *d = diff((struct side){ .cmdline = "quiet nohz_full=1 isolcpus=1" },
					(struct side){ .cmdline = "isolcpus=1 quiet nohz_full=1-3 noxsave" });
	const json_t *item = find(d, "host", "cmdline");

	(void)state;
	assert_int_equal(json_array_size(json_object_get(d, "differences")), 1);
	assert_values(item, "a", "[\"nohz_full=1\"]");
	assert_values(item, "b", "[\"nohz_full=1-3\",\"noxsave\"]");
	assert_true(json_is_false(json_object_get(d, "same")));
}

static void test_what_differs_by_nature_is_left_out(void **state)
{
	_cleanup_json_ json_t *d =
		diff((struct side){ "quiet", "vcpulat run --seed 1 -o /a x", "{\"boot_id\":\"1\",\"loadavg\":\"0\"}" },
		     (struct side){ "quiet", "vcpulat run --seed 2 -o /b x", "{\"boot_id\":\"2\",\"loadavg\":\"9\"}" });

	(void)state;
	assert_true(json_is_true(json_object_get(d, "same")));
}

static void test_facts_of_any_depth(void **state)
{
	_cleanup_json_ json_t *d =
		diff((struct side){ "", NULL, "{\"kvm\":{\"nx\":\"N\"},\"ksm\":\"0\",\"flags\":[\"tsc\"]}" },
		     (struct side){ "", NULL, "{\"kvm\":{\"nx\":\"Y\"},\"ksm\":null,\"flags\":[\"tsc\",\"svm\"]}" });

	(void)state;
	assert_int_equal(json_array_size(json_object_get(d, "differences")), 3);
	assert_values(find(d, "host facts", "kvm.nx"), "a", "[\"N\"]");
	assert_values(find(d, "host facts", "kvm.nx"), "b", "[\"Y\"]");
	assert_values(find(d, "host facts", "ksm"), "b", "[\"unknown\"]");
	assert_values(find(d, "host facts", "flags"), "a", "[]");
	assert_values(find(d, "host facts", "flags"), "b", "[\"svm\"]");
}

static void test_facts_of_one_side_only(void **state)
{
	_cleanup_json_ json_t *d = diff((struct side){ .cmdline = "", .facts = "{\"ksm\":\"0\",\"smt\":\"on\"}" },
					(struct side){ .cmdline = "" });
	const json_t *missing = json_array_get(json_object_get(d, "not_recorded"), 0);

	(void)state;
	assert_int_equal(json_array_size(json_object_get(d, "differences")), 0);
	assert_string_equal(json_get_string(missing, "section"), "host facts");
	assert_string_equal(json_get_string(missing, "side"), "b");
	assert_true(json_is_false(json_object_get(d, "same")));
}

static void test_text_by_line(void **state)
{
	_cleanup_json_ json_t *d = diff((struct side){ .cmdline = "", .facts = "{\"x\":\"one\\n  2\\nend\\n\"}" },
					(struct side){ .cmdline = "", .facts = "{\"x\":\"one\\n  4\\nend\\n\"}" });

	(void)state;
	assert_values(find(d, "host facts", "x"), "a", "[\"  2\"]");
	assert_values(find(d, "host facts", "x"), "b", "[\"  4\"]");
}

/* One run more of the same is no difference; a run that is different is one. */
static void test_sets_of_runs(void **state)
{
	_cleanup_(setup_done) struct setup a = { 0 };
	_cleanup_(setup_done) struct setup b = { 0 };
	_cleanup_json_ json_t *same = NULL;
	_cleanup_json_ json_t *other = NULL;

	(void)state;
	add(&a, (struct side){ .cmdline = "quiet" });
	add(&b, (struct side){ .cmdline = "quiet" });
	add(&b, (struct side){ .cmdline = "quiet" });
	same = setup_diff(&a, &b);
	assert_true(json_is_true(json_object_get(same, "same")));
	add(&b, (struct side){ .cmdline = "quiet debug" });
	other = setup_diff(&a, &b);
	assert_values(find(other, "host", "cmdline"), "b", "[\"debug\"]");
}

static void test_terminal_is_narrow_and_safe(void **state)
{
	_cleanup_json_ json_t *d =
		diff((struct side){ .cmdline = "<a>\x1b[2J wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
					       "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww</a>" },
		     (struct side){ .cmdline = "<b/>", .facts = "{\"a_rather_long_name_of_a_fact_for_one_line\":1}" });
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	diff_print(out, d);
	fclose(out);
	assert_null(strchr(text, '\x1b'));
	assert_non_null(strstr(text, "host facts: not recorded in A\n"));
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= DIFF_COLUMNS);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command_lines_by_word),
		cmocka_unit_test(test_what_differs_by_nature_is_left_out),
		cmocka_unit_test(test_facts_of_any_depth),
		cmocka_unit_test(test_facts_of_one_side_only),
		cmocka_unit_test(test_text_by_line),
		cmocka_unit_test(test_sets_of_runs),
		cmocka_unit_test(test_terminal_is_narrow_and_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
