// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/schema_value.h"

#define FIRST_VALUE 256 /* what getopt_long() gives for the first row: no letter is like it */
#define HELP_INDENT 28
#define HELP_WIDTH 80

/* The table as getopt_long() wants it. */
struct parser {
	const struct option_row *rows;
	size_t count;
	char *letters;
	struct option *longs;
	bool *given;
};

static void parser_done(struct parser *p)
{
	free(p->letters);
	free(p->longs);
	free(p->given);
}

#define _cleanup_parser_ _cleanup_(parser_done)

static int parser_init(struct parser *p, const struct option_row *rows)
{
	char *letter;

	p->rows = rows;
	while (rows[p->count].field.key)
		p->count++;
	p->letters = calloc(p->count * 2 + 3, 1);
	p->longs = calloc(p->count + 2, sizeof(*p->longs));
	p->given = calloc(p->count + 1, sizeof(*p->given));
	if (!p->letters || !p->longs || !p->given)
		return -ENOMEM;
	letter = p->letters;
	*letter++ = ':'; /* tells a missing argument from an unknown option */
	for (size_t i = 0; i < p->count; i++) {
		bool flag = rows[i].field.type == SCHEMA_BOOL;

		p->longs[i] = (struct option){ .name = rows[i].field.key,
					       .has_arg = flag ? no_argument : required_argument,
					       .val = FIRST_VALUE + (int)i };
		if (!rows[i].letter)
			continue;
		*letter++ = rows[i].letter;
		if (!flag)
			*letter++ = ':';
	}
	*letter = 'h';
	p->longs[p->count] = (struct option){ .name = "help", .has_arg = no_argument, .val = 'h' };
	return 0;
}

/* @value: what getopt_long() returned, or its optopt. */
static const struct option_row *find_row(const struct parser *p, int value)
{
	if (value >= FIRST_VALUE)
		return &p->rows[value - FIRST_VALUE];
	for (size_t i = 0; i < p->count; i++)
		if (value && p->rows[i].letter == value)
			return &p->rows[i];
	return NULL;
}

/* @word: as on the command line, with its dashes. */
static int unknown_option(const struct parser *p, const char *word, struct err *err)
{
	_cleanup_free_ char *name = strndup(word + 2, strcspn(word + 2, "="));
	char quoted[SCHEMA_QUOTE_CHARS];
	const char *nearest = NULL;
	size_t best = SCHEMA_FAR;

	for (size_t i = 0; name && i < p->count; i++)
		if (schema_is_nearer(name, p->rows[i].field.key, &best))
			nearest = p->rows[i].field.key;
	schema_quote(word, quoted);
	if (nearest)
		return err_set(err, -EINVAL, "unknown option '%s'; did you mean '--%s'?", quoted, nearest);
	return err_set(err, -EINVAL, "unknown option '%s'; --help lists the options", quoted);
}

static int usage_fault(const struct parser *p, int code, char *const argv[], struct err *err)
{
	const struct option_row *row = find_row(p, optopt);
	const char letter = (char)optopt;
	char allowed[SCHEMA_ALLOWED_CHARS];

	if (optopt == 'h')
		return err_set(err, -EINVAL, "option --help takes no argument");
	if (row && code == ':') {
		schema_allowed(&row->field, allowed);
		return err_set(err, -EINVAL, "option --%s needs an argument: %s%s%s", row->field.key,
			       row->argument ? row->argument : "VALUE", allowed[0] ? "; allowed: " : "", allowed);
	}
	if (row)
		return err_set(err, -EINVAL, "option --%s takes no argument", row->field.key);
	if (optopt)
		return err_set(err, -EINVAL, "unknown option '-%c'; --help lists the options",
			       letter > ' ' && letter < 0x7f ? letter : '?');
	return unknown_option(p, argv[optind - 1], err);
}

static int store_option(struct parser *p, const struct option_row *row, void *object, struct err *err)
{
	const struct schema_field *field = &row->field;
	const char *text = field->type == SCHEMA_BOOL ? "true" : optarg;
	struct err why = { "" };
	int ret;

	if (!p->given[row - p->rows])
		schema_clear_field(field, object); /* the default goes, then repeated values add up */
	ret = schema_store(field, text, object, &why);
	if (ret < 0)
		return err_set(err, ret, "option --%s", why.msg);
	p->given[row - p->rows] = true;
	schema_mark_given(field, object);
	return 0;
}

