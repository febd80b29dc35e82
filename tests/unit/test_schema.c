// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/schema.h"
#include "common/schema_value.h"

#define KEY(struct_, name_, type_, ...)                                                                                \
	{                                                                                                              \
		.key = #name_, .type = SCHEMA_##type_, .offset = offsetof(struct struct_, name_), __VA_ARGS__          \
	}

struct leaf {
	uint64_t every;
	char *what;
	struct schema_strings words;
	bool has_every;
};

struct tree {
	int pad;
	bool has_count;
	char *name;
	bool on;
	uint64_t count;
	uint64_t wait;
	uint64_t room;
	int kind;
	uint32_t layers;
	struct schema_strings tags;
	struct leaf leaf;
	struct schema_list list;
};

static const char *const kinds[] = { "spin", "timer", NULL };
static const char *const layers[] = { "host", "guest", "below", NULL };

static const struct schema_field leaf_fields[] = {
	KEY(leaf, every, DURATION, .has_offset = offsetof(struct leaf, has_every), .fallback = "5ms", .min = 1000,
	    .max = 1000000000, .help = "How often."),
	KEY(leaf, what, STRING, .required = true, .help = "What is done."),
	KEY(leaf, words, STRINGS, .fallback = "[one, two]"),
	{ .key = NULL },
};

static const struct schema_field fields[] = {
	KEY(tree, name, STRING, .fallback = "nobody", .help = "Who."),
	KEY(tree, on, BOOL),
	KEY(tree, count, UINT, .has_offset = offsetof(struct tree, has_count), .min = 2, .max = 16, .fallback = "3"),
	KEY(tree, wait, DURATION),
	KEY(tree, room, SIZE, .min = 4096),
	KEY(tree, kind, ENUM, .names = kinds, .fallback = "timer"),
	KEY(tree, layers, FLAGS, .names = layers, .fallback = "[host, below]"),
	KEY(tree, tags, STRINGS),
	KEY(tree, leaf, STRUCT, .fields = leaf_fields),
	KEY(tree, list, LIST, .fields = leaf_fields, .item_bytes = sizeof(struct leaf)),
	{ .key = NULL },
};

/*
 * The strdup() and reallocarray() of this program, that fail on request: linked before the C
 * library's, they serve the code under test too. -1: never; 0: the next call; and so on.
 */
static int fail_after = -1;

static bool fails_now(void)
{
	return fail_after >= 0 && fail_after-- == 0;
}

char *strdup(const char *text)
{
	size_t bytes = strlen(text) + 1;
	char *copy = fails_now() ? NULL : malloc(bytes);

	return copy ? memcpy(copy, text, bytes) : NULL;
}

void *reallocarray(void *old, size_t count, size_t bytes)
{
	return fails_now() ? NULL : realloc(old, count * bytes);
}

static int parse(const char *text, struct tree *tree, struct err *err)
{
	memset(tree, 0xa5, sizeof(*tree)); /* the caller need not clear it */
	return schema_parse("f", text, strlen(text), fields, sizeof(*tree), tree, err);
}

static void defaults_are_filled_in(void **state)
{
	struct tree t;

	(void)state;
	assert_int_equal(parse("on: false\n", &t, NULL), 0);
	assert_string_equal(t.name, "nobody");
	assert_true(t.count == 3 && !t.has_count && t.kind == 1 && t.layers == 5);
	assert_true(t.wait == 0 && t.room == 0 && t.tags.count == 0 && t.list.count == 0);
	assert_true(t.leaf.every == 5000000 && !t.leaf.what && t.leaf.words.count == 2 && !t.leaf.has_every);
	schema_clear(fields, sizeof(t), &t);
}

static const char everything[] = "# comment\n"
				 "name: \"two words\"\n"
				 "on: yes\n"
				 "count: 16\n"
				 "wait: 5min\n"
				 "room: 3GiB\n"
				 "kind: spin\n"
				 "layers: [guest]\n"
				 "tags:\n"
				 "  - a\n"
				 "  - 'b c'\n"
				 "leaf: {every: 1us, what: x}\n"
				 "list:\n"
				 "  - what: first\n"
				 "    words: single\n"
				 "  - every: 1s\n"
				 "    what: |\n"
				 "      a line\n"
				 "  - {what: third, words: []}\n";

