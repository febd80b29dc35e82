// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/writers/faults.h"

#include <stdbool.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"

/* What a figure is called, and whether it depends on how fast the machine is. */
static const struct figure {
	const char *key;
	const char *title;
	bool timed;
} figures[] = {
	{ "per_s", "faults/s", true },
	{ "per_cpu_s", "faults/CPU s", true },
	{ "insns", "instructions/fault", false },
	{ "ipis_per_1000", "IPIs/1000 faults", false },
};

static const struct figure *figure_of(const json_t *row)
{
	for (size_t i = 0; i < ARRAY_SIZE(figures); i++)
		if (strcmp(figures[i].key, json_get_string(row, "figure")) == 0)
			return &figures[i];
	return NULL;
}

static void print_head(FILE *out, const json_t *row)
{
	const char *against = json_get_string(row, "against");

	fprintf(out, "\n%s, page faults by threads; arithmetic means of", json_get_string(row, "scenario"));
	if (*against)
		fprintf(out, " %llu and", (unsigned long long)json_get_u64(row, "boots_against"));
	fprintf(out, " %llu boot%s\n%-30s %8s", (unsigned long long)json_get_u64(row, "boots"),
		json_get_u64(row, "boots") == 1 ? "" : "s", "", "threads");
	if (*against)
		fprintf(out, " %20.20s", against);
	fprintf(out, " %20.20s%s\n", json_get_string(row, "arm"), *against ? "     change" : "");
}

static void print_row(FILE *out, const json_t *row, bool first, bool emulated)
{
	const struct figure *figure = figure_of(row);
	const json_t *from = json_object_get(row, "from");
	const json_t *change = json_object_get(row, "change_percent");
	char title[32] = "";

	if (!figure)
		return;
	if (first)
		snprintf(title, sizeof(title), "%s%s", figure->title, figure->timed && emulated ? ", emulated" : "");
	fprintf(out, "  %-28s %8llu", title, (unsigned long long)json_get_u64(row, "threads"));
	if (json_is_number(from))
		fprintf(out, " %20.2f", json_number_value(from));
	fprintf(out, " %20.2f", json_number_value(json_object_get(row, "to")));
	if (json_is_number(change))
		fprintf(out, " %+8.2f%%%s", json_number_value(change),
			json_is_true(json_object_get(row, "significant")) ? " *" : "");
	fputc('\n', out);
}

static void print_method(FILE *out, const json_t *faults)
{
	if (*json_get_string(json_array_get(json_object_get(faults, "rows"), 0), "against"))
		fprintf(out, "* p <= 0.05 by %s%s\n", json_get_string(faults, "method"),
			json_is_true(json_object_get(faults, "decidable")) ? "" : ";\n  so few boots cannot show it");
}

void faults_print(FILE *out, const json_t *comparison)
{
	const json_t *faults = json_object_get(comparison, "fault_rate");
	const bool emulated = json_is_true(json_object_get(comparison, "emulated"));
	const json_t *last = NULL;
	const json_t *row;
	size_t i;

	json_array_foreach (json_object_get(faults, "rows"), i, row) {
		bool begins = !last || !json_same_string(last, row, "scenario") || !json_same_string(last, row, "arm");

		if (begins)
			print_head(out, row);
		print_row(out, row, begins || !json_same_string(last, row, "figure"), emulated);
		last = row;
	}
	if (last)
		print_method(out, faults);
}
