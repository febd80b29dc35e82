// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fs.h"
#include "common/json.h"

static int enter_new_dir(void **state)
{
	char *dir = strdup("/tmp/vcpulat-test-XXXXXX");

	*state = dir;
	return !mkdtemp(dir) || chdir(dir) < 0;
}

static int leave_dir(void **state)
{
	_cleanup_free_ char *dir = *state;

	return chdir("/") < 0 || fs_remove_tree(dir, NULL) < 0;
}

static void what_is_written_can_be_read(void **state)
{
	_cleanup_json_ json_t *value = json_pack("{s:s, s:I, s:f, s:[i, b, n], s:{}}", "zeta", "text \n \xc3\xa4", "n",
						 (json_int_t)INT64_MAX, "real", 0.1, "list", 1, 1, "empty");
	_cleanup_json_ json_t *again = NULL;
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_int_equal(json_write("f.json", value, NULL), 0);
	assert_int_equal(json_read("f.json", &again, NULL), 0);
	assert_true(json_equal(value, again));
	assert_int_equal(fs_read("f.json", 4096, &text, NULL, NULL), 0);
	assert_true(strstr(text, "zeta") < strstr(text, "list")); /* as they were set */
	assert_non_null(strstr(text, "\"real\": 0.1,"));
	assert_string_equal(text + strlen(text) - 3, "\n}\n");
}

static void write_refuses_what_is_no_document(void **state)
{
	_cleanup_json_ json_t *text = json_string("x");
	_cleanup_json_ json_t *object = json_object();
	struct err err = { "" };

	(void)state;
	assert_int_equal(json_write("f", text, &err), -ENOMEM);
	assert_int_equal(json_write("no/f", object, &err), -ENOENT);
	assert_string_equal(strchr(err.msg, ':'), ": No such file or directory");
	assert_false(fs_exists("f"));
}

static void faults_are_named_by_line(void **state)
{
	static const struct {
		const char *text;
		const char *msg;
	} cases[] = {
		{ "", "f:1: '[' or '{' expected near end of file" },
		{ "{\n\"a\": 1,\n}", "f:3: string or '}' expected near '}'" },
		{ "{\"a\": 1, \"a\": 2}", "f:1: duplicate object key near '\"a\"'" },
		{ "[1]\n[2]", "f:2: end of file expected near '['" },
		{ "[NaN]", "f:1: invalid token near 'NaN'" },
		{ "[99999999999999999999]", "f:1: too big integer near '99999999999999999999'" },
		{ "[\"\xff\"]", "f:1: unable to decode byte 0xff near '\"'" },
		{ "[\"a\\u0000b\"]", "f:1: \\u0000 is not allowed without JSON_ALLOW_NUL near '\"a\\u0000b\"'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = { "" };
		json_t *value = NULL;

		assert_int_equal(fs_write("f", cases[i].text, NULL), 0);
		assert_int_equal(json_read("f", &value, &err), -EINVAL);
		assert_string_equal(err.msg, cases[i].msg);
		assert_null(value);
	}
}

static void deep_nesting_is_refused(void **state)
{
	_cleanup_free_ char *deep = malloc(100001);
	json_t *value = NULL;

	(void)state;
	memset(deep, '[', 100000);
	deep[100000] = '\0';
	assert_int_equal(fs_write("deep", deep, NULL), 0);
	assert_int_equal(json_read("deep", &value, NULL), -EINVAL);
	assert_int_equal(json_read("missing", &value, NULL), -ENOENT);
	assert_int_equal(json_read(".", &value, NULL), -EISDIR);
	assert_null(value);
}

static void members_have_defaults(void **state)
{
	_cleanup_json_ json_t *o = json_pack("{s:s, s:i, s:i, s:f, s:f, s:I}", "s", "text", "n", 7, "minus", -1, "real",
					     2.5, "huge", 1.8e19, "max", (json_int_t)INT64_MAX);
	static const struct {
		const char *key;
		uint64_t number;
		const char *text;
	} cases[] = {
		{ "s", 0, "text" }, { "n", 7, "" },    { "minus", 0, "" },	 { "real", 2, "" },
		{ "huge", 0, "" },  { "none", 0, "" }, { "max", INT64_MAX, "" },
	};
	_cleanup_json_ json_t *list = json_array();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(json_get_u64(o, cases[i].key) == cases[i].number);
		assert_string_equal(json_get_string(o, cases[i].key), cases[i].text);
	}
	assert_string_equal(json_get_string(NULL, "s"), "");
	assert_string_equal(json_get_string(list, "s"), "");
	assert_true(json_get_u64(NULL, "n") == 0 && json_get_u64(list, "n") == 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter_new_dir, leave_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_can_be_read), TEST(write_refuses_what_is_no_document),
		TEST(faults_are_named_by_line),	   TEST(deep_nesting_is_refused),
		TEST(members_have_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