static void every_type_is_stored(void **state)
{
	const struct leaf *items;
	struct tree t;

	(void)state;
	assert_int_equal(parse(everything, &t, NULL), 0);
	assert_string_equal(t.name, "two words");
	assert_true(t.on && t.count == 16 && t.has_count && t.wait == 300000000000 && t.room == 3ULL << 30);
	assert_true(t.kind == 0 && t.layers == 2 && t.tags.count == 2);
	assert_string_equal(t.tags.item[1], "b c");
	assert_true(t.leaf.every == 1000 && t.leaf.has_every);
	assert_string_equal(t.leaf.what, "x");
	assert_int_equal(t.list.count, 3);
	items = t.list.item;
	assert_string_equal(items[0].words.item[0], "single");
	assert_true(items[0].words.count == 1 && items[0].every == 5000000 && !items[0].has_every);
	assert_string_equal(items[1].what, "a line\n");
	assert_true(items[1].every == 1000000000 && items[1].words.count == 2 && items[1].has_every);
	assert_true(items[2].words.count == 0);
	schema_clear(fields, sizeof(t), &t);
	assert_null(t.list.item);
	schema_clear(fields, sizeof(t), &t);
}

static void scalars_stand_for_lists(void **state)
{
	struct tree t;

	(void)state;
	assert_int_equal(parse("layers: guest\ntags: one, two\n", &t, NULL), 0);
	assert_true(t.layers == 2 && t.tags.count == 1);
	assert_string_equal(t.tags.item[0], "one, two");
	schema_clear(fields, sizeof(t), &t);
	assert_int_equal(parse("layers: []\nlist: []\n...\n", &t, NULL), 0);
	assert_true(t.layers == 0 && t.list.count == 0);
	schema_clear(fields, sizeof(t), &t);
}

#define WAIT_UNITS "with unit ns, us, ms, s, min or h"
#define ROOM "at least 4KiB, with unit B, KiB, MiB, GiB or TiB"
#define KEYS "name, on, count, wait, room, kind, layers, tags, leaf, list"

