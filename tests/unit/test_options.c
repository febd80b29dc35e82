// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/options.h"

#define MAX_WORDS 20
#define ROW(name_, type_, ...)                                                                                         \
	.field = { .key = #name_, .type = SCHEMA_##type_, .offset = offsetof(struct settings, name_), __VA_ARGS__ }

struct settings {
	int pad;
	char *output;
	bool dry;
	uint64_t cpu;
	bool has_cpu;
	uint64_t window;
	uint64_t memory;
	int policy;
	struct schema_strings arm;
	struct schema_strings tag;
	bool very_long_name_of_a_flag;
};

static const char *const policies[] = { "other", "fifo", NULL };
static const struct option_row rows[] = {
	{ ROW(output, STRING, .fallback = "here", .help = "Where the evidence goes."), .letter = 'o',
	  .argument = "DIR" },
	{ ROW(dry, BOOL, .help = "Only say what would be done."), .letter = 'n' },
	{ ROW(cpu, UINT, .min = 1, .max = 63, .has_offset = offsetof(struct settings, has_cpu),
	      .help = "The measured CPU."),
	  .argument = "N" },
	{ ROW(window, DURATION, .fallback = "10s", .min = 1000000, .max = 3600000000000, .help = "Length of a window."),
	  .letter = 'w', .argument = "TIME" },
	{ ROW(memory, SIZE, .min = 4096, .help = "Of the guest."), .argument = "SIZE" },
	{ ROW(policy, ENUM, .names = policies, .fallback = "fifo", .help = "Of the vCPU."), .argument = "POLICY" },
	{ ROW(arm, STRINGS, .fallback = "stock", .help = "An arm."), .letter = 'a', .argument = "ARM" },
	{ ROW(tag, STRINGS, .help = "A word for the record, of which there may be so many that the line must wrap."),
	  .argument = "WORD" },
	{ ROW(very_long_name_of_a_flag, BOOL, .help = "Long.") },
	{ .field = { .key = NULL } },
};

static const struct option_row required_rows[] = {
	{ ROW(output, STRING, .required = true, .help = "Where the evidence goes."), .letter = 'o', .argument = "DIR" },
	{ .field = { .key = NULL } },
};

/* A command line split at spaces; "" is a word of its own when written as ''. */
struct line {
	char text[256];
	char *argv[MAX_WORDS + 1];
	int argc;
};

static void line_init(struct line *line, const char *text)
{
	char *state;

	*line = (struct line){ .argc = 0 };
	snprintf(line->text, sizeof(line->text), "run %s", text);
	for (char *word = strtok_r(line->text, " ", &state); word; word = strtok_r(NULL, " ", &state)) {
		assert_true(line->argc < MAX_WORDS);
		line->argv[line->argc++] = strcmp(word, "''") ? word : word + 2;
	}
}

static int parse(const struct option_row *table, const char *text, struct settings *s, struct err *err)
{
	struct line line;
	int operands = 0;

	line_init(&line, text);
	memset(s, 0xa5, sizeof(*s)); /* the caller need not clear it */
	return options_parse(line.argc, line.argv, table, s, &operands, err);
}

static void defaults_come_first(void **state)
{
	struct settings s;

	(void)state;
	assert_int_equal(parse(rows, "", &s, NULL), 0);
	assert_string_equal(s.output, "here");
	assert_true(s.window == 10000000000 && s.memory == 0 && s.cpu == 0);
	assert_true(!s.dry && !s.has_cpu && s.policy == 1);
	assert_int_equal(s.arm.count, 1);
	assert_string_equal(s.arm.item[0], "stock");
	assert_int_equal(s.tag.count, 0);
	options_clear(rows, &s);
	assert_null(s.output);
	assert_null(s.arm.item);
	options_clear(rows, &s); /* twice is fine */
}

static void every_type_is_stored(void **state)
{
	struct settings s;

	(void)state;
	assert_int_equal(parse(rows,
			       "-o a --output=b -n --cpu 63 -w1h --memory 4KiB --policy other -a x --arm=y --tag t", &s,
			       NULL),
			 0);
	assert_string_equal(s.output, "b"); /* the last one counts */
	assert_true(s.dry && s.has_cpu && s.cpu == 63 && s.window == 3600000000000 && s.memory == 4096 &&
		    s.policy == 0);
	assert_int_equal(s.arm.count, 2); /* the default is gone */
	assert_string_equal(s.arm.item[0], "x");
	assert_string_equal(s.arm.item[1], "y");
	assert_string_equal(s.tag.item[0], "t");
	options_clear(rows, &s);
}

static void operands_stand_at_the_end(void **state)
{
	static const struct {
		const char *line;
		int operands;
		const char *first;
	} cases[] = {
		{ "", 1, NULL },	 { "a b", 1, "a" },	  { "a -n b", 2, "a" }, { "-n -- -x", 3, "-x" },
		{ "--cpu 5 a", 3, "a" }, { "a --cpu 5", 3, "a" }, { "-", 1, "-" },	{ "''", 1, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct settings s;
		struct line line;
		int operands = -1;

		line_init(&line, cases[i].line);
		assert_int_equal(options_parse(line.argc, line.argv, rows, &s, &operands, NULL), 0);
		assert_int_equal(operands, cases[i].operands);
		if (cases[i].first)
			assert_string_equal(line.argv[operands], cases[i].first);
		options_clear(rows, &s);
	}
}

static void faults_name_option_value_and_range(void **state)
{
	static const struct {
		const char *line;
		const char *msg;
	} cases[] = {
		{ "--cpu 0", "option --cpu: '0' is out of range; allowed: 1 to 63" },
		{ "--cpu 64", "option --cpu: '64' is out of range; allowed: 1 to 63" },
		{ "--cpu=-1", "option --cpu: '-1' is not a number; allowed: 1 to 63" },
		{ "--cpu ''", "option --cpu: '' is not a number; allowed: 1 to 63" },
		{ "--cpu", "option --cpu needs an argument: N; allowed: 1 to 63" },
		{ "-w 5",
		  "option --window: '5' is not a duration; allowed: 1ms to 1h, with unit ns, us, ms, s, min or h" },
		{ "-w",
		  "option --window needs an argument: TIME; allowed: 1ms to 1h, with unit ns, us, ms, s, min or h" },
		{ "--memory 1KiB", "option --memory: '1KiB' is out of range; allowed: at least 4KiB, with unit B, KiB, "
				   "MiB, GiB or TiB" },
		{ "--policy rr", "option --policy: 'rr' is not a known word; allowed: other, fifo" },
		{ "-o x --output", "option --output needs an argument: DIR" },
		{ "--dry=yes", "option --dry takes no argument" },
		{ "--help=yes", "option --help takes no argument" },
		{ "--ouput x", "unknown option '--ouput'; did you mean '--output'?" },
		{ "--cpus=3", "unknown option '--cpus=3'; did you mean '--cpu'?" },
		{ "--frobnicate", "unknown option '--frobnicate'; --help lists the options" },
		{ "-x", "unknown option '-x'; --help lists the options" },
		{ "-nx", "unknown option '-x'; --help lists the options" },
		{ "-n\n", "unknown option '-?'; --help lists the options" },
		{ "a b -a one -z", "unknown option '-z'; --help lists the options" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = { "" };
		struct settings s;

		assert_int_equal(parse(rows, cases[i].line, &s, &err), -EINVAL);
		assert_string_equal(err.msg, cases[i].msg);
		assert_null(s.output); /* nothing is left to free */
		assert_null(s.arm.item);
	}
}

static void required_options_are_missed(void **state)
{
	struct err err = { "" };
	struct settings s;

	(void)state;
	assert_int_equal(parse(required_rows, "x", &s, &err), -EINVAL);
	assert_string_equal(err.msg, "option --output is required: Where the evidence goes.");
	assert_int_equal(parse(required_rows, "-o x", &s, &err), 0);
	options_clear(required_rows, &s);
}

static void help_is_asked_for_in_three_ways(void **state)
{
	static const char *const lines[] = { "--help", "-h", "-n --cpu 5 -o x -h --nonsense" };
	struct settings s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_int_equal(parse(rows, lines[i], &s, NULL), 1);
		assert_null(s.output);
	}
}

static void help_comes_from_the_rows(void **state)
{
	static const struct command_help help = { "run [OPTION]... SCENARIO...", "Runs.", "  vcpulat run x" };
	static const char want[] = "usage: vcpulat run [OPTION]... SCENARIO...\n"
				   "\n"
				   "Runs.\n"
				   "\n"
				   "Options:\n"
				   "  -o, --output DIR          Where the evidence goes. (default: here)\n"
				   "  -n, --dry                 Only say what would be done.\n"
				   "      --cpu N               The measured CPU. (1 to 63)\n"
				   "  -w, --window TIME         Length of a window. (1ms to 1h, with unit ns, us,\n"
				   "                            ms, s, min or h) (default: 10s)\n"
				   "      --memory SIZE         Of the guest. (at least 4KiB, with unit B, KiB, MiB,\n"
				   "                            GiB or TiB)\n"
				   "      --policy POLICY       Of the vCPU. (other, fifo) (default: fifo)\n"
				   "  -a, --arm ARM             An arm. (default: stock) (may be repeated)\n"
				   "      --tag WORD            A word for the record, of which there may be so many\n"
				   "                            that the line must wrap. (may be repeated)\n"
				   "      --very_long_name_of_a_flag\n"
				   "                            Long.\n"
				   "  -h, --help                print this and exit\n"
				   "\n"
				   "Examples:\n"
				   "  vcpulat run x\n";
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	options_help(out, &help, rows);
	fclose(out);
	assert_string_equal(text, want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_come_first),	       cmocka_unit_test(every_type_is_stored),
		cmocka_unit_test(operands_stand_at_the_end),   cmocka_unit_test(faults_name_option_value_and_range),
		cmocka_unit_test(required_options_are_missed), cmocka_unit_test(help_is_asked_for_in_three_ways),
		cmocka_unit_test(help_comes_from_the_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
