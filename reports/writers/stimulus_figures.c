// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/writers/stimulus_figures.h"

#include <stdbool.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "reports/writers/text.h"

#define NAME_COLUMNS 34
#define ARM_COLUMNS 21
#define ARMS_BESIDE 3
#define CELL 96

static bool is_time(const char *unit)
{
	return strcmp(unit, "ms") == 0 || strcmp(unit, "us") == 0 || strcmp(unit, "ns") == 0;
}

static bool same_table(const json_t *a, const json_t *b)
{
	return a && json_same_string(a, b, "scenario") && json_same_string(a, b, "kind") &&
	       json_same_string(a, b, "window");
}

/* "0/17/33 (4)"; "-": the arm gave none */
static void print_side(FILE *out, const json_t *row, const char *arm)
{
	char cell[CELL] = "-";
	const json_t *side;
	size_t i;

	json_array_foreach (json_object_get(row, "arms"), i, side)
		if (strcmp(json_get_string(side, "arm"), arm) == 0)
			snprintf(cell, sizeof(cell), "%lld/%lld/%lld (%llu)",
				 (long long)json_integer_value(json_object_get(side, "min")),
				 (long long)json_integer_value(json_object_get(side, "median")),
				 (long long)json_integer_value(json_object_get(side, "max")),
				 (unsigned long long)json_get_u64(side, "n"));
	fprintf(out, " %*s", ARM_COLUMNS, cell);
}

static const char *arm_name(const json_t *comparison, size_t arm)
{
	return json_get_string(json_array_get(json_object_get(comparison, "arms"), arm), "name");
}

static void print_head(FILE *out, const json_t *row, const json_t *comparison, size_t first, size_t end)
{
	const char *scenario = json_get_string(row, "scenario");

	fputc('\n', out);
	text_safe(out, scenario, strlen(scenario));
	fprintf(out, ", figures of stimulus %s, %s: least/median/most (actions)\n%-*s", json_get_string(row, "kind"),
		json_get_string(row, "window"), NAME_COLUMNS, "");
	for (size_t arm = first; arm < end; arm++) {
		const char *name = arm_name(comparison, arm);
		const size_t bytes = text_fit(name, ARM_COLUMNS);

		fprintf(out, " %*s", ARM_COLUMNS - (int)text_columns(name, bytes), "");
		text_safe(out, name, bytes);
	}
	fputc('\n', out);
}

static void print_row(FILE *out, const json_t *row, const json_t *comparison, size_t first, size_t end)
{
	const char *unit = json_get_string(row, "unit");
	const bool emulated = is_time(unit) && json_is_true(json_object_get(comparison, "emulated"));
	char name[CELL];

	snprintf(name, sizeof(name), "%s, %s%s", json_get_string(row, "figure"), emulated ? "emulated " : "", unit);
	fprintf(out, "  %-*s", NAME_COLUMNS - 2, name);
	for (size_t arm = first; arm < end; arm++)
		print_side(out, row, arm_name(comparison, arm));
	fputc('\n', out);
}

void stimulus_figures_print(FILE *out, const json_t *comparison)
{
	const json_t *rows = json_object_get(comparison, "stimulus_figures");
	const size_t arms = json_array_size(json_object_get(comparison, "arms"));

	for (size_t first = 0; first < arms; first += ARMS_BESIDE) {
		const size_t end = first + ARMS_BESIDE < arms ? first + ARMS_BESIDE : arms;
		const json_t *last = NULL;
		const json_t *row;
		size_t i;

		json_array_foreach (rows, i, row) {
			if (!same_table(last, row))
				print_head(out, row, comparison, first, end);
			print_row(out, row, comparison, first, end);
			last = row;
		}
	}
}