static const struct {
	const char *text;
	const char *msg;
} faults[] = {
	{ "", "f:1: the document is empty" },
	{ "# nothing\n", "f:2: the document is empty" },
	{ "---\n", "f:2: the document is empty" },
	{ "~\n", "f:1: the document is empty" },
	{ "word\n", "f:1: found a single value where keys are expected" },
	{ "- a\n", "f:1: found a list where keys are expected" },
	{ "on: yes\n---\non: yes\n", "f:2: a second document begins; only one is allowed" },
	{ "on: yes\n...\n---\n", "f:3: a second document begins; only one is allowed" },

	{ "on: yes\ncuont: 3\n", "f:2: unknown key 'cuont'; did you mean 'count'? allowed: " KEYS },
	{ "frobnicate: 3\n", "f:1: unknown key 'frobnicate'; allowed: " KEYS },
	{ "'': 3\n", "f:1: unknown key ''; allowed: " KEYS },
	{ "\"a\\nb\\e\": 3\n", "f:1: unknown key 'a?b?'; allowed: " KEYS },
	{ "\"on\\0x\": yes\n", "f:1: unknown key 'on'; did you mean 'on'? allowed: " KEYS },
	{ "leaf:\n  what: x\n  evry: 1s\n",
	  "f:3: unknown key 'evry'; did you mean 'every'? allowed: every, what, words" },
	{ "on: yes\ncount: 3\non: no\n", "f:3: duplicate key 'on'; first given in line 1" },
	{ "list:\n- what: x\n  what: y\n", "f:3: duplicate key 'what'; first given in line 2" },
	{ "leaf:\n  every: 1s\n", "f:2: key 'what' is missing: What is done." },
	{ "list:\n  - what: x\n  - every: 1s\n", "f:3: key 'what' is missing: What is done." },
	{ "{[a]: b}\n", "f:1: found a list where a key is expected" },
	{ "? {a: b}\n: c\n", "f:1: found a mapping where a key is expected" },

	{ "name: [a]\n", "f:1: name: found a list where a single value is expected" },
	{ "name:\n", "f:1: name: found nothing where a single value is expected" },
	{ "name: null\n", "f:1: name: found nothing where a single value is expected" },
	{ "name: \"a\\0b\"\n", "f:1: name: the value contains a NUL character" },
	{ "on: {}\n", "f:1: on: found a mapping where a single value is expected; allowed: true, false, yes, no" },
	{ "on: maybe\n", "f:1: on: 'maybe' is not true or false; allowed: true, false, yes, no" },
	{ "on: True\n", "f:1: on: 'True' is not true or false; allowed: true, false, yes, no" },
	{ "\n\ncount: 1\n", "f:3: count: '1' is out of range; allowed: 2 to 16" },
	{ "count: 17\n", "f:1: count: '17' is out of range; allowed: 2 to 16" },
	{ "count: 18446744073709551618\n", "f:1: count: '18446744073709551618' is out of range; allowed: 2 to 16" },
	{ "count: -3\n", "f:1: count: '-3' is not a number; allowed: 2 to 16" },
	{ "count: 0x3\n", "f:1: count: '0x3' is not a number; allowed: 2 to 16" },
	{ "count: 3s\n", "f:1: count: '3s' is not a number; allowed: 2 to 16" },
	{ "wait: 5\n", "f:1: wait: '5' is not a duration; allowed: " WAIT_UNITS },
	{ "wait: 5 s\n", "f:1: wait: '5 s' is not a duration; allowed: " WAIT_UNITS },
	{ "wait: 1.5s\n", "f:1: wait: '1.5s' is not a duration; allowed: " WAIT_UNITS },
	{ "wait: 6000000h\n", "f:1: wait: '6000000h' is out of range; allowed: " WAIT_UNITS },
	{ "room: 4095B\n", "f:1: room: '4095B' is out of range; allowed: " ROOM },
	{ "room: 4K\n", "f:1: room: '4K' is not a size; allowed: " ROOM },
	{ "kind: spinn\n", "f:1: kind: 'spinn' is not a known word; allowed: spin, timer" },
	{ "layers: [host, top]\n", "f:1: layers: 'top' is not a known word; allowed: host, guest, below" },
	{ "layers: [[host]]\n", "f:1: layers: found a list where a single value or a list of them is expected; "
				"allowed: host, guest, below" },
	{ "tags:\n  - a\n  - {b: c}\n",
	  "f:3: tags: found a mapping where a single value or a list of them is expected" },
	{ "tags: [a, ]\nname: [\n", "f:2: name: found a list where a single value is expected" },
	{ "tags: {a: b}\n", "f:1: tags: found a mapping where a single value or a list of them is expected" },
	{ "leaf: x\n", "f:1: leaf: found a single value where a mapping is expected" },
	{ "leaf:\n", "f:1: leaf: found nothing where a mapping is expected" },
	{ "leaf: [a]\n", "f:1: leaf: found a list where a mapping is expected" },
	{ "list: {what: x}\n", "f:1: list: found a mapping where a list of mappings is expected" },
	{ "list:\n", "f:1: list: found nothing where a list of mappings is expected" },
	{ "list:\n- what: x\n- x\n", "f:3: list: found a single value where a list of mappings is expected" },
	{ "leaf: {what: x, every: 2s}\n", "f:1: every: '2s' is out of range; allowed: 1us to 1s, " WAIT_UNITS },

	{ "name: &a x\n", "f:1: '&a': anchors and aliases are not supported" },
	{ "on: yes\nname: *a\n", "f:2: '*a': anchors and aliases are not supported" },
	{ "leaf: &l {what: x}\n", "f:1: '&l': anchors and aliases are not supported" },
	{ "list: &l [*l, *l]\n", "f:1: '&l': anchors and aliases are not supported" },
	{ "&k on: yes\n", "f:1: '&k': anchors and aliases are not supported" },
	{ "&root {on: yes}\n", "f:1: '&root': anchors and aliases are not supported" },
	{ "<<: {on: yes}\n", "f:1: merge keys (<<) are not supported" },
	{ "name: !!binary eA==\n", "f:1: 'tag:yaml.org,2002:binary': tags are not supported" },
	{ "name: !own x\n", "f:1: '!own': tags are not supported" },
	{ "!!map {on: yes}\n", "f:1: 'tag:yaml.org,2002:map': tags are not supported" },

	{ "leaf:\n\twhat: x\n", "f:2: a tab indents; use spaces" },
	{ "leaf:\n  what: x\n \tevery: 1s\n", "f:3: a tab indents; use spaces" },
	{ "name: \"x\n", "f:2: found unexpected end of stream while scanning a quoted scalar" },
	{ "on: yes\nname: %x\n", "f:2: found character that cannot start any token while scanning for the next token" },
	{ "on: yes\nname: \xff\n", "f:2: invalid leading UTF-8 octet" },
	{ "name: a\x01\n", "f:1: control characters are not allowed" },
	{ "name: a: b\n", "f:1: mapping values are not allowed in this context" },
	{ "name: x\n on: yes\n", "f:2: mapping values are not allowed in this context" },
};

