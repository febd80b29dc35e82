// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/writers/diff.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "reports/writers/text.h"

#define KEY_COLUMNS 32
#define VALUE_COLUMNS 31

static void print_padded(FILE *out, const char *text, size_t columns)
{
	size_t used = text_columns(text, strlen(text));

	text_safe(out, text, strlen(text));
	fprintf(out, "%*s", used < columns ? (int)(columns - used) : 0, "");
}

static bool is_short(const json_t *values)
{
	const char *text = json_string_value(json_array_get(values, 0));

	return json_array_size(values) == 0 ||
	       (json_array_size(values) == 1 && text_columns(text, strlen(text)) <= VALUE_COLUMNS);
}

static const char *short_value(const json_t *values)
{
	return json_array_size(values) ? json_string_value(json_array_get(values, 0)) : "-";
}

/* Words go on one line as far as they fit, other things have one of their own. */
static bool are_words(const json_t *values)
{
	json_t *value;
	size_t i;

	json_array_foreach (values, i, value)
		if (strchr(json_string_value(value), ' '))
			return false;
	return true;
}

static void print_words(FILE *out, const char *lead, const json_t *values)
{
	char *text = NULL;
	size_t len = 0;
	FILE *line = open_memstream(&text, &len);
	json_t *value;
	size_t i;

	if (!line)
		return;
	json_array_foreach (values, i, value)
		fprintf(line, "%s%s", i ? " " : "", json_string_value(value));
	if (fclose(line) == 0)
		text_paragraph(out, lead, text, DIFF_COLUMNS);
	free(text);
}

static void print_side(FILE *out, const char *lead, const json_t *values)
{
	json_t *value;
	size_t i;

	if (!json_array_size(values))
		return;
	if (are_words(values)) {
		print_words(out, lead, values);
		return;
	}
	json_array_foreach (values, i, value)
		text_paragraph(out, lead, json_string_value(value), DIFF_COLUMNS);
}

static void print_difference(FILE *out, const json_t *item)
{
	const json_t *a = json_object_get(item, "a");
	const json_t *b = json_object_get(item, "b");
	const char *key = json_get_string(item, "key");

	fputs("  ", out);
	if (is_short(a) && is_short(b) && text_columns(key, strlen(key)) <= KEY_COLUMNS) {
		print_padded(out, key, KEY_COLUMNS + 1);
		print_padded(out, short_value(a), VALUE_COLUMNS + 1);
		text_safe(out, short_value(b), strlen(short_value(b)));
		fputc('\n', out);
		return;
	}
	text_paragraph(out, "", key, DIFF_COLUMNS - 2);
	print_side(out, "    A  ", a);
	print_side(out, "    B  ", b);
}

static void print_head(FILE *out, const char *name, const json_t *side)
{
	unsigned long long runs = json_get_u64(side, "runs");
	char lead[48];

	snprintf(lead, sizeof(lead), "%s  %llu run%s  ", name, runs, runs == 1 ? "" : "s");
	text_paragraph(out, lead, json_get_string(side, "path"), DIFF_COLUMNS);
}

void diff_print(FILE *out, const json_t *diff)
{
	const char *section = "";
	json_t *item;
	size_t i;

	print_head(out, "A", json_object_get(diff, "a"));
	print_head(out, "B", json_object_get(diff, "b"));
	json_array_foreach (json_object_get(diff, "differences"), i, item) {
		if (strcmp(section, json_get_string(item, "section")) != 0) {
			section = json_get_string(item, "section");
			fprintf(out, "\n%-*s%-*s%s\n", KEY_COLUMNS + 3, section, VALUE_COLUMNS + 1, "A", "B");
		}
		print_difference(out, item);
	}
	if (json_array_size(json_object_get(diff, "not_recorded")))
		fputc('\n', out);
	json_array_foreach (json_object_get(diff, "not_recorded"), i, item)
		fprintf(out, "%s: not recorded in %s\n", json_get_string(item, "section"),
			strcmp(json_get_string(item, "side"), "a") == 0 ? "A" : "B");
	if (json_is_true(json_object_get(diff, "same")))
		fprintf(out, "\nNothing of what was recorded differs (%llu values compared).\n",
			(unsigned long long)json_get_u64(json_object_get(diff, "a"), "keys"));
}