static int fill_defaults(const struct option_row *rows, void *object, struct err *err)
{
	int ret = 0;

	for (const struct option_row *row = rows; row->field.key; row++)
		schema_zero_field(&row->field, object);
	for (; rows->field.key && ret == 0; rows++)
		ret = schema_fill_field(&rows->field, object, err);
	return ret;
}

static int check_required(const struct parser *p, struct err *err)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->rows[i].field.required && !p->given[i])
			return err_set(err, -EINVAL, "option --%s is required: %s", p->rows[i].field.key,
				       p->rows[i].field.help ? p->rows[i].field.help : p->rows[i].argument);
	return 0;
}

static int parse_all(struct parser *p, int argc, char *argv[], void *object, struct err *err)
{
	int code;
	int ret;

	opterr = 0;
	optind = 0; /* glibc: start anew, also after an earlier command line */
	while ((code = getopt_long(argc, argv, p->letters, p->longs, NULL)) != -1) {
		const struct option_row *row = find_row(p, code);

		if (code == '?' || code == ':')
			return usage_fault(p, code, argv, err);
		if (!row)
			return 1; /* --help */
		ret = store_option(p, row, object, err);
		if (ret < 0)
			return ret;
	}
	return check_required(p, err);
}

int options_parse(int argc, char *argv[], const struct option_row *rows, void *object, int *ret_operands,
		  struct err *err)
{
	_cleanup_parser_ struct parser parser = { .count = 0 };
	int ret = fill_defaults(rows, object, err);

	if (ret == 0 && parser_init(&parser, rows) < 0)
		ret = err_sys(err, -ENOMEM, "cannot read the options");
	if (ret == 0)
		ret = parse_all(&parser, argc, argv, object, err);
	if (ret == 0)
		*ret_operands = optind;
	else
		options_clear(rows, object);
	return ret;
}

/* Words from @column on, broken before the width of a terminal. */
static void print_wrapped(FILE *out, const char *text, int column)
{
	while (*text) {
		int len = (int)strcspn(text, " ");

		if (column > HELP_INDENT && column + 1 + len > HELP_WIDTH) {
			fprintf(out, "\n%*s", HELP_INDENT, "");
			column = HELP_INDENT;
		}
		column += fprintf(out, "%s%.*s", column > HELP_INDENT ? " " : "", len, text);
		text += len;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static void print_row(FILE *out, const struct option_row *row)
{
	const struct schema_field *field = &row->field;
	const char *argument = field->type == SCHEMA_BOOL ? NULL : row->argument ? row->argument : "VALUE";
	char text[2 * SCHEMA_ALLOWED_CHARS];
	char allowed[SCHEMA_ALLOWED_CHARS] = "";
	char range[SCHEMA_ALLOWED_CHARS + 4] = "";
	char fallback[128] = "";
	int column = row->letter ? fprintf(out, "  -%c, ", row->letter) : fprintf(out, "      ");

	column += fprintf(out, "--%s%s%s", field->key, argument ? " " : "", argument ? argument : "");
	if (argument && schema_allowed(field, allowed)[0])
		snprintf(range, sizeof(range), " (%s)", allowed);
	if (field->fallback && field->fallback[0])
		snprintf(fallback, sizeof(fallback), " (default: %s)", field->fallback);
	snprintf(text, sizeof(text), "%s%s%s%s%s", field->help ? field->help : "", range, fallback,
		 field->required ? " (required)" : "",
		 field->type == SCHEMA_STRINGS || field->type == SCHEMA_FLAGS ? " (may be repeated)" : "");
	if (column + 2 > HELP_INDENT) {
		fputc('\n', out);
		column = 0;
	}
	fprintf(out, "%*s", HELP_INDENT - column, "");
	print_wrapped(out, text, HELP_INDENT);
}

void options_help(FILE *out, const struct command_help *help, const struct option_row *rows)
{
	static const struct option_row help_row = {
		.field = { .key = "help", .type = SCHEMA_BOOL, .help = "print this and exit" }, .letter = 'h'
	};

	fprintf(out, "usage: vcpulat %s\n\n%s\n\nOptions:\n", help->usage, help->purpose);
	for (; rows->field.key; rows++)
		print_row(out, rows);
	print_row(out, &help_row);
	if (help->examples)
		fprintf(out, "\nExamples:\n%s\n", help->examples);
}

void options_clear(const struct option_row *rows, void *object)
{
	for (; rows->field.key; rows++)
		schema_clear_field(&rows->field, object);
}