static void faults_name_line_key_value_and_what_is_allowed(void **state)
{
	static const struct tree nothing;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		struct err err = { "" };
		struct tree t;

		assert_int_equal(parse(faults[i].text, &t, &err), -EINVAL);
		assert_string_equal(err.msg, faults[i].msg);
		assert_memory_equal(&t, &nothing, sizeof(t));
		assert_int_equal(parse(faults[i].text, &t, NULL), -EINVAL);
	}
}

static void length_counts_not_the_end_of_a_string(void **state)
{
	struct err err = { "" };
	struct tree t;

	(void)state;
	assert_int_equal(schema_parse("f", "on: yes\0garbage", 7, fields, sizeof(t), &t, NULL), 0);
	schema_clear(fields, sizeof(t), &t);
	assert_int_equal(schema_parse("f", "on: yes\n\0x", 10, fields, sizeof(t), &t, &err), -EINVAL);
	assert_string_equal(err.msg, "f:2: control characters are not allowed");
	assert_int_equal(schema_parse("f", "\xff\xfeo\0n\0:\0 \0y\0e\0s\0", 16, fields, sizeof(t), &t, &err), -EINVAL);
	assert_string_equal(err.msg, "f:1: invalid leading UTF-8 octet"); /* UTF-16 is no way around the checks */
	assert_int_equal(schema_parse("f", "\xef\xbb\xbfon: yes", 10, fields, sizeof(t), &t, NULL), 0);
	schema_clear(fields, sizeof(t), &t);
}

static void foreign_words_are_cut_in_messages(void **state)
{
	_cleanup_free_ char *text = NULL;
	char word[2001];
	struct err err = { "" };
	struct tree t;

	(void)state;
	for (size_t i = 0; i < 2000; i++)
		word[i] = "a\xc3\xa4"[(i + 2) % 3]; /* the cut falls into a character of two bytes */
	word[0] = 'x';
	word[2000] = '\0';
	text = str_printf("kind: %s\n", word);
	assert_int_equal(parse(text, &t, &err), -EINVAL);
	assert_string_equal(strstr(err.msg, "...'"), "...' is not a known word; allowed: spin, timer");
	assert_int_equal(strstr(err.msg, "...'") - strchr(err.msg, '\''), 60);
	free(text);
	text = str_printf("%s: x\n", word);
	assert_int_equal(parse(text, &t, &err), -EINVAL); /* too long for a key of libyaml */
}

static void words_are_cut_from_a_certain_length(void **state)
{
	const struct schema_field field = { .key = "k", .type = SCHEMA_ENUM, .names = kinds };
	char word[SCHEMA_QUOTE_CHARS + 1] = "";
	struct err err = { "" };
	uint64_t value;

	(void)state;
	memset(word, 'w', SCHEMA_QUOTE_CHARS - 1);
	schema_parse_value(&field, word, &value, &err);
	assert_int_equal(strchr(err.msg + 4, '\'') - err.msg, 4 + SCHEMA_QUOTE_CHARS - 1);
	assert_null(strstr(err.msg, "..."));
	word[SCHEMA_QUOTE_CHARS - 1] = 'w';
	schema_parse_value(&field, word, &value, &err);
	assert_int_equal(strchr(err.msg + 4, '\'') - err.msg, 4 + SCHEMA_QUOTE_CHARS - 1);
	assert_non_null(strstr(err.msg, "w...'"));
}

static void nesting_and_length_end_at_once(void **state)
{
	_cleanup_free_ char *text = malloc(SCHEMA_MAX_BYTES + 1);
	static const char *const starts[] = { "", "name: ", "list: ", "tags: [", "? " };
	static const char *const repeated[] = { "[", "{", "- ", "? ", "{a: ", "[*a, ", "'", "\n", "a:\n" };
	struct tree t;

	(void)state;
	alarm(30);
	for (size_t s = 0; s < ARRAY_SIZE(starts); s++) {
		for (size_t r = 0; r < ARRAY_SIZE(repeated); r++) {
			size_t used = strlen(starts[s]);

			memcpy(text, starts[s], used + 1);
			for (; used + 4 < SCHEMA_MAX_BYTES; used += strlen(repeated[r]))
				memcpy(text + used, repeated[r], strlen(repeated[r]) + 1);
			if (schema_parse("f", text, used, fields, sizeof(t), &t, NULL) == 0)
				schema_clear(fields, sizeof(t), &t); /* some are long texts */
		}
	}
}

static void a_list_grows(void **state)
{
	_cleanup_free_ char *text = malloc(100000);
	const struct leaf *items;
	size_t used = 6;
	struct tree t;

	(void)state;
	memcpy(text, "list:\n", 7);
	for (int i = 0; i < 1000; i++)
		used += (size_t)sprintf(text + used, "- what: n%d\n", i);
	assert_int_equal(parse(text, &t, NULL), 0);
	assert_int_equal(t.list.count, 1000);
	items = t.list.item;
	assert_string_equal(items[0].what, "n0");
	assert_string_equal(items[999].what, "n999");
	schema_clear(fields, sizeof(t), &t);
}

static void want_of_memory_leaves_nothing_behind(void **state)
{
	static const struct tree nothing;
	int ret = -ENOMEM;
	int n = 0;

	(void)state;
	for (; ret != 0 && n < 10000; n++) {
		struct err err = { "" };
		struct tree t;

		fail_after = n;
		ret = parse(everything, &t, &err);
		fail_after = -1;
		if (ret == 0)
			schema_clear(fields, sizeof(t), &t);
		else
			assert_non_null(strstr(err.msg, "Cannot allocate memory"));
		assert_memory_equal(&t, &nothing, sizeof(t));
	}
	assert_true(n > 30 && n < 10000);
}

static void a_table_may_be_wrong(void **state)
{
	static const struct schema_field bad_default[] = { KEY(tree, count, UINT, .fallback = "many"),
							   { .key = NULL } };
	struct schema_field many[SCHEMA_MAX_FIELDS + 2] = { { .key = NULL } };
	struct err err = { "" };
	struct tree t;

	(void)state;
	assert_int_equal(schema_parse("f", "count: 1", 8, bad_default, sizeof(t), &t, &err), -EINVAL);
	assert_string_equal(err.msg, "count: 'many' is not a number; allowed: 0 or more");
	for (size_t i = 0; i < SCHEMA_MAX_FIELDS; i++)
		many[i] = (struct schema_field)KEY(tree, count, UINT);
	assert_int_equal(schema_parse("f", "count: 1", 8, many, sizeof(t), &t, &err), 0);
	many[SCHEMA_MAX_FIELDS] = many[0];
	assert_int_equal(schema_parse("f", "count: 1", 8, many, sizeof(t), &t, &err), -EINVAL);
	assert_string_equal(err.msg, "f:1: the table of keys is too long");
}

static void single_values_are_parsed(void **state)
{
	static const struct {
		enum schema_type type;
		const char *text;
		int ret;
		uint64_t value;
	} cases[] = {
		{ SCHEMA_UINT, "0", 0, 0 },
		{ SCHEMA_UINT, "007", 0, 7 },
		{ SCHEMA_UINT, "18446744073709551615", 0, UINT64_MAX },
		{ SCHEMA_UINT, "18446744073709551616", -EINVAL, 0 },
		{ SCHEMA_UINT, "99999999999999999999", -EINVAL, 0 },
		{ SCHEMA_UINT, "", -EINVAL, 0 },
		{ SCHEMA_UINT, " 1", -EINVAL, 0 },
		{ SCHEMA_UINT, "1 ", -EINVAL, 0 },
		{ SCHEMA_UINT, "+1", -EINVAL, 0 },
		{ SCHEMA_UINT, "1e3", -EINVAL, 0 },
		{ SCHEMA_DURATION, "80ns", 0, 80 },
		{ SCHEMA_DURATION, "100us", 0, 100000 },
		{ SCHEMA_DURATION, "1500ms", 0, 1500000000 },
		{ SCHEMA_DURATION, "20s", 0, 20000000000 },
		{ SCHEMA_DURATION, "5min", 0, 300000000000 },
		{ SCHEMA_DURATION, "12h", 0, 43200000000000 },
		{ SCHEMA_DURATION, "0s", 0, 0 },
		{ SCHEMA_DURATION, "5124095h", 0, 5124095ULL * 3600000000000 },
		{ SCHEMA_DURATION, "5124096h", -EINVAL, 0 },
		{ SCHEMA_DURATION, "s", -EINVAL, 0 },
		{ SCHEMA_DURATION, "5m", -EINVAL, 0 },
		{ SCHEMA_DURATION, "5S", -EINVAL, 0 },
		{ SCHEMA_DURATION, "5ss", -EINVAL, 0 },
		{ SCHEMA_SIZE, "1B", 0, 1 },
		{ SCHEMA_SIZE, "4KiB", 0, 4096 },
		{ SCHEMA_SIZE, "512MiB", 0, 536870912 },
		{ SCHEMA_SIZE, "3GiB", 0, 3221225472 },
		{ SCHEMA_SIZE, "1TiB", 0, 1099511627776 },
		{ SCHEMA_SIZE, "16777215TiB", 0, 16777215ULL << 40 },
		{ SCHEMA_SIZE, "16777216TiB", -EINVAL, 0 },
		{ SCHEMA_SIZE, "4096", -EINVAL, 0 },
		{ SCHEMA_SIZE, "4KB", -EINVAL, 0 },
		{ SCHEMA_BOOL, "true", 0, 1 },
		{ SCHEMA_BOOL, "yes", 0, 1 },
		{ SCHEMA_BOOL, "false", 0, 0 },
		{ SCHEMA_BOOL, "no", 0, 0 },
		{ SCHEMA_BOOL, "1", -EINVAL, 0 },
		{ SCHEMA_ENUM, "timer", 0, 1 },
		{ SCHEMA_ENUM, "tim", -EINVAL, 0 },
		{ SCHEMA_ENUM, "", -EINVAL, 0 },
		{ SCHEMA_STRING, "x", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct schema_field field = { .key = "k", .type = cases[i].type, .names = kinds };
		struct err err = { "" };
		uint64_t value = 12345;

		assert_int_equal(schema_parse_value(&field, cases[i].text, &value, &err), cases[i].ret);
		assert_true(value == (cases[i].ret ? 12345 : cases[i].value)); /* untouched on failure */
		assert_int_equal(strncmp(err.msg, "k: '", 4) == 0, cases[i].ret != 0);
	}
}

static void ranges_include_their_ends(void **state)
{
	struct schema_field field = { .key = "k", .type = SCHEMA_DURATION, .min = 1500, .max = 90000000000 };
	struct err err = { "" };
	uint64_t value;

	(void)state;
	assert_int_equal(schema_parse_value(&field, "1500ns", &value, NULL), 0);
	assert_int_equal(schema_parse_value(&field, "90s", &value, NULL), 0);
	assert_int_equal(schema_parse_value(&field, "90001ms", &value, NULL), -EINVAL);
	assert_int_equal(schema_parse_value(&field, "1us", &value, &err), -EINVAL);
	assert_string_equal(err.msg, "k: '1us' is out of range; allowed: 1500ns to 90s, " WAIT_UNITS);
	field.max = 0;
	assert_int_equal(schema_parse_value(&field, "1000h", &value, NULL), 0);
}

static void only_small_regular_files_are_loaded(void **state)
{
	char dir[] = "/tmp/vcpulat-test-XXXXXX";
	_cleanup_free_ char *big = malloc(SCHEMA_MAX_BYTES + 2);
	struct err err = { "" };
	struct tree t;

	(void)state;
	alarm(30); /* a FIFO must not hang */
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	memset(big, '#', SCHEMA_MAX_BYTES + 1);
	memcpy(big, "on: yes\n", 8);
	big[SCHEMA_MAX_BYTES + 1] = '\0';
	assert_int_equal(fs_write("big", big, NULL), 0);
	assert_int_equal(schema_load("big", fields, sizeof(t), &t, &err), -EFBIG);
	assert_string_equal(err.msg, "cannot read 'big': larger than 262144 bytes");
	big[SCHEMA_MAX_BYTES] = '\0';
	assert_int_equal(fs_write("fits", big, NULL), 0);
	assert_int_equal(schema_load("fits", fields, sizeof(t), &t, &err), 0);
	schema_clear(fields, sizeof(t), &t);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(schema_load("fifo", fields, sizeof(t), &t, &err), -EINVAL);
	assert_int_equal(schema_load(".", fields, sizeof(t), &t, &err), -EISDIR);
	assert_int_equal(schema_load("none", fields, sizeof(t), &t, &err), -ENOENT);
	assert_string_equal(err.msg, "cannot open 'none': No such file or directory");
	assert_int_equal(fs_write("bad.yaml", "on: yes\ncount: x\n", NULL), 0);
	assert_int_equal(schema_load("bad.yaml", fields, sizeof(t), &t, &err), -EINVAL);
	assert_string_equal(err.msg, "bad.yaml:2: count: 'x' is not a number; allowed: 2 to 16");
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(fs_remove_tree(dir, NULL), 0);
}

static void reference_lists_every_key(void **state)
{
	static const char want[] = "name: text (default: nobody)\n"
				   "    Who.\n"
				   "on: bool, true, false, yes, no\n"
				   "count: number, 2 to 16 (default: 3)\n"
				   "wait: duration, " WAIT_UNITS "\n"
				   "room: size, " ROOM "\n"
				   "kind: one word, spin, timer (default: timer)\n"
				   "layers: one word or a list, host, guest, below (default: [host, below])\n"
				   "tags: text or a list of texts\n"
				   "leaf: mapping\n"
				   "    every: duration, 1us to 1s, " WAIT_UNITS " (default: 5ms)\n"
				   "        How often.\n"
				   "    what: text (required)\n"
				   "        What is done.\n"
				   "    words: text or a list of texts (default: [one, two])\n"
				   "list: list of mappings\n"
				   "    every: duration, 1us to 1s, " WAIT_UNITS " (default: 5ms)\n"
				   "        How often.\n"
				   "    what: text (required)\n"
				   "        What is done.\n"
				   "    words: text or a list of texts (default: [one, two])\n";
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	schema_print_reference(out, fields);
	fclose(out);
	assert_string_equal(text, want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_filled_in),
		cmocka_unit_test(every_type_is_stored),
		cmocka_unit_test(scalars_stand_for_lists),
		cmocka_unit_test(faults_name_line_key_value_and_what_is_allowed),
		cmocka_unit_test(length_counts_not_the_end_of_a_string),
		cmocka_unit_test(foreign_words_are_cut_in_messages),
		cmocka_unit_test(words_are_cut_from_a_certain_length),
		cmocka_unit_test(nesting_and_length_end_at_once),
		cmocka_unit_test(a_list_grows),
		cmocka_unit_test(want_of_memory_leaves_nothing_behind),
		cmocka_unit_test(a_table_may_be_wrong),
		cmocka_unit_test(single_values_are_parsed),
		cmocka_unit_test(ranges_include_their_ends),
		cmocka_unit_test(only_small_regular_files_are_loaded),
		cmocka_unit_test(reference_lists_every_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
