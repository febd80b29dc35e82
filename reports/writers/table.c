// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/writers/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "reports/exact/exact_arms.h"
#include "reports/verdict.h"
#include "reports/writers/faults.h"
#include "reports/writers/stimulus_figures.h"
#include "reports/writers/text.h"

/* Causes that no scenario provokes: shown while they are this many at most, the worst first. */
#define OTHER_CAUSES 3
#define ARM_COLUMNS 21
#define RATIO_COLUMNS 15
#define CELL 48

enum colour { PLAIN, BOLD, DIM, RED, GREEN, YELLOW, COLOUR_MAX };

struct printer {
	FILE *out;
	bool colour;
};

static const char *colour_code(const struct printer *p, enum colour colour)
{
	static const char *const codes[COLOUR_MAX] = {
		[PLAIN] = "\033[0m", [BOLD] = "\033[1m",   [DIM] = "\033[2m",
		[RED] = "\033[31m",  [GREEN] = "\033[32m", [YELLOW] = "\033[33m",
	};

	return p->colour ? codes[colour] : "";
}

static void format_us(const json_t *ns, char cell[static CELL])
{
	double us = json_number_value(ns) / 1000;

	if (!json_is_number(ns))
		snprintf(cell, CELL, "-");
	else if (us >= 10000)
		snprintf(cell, CELL, "%.*fk", us < 100000 ? 1 : 0, us / 1000);
	else
		snprintf(cell, CELL, "%.*f", us < 10 ? 2 : us < 100 ? 1 : 0, us);
}

/* "1477/4210": median and maximum; the median is "-" where the sample does not carry one */
static void format_gaps(const json_t *side, char cell[static CELL])
{
	const json_t *gap = json_object_get(side, "gap_ns");
	char p50[CELL];
	char max[CELL];

	if (!json_is_object(side) || !json_is_number(json_object_get(gap, "max"))) {
		/* "shared": it was in gaps, but in none of its own */
		snprintf(cell, CELL, "%s",
			 !json_is_object(side)		       ? ""
			 : json_get_u64(side, "explained") > 0 ? "shared"
							       : "none");
		return;
	}
	format_us(json_object_get(gap, "p50"), p50);
	format_us(json_object_get(gap, "max"), max);
	snprintf(cell, CELL, "%.20s/%.20s", p50, max);
}

/* With as many digits as its column takes, and without the interval rather than wider. */
static void format_ratio(const json_t *ratio, char cell[static CELL])
{
	double value = json_number_value(json_object_get(ratio, "p50"));
	double lo = json_number_value(json_object_get(ratio, "lo"));
	double hi = json_number_value(json_object_get(ratio, "hi"));

	*cell = '\0';
	if (!json_is_object(ratio))
		return;
	for (int digits = 3; digits > 1; digits--)
		if (snprintf(cell, CELL, "%.*g (%.*g-%.*g)", digits, value, digits - 1, lo, digits - 1, hi) <=
		    RATIO_COLUMNS)
			return;
	snprintf(cell, CELL, "%.3g", value);
}

/* "26/26 87-100%": primers hit, with the interval of their share; occurrences where nothing was primed */
static void format_hits(const json_t *counts, bool interval, char cell[static CELL])
{
	unsigned long long primers = json_get_u64(counts, "primers");
	unsigned long long hit = json_get_u64(counts, "hit");
	const json_t *lo = json_object_get(counts, "lo");

	if (!json_is_object(counts))
		snprintf(cell, CELL, "-");
	else if (primers == 0 && json_get_u64(counts, "count") == 0)
		snprintf(cell, CELL, "-");
	else if (primers == 0)
		snprintf(cell, CELL, "%llux", (unsigned long long)json_get_u64(counts, "count"));
	else if (!interval || !json_is_number(lo))
		snprintf(cell, CELL, "%llu/%llu", hit, primers);
	else
		snprintf(cell, CELL, "%llu/%llu %.0f-%.0f%%", hit, primers, 100 * json_number_value(lo),
			 100 * json_number_value(json_object_get(counts, "hi")));
}

static void print_header(const struct printer *p, bool emulated)
{
	const char *unit = emulated ? "p50/max, emulated us" : "p50/max, us";

	fprintf(p->out, "%s%-23s %-6s %-16s %7s  %-12s %-14s %s%s\n", colour_code(p, BOLD), "", "probe", "primers hit",
		"control", "native gap", "guest penalty", "amplification", colour_code(p, PLAIN));
	fprintf(p->out, "%s%-23s %-6s %-16s %7s  %-27s %s%s\n", colour_code(p, DIM), "  arm", "in", "95% interval", "",
		unit, "of p50, 95%", colour_code(p, PLAIN));
}

/* Where somebody waits, the CPU goes on. */
static bool makes_gaps(const json_t *row)
{
	return !strstr(json_get_string(row, "cause"), "/hang/");
}

static void print_line(const struct printer *p, const json_t *row, const char *kind, const char *arm)
{
	const json_t *side = json_object_get(row, kind);
	bool native = strcmp(kind, "native") == 0;
	size_t bytes = text_fit(arm, ARM_COLUMNS);
	char cell[5][CELL] = { "" };

	format_hits(json_object_get(side, "armed"), true, cell[0]);
	format_hits(json_object_get(side, "control"), false, cell[1]);
	if (makes_gaps(row)) {
		format_gaps(native ? side : NULL, cell[2]);
		format_gaps(native ? NULL : side, cell[3]);
	}
	format_ratio(strcmp(kind, "guest") == 0 ? json_object_get(row, "amplification") : NULL, cell[4]);
	fputs("  ", p->out);
	text_safe(p->out, arm, bytes);
	fprintf(p->out, "%*s %-6s %-16s %7s  %-12s %-14s %s\n", ARM_COLUMNS - (int)text_columns(arm, bytes), "", kind,
		cell[0], cell[1], cell[2], cell[3], cell[4]);
}

/* The largest gap to expect in a day, where the run was long enough to say. */
static void print_tail(const struct printer *p, const json_t *tail)
{
	char level[CELL];
	char lo[CELL];
	char hi[CELL];

	if (!json_is_number(json_object_get(tail, "day_ns")))
		return;
	format_us(json_object_get(tail, "day_ns"), level);
	format_us(json_object_get(tail, "day_lo_ns"), lo);
	format_us(json_object_get(tail, "day_hi_ns"), hi);
	fprintf(p->out, "%s%*s largest expected in 24 h: %s us (95%%: %s to %s), from %llu peaks%s\n",
		colour_code(p, DIM), ARM_COLUMNS + 2, "", level, lo,
		json_is_number(json_object_get(tail, "day_hi_ns")) ? hi : "not bounded",
		(unsigned long long)json_get_u64(tail, "exceedances"), colour_code(p, PLAIN));
}

static void print_row(const struct printer *p, const json_t *row)
{
	static const char *const kinds[] = { "native", "guest", "bare" };
	const char *arm = json_get_string(row, "arm");

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!json_is_object(json_object_get(row, kinds[i])))
			continue;
		/* The host's CPU without a guest cannot show what happens in a guest. */
		if (strcmp(kinds[i], "native") == 0 && strncmp(json_get_string(row, "cause"), "guest/", 6) == 0)
			continue;
		print_line(p, row, kinds[i], arm);
		print_tail(p, json_object_get(json_object_get(row, kinds[i]), "tail"));
		arm = "";
	}
}

static bool same_cause(const json_t *a, const json_t *b)
{
	return strcmp(json_get_string(a, "cause"), json_get_string(b, "cause")) == 0 &&
	       strcmp(json_get_string(a, "scenario"), json_get_string(b, "scenario")) == 0;
}

static void print_cause(const struct printer *p, const json_t *row)
{
	_cleanup_free_ char *title =
		str_printf("%s  %s%s", json_get_string(row, "scenario"), json_get_string(row, "cause"),
			   json_is_true(json_object_get(row, "provoked")) ? "" : "  (not provoked)");

	if (!title)
		return;
	fprintf(p->out, "%s", colour_code(p, BOLD));
	text_safe(p->out, title, text_fit(title, TABLE_COLUMNS));
	fprintf(p->out, "%s\n", colour_code(p, PLAIN));
}

static bool has_gaps(const json_t *row)
{
	static const char *const kinds[] = { "native", "guest", "bare" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (json_get_u64(json_object_get(json_object_get(row, kinds[i]), "gap_ns"), "n") > 0)
			return true;
	return false;
}

/* What the experiment itself makes is no finding. */
static bool is_own(const json_t *row)
{
	const char *slash = strchr(json_get_string(row, "cause"), '/');

	return slash && strcmp(slash, "/stimulus") == 0;
}

/* Rows of one cause lie together, one an arm. */
static size_t rows_of_cause(const json_t *rows, size_t first, bool *ret_gaps)
{
	size_t n = 0;

	*ret_gaps = false;
	while (first + n < json_array_size(rows) &&
	       same_cause(json_array_get(rows, first), json_array_get(rows, first + n)))
		*ret_gaps |= has_gaps(json_array_get(rows, first + n++));
	return n;
}

static void print_rows(const struct printer *p, const json_t *rows, bool all_causes)
{
	const char *scenario = "";
	unsigned int others = 0;
	unsigned int hidden = 0;
	bool gaps;

	for (size_t i = 0, n; i < json_array_size(rows); i += n) {
		const json_t *row = json_array_get(rows, i);
		bool provoked = json_is_true(json_object_get(row, "provoked"));

		n = rows_of_cause(rows, i, &gaps);
		if (strcmp(scenario, json_get_string(row, "scenario")) != 0)
			others = 0;
		scenario = json_get_string(row, "scenario");
		if (!provoked && !all_causes && (!gaps || is_own(row) || ++others > OTHER_CAUSES)) {
			hidden++;
			continue;
		}
		print_cause(p, row);
		for (size_t k = 0; k < n; k++)
			print_row(p, json_array_get(rows, i + k));
	}
	if (hidden > 0)
		fprintf(p->out, "%s%u more causes: --all%s\n", colour_code(p, DIM), hidden, colour_code(p, PLAIN));
}

static enum colour state_colour(const char *state)
{
	return verdict_good(state) ? GREEN : strcmp(state, "undecided") == 0 ? YELLOW : RED;
}

static void print_verdicts(const struct printer *p, const json_t *verdicts)
{
	json_t *verdict;
	size_t i;

	json_array_foreach (verdicts, i, verdict) {
		const char *state = json_get_string(verdict, "state");
		enum colour colour = state_colour(state);

		fprintf(p->out, "%s%-4s%s ", colour_code(p, colour),
			colour == GREEN ? "ok"
			: colour == RED ? "FAIL"
					: "??",
			colour_code(p, PLAIN));
		text_wrapped(p->out, json_get_string(verdict, "text"), 5, TABLE_COLUMNS);
	}
}

static void print_findings(const struct printer *p, const json_t *findings)
{
	json_t *finding;
	size_t i;

	json_array_foreach (findings, i, finding) {
		bool fails = json_is_true(json_object_get(finding, "fails"));
		_cleanup_free_ char *text =
			str_printf("%s on %s: %s", json_get_string(finding, "scenario"),
				   json_get_string(finding, "arm"), json_get_string(finding, "text"));

		fprintf(p->out, "%s%-4s%s ", colour_code(p, fails ? RED : YELLOW), fails ? "FAIL" : "note",
			colour_code(p, PLAIN));
		text_wrapped(p->out, text ? text : "", 5, TABLE_COLUMNS);
	}
}

static void print_probe_effect(const struct printer *p, const json_t *effects)
{
	json_t *effect;
	size_t i;

	json_array_foreach (effects, i, effect) {
		_cleanup_free_ char *text = str_printf(
			"%s on %s, %s: %s", json_get_string(effect, "scenario"), json_get_string(effect, "arm"),
			strcmp(json_get_string(effect, "guest"), "none") == 0 ? "native" : "guest",
			json_get_string(effect, "text"));

		fputs(i ? "" : "probe effect\n", p->out);
		text_paragraph(p->out, "     ", text ? text : "", TABLE_COLUMNS);
	}
}

static void print_simulation(const struct printer *p, const json_t *simulation)
{
	bool within = json_is_true(json_object_get(simulation, "within"));

	if (!simulation)
		return;
	fprintf(p->out, "%s%-4s%s ", colour_code(p, within ? GREEN : RED), within ? "ok" : "FAIL",
		colour_code(p, PLAIN));
	text_wrapped(p->out, json_get_string(simulation, "text"), 5, TABLE_COLUMNS);
}

/* What the figures do not say. */
static void print_limits(const struct printer *p, const json_t *comparison)
{
	size_t retries = json_array_size(json_object_get(comparison, "retries"));

	fprintf(p->out, "%s", colour_code(p, DIM));
	if (json_is_true(json_object_get(comparison, "emulated")))
		text_paragraph(p->out, "",
			       "emulated us: times of an emulated CPU. Causes and counts carry over to a real machine, "
			       "times and their ratios do not.",
			       TABLE_COLUMNS);
	text_paragraph(
		p->out, "",
		"Nx: occurrences, where nothing was primed. p50 wants 6 gaps with this single cause, p99 (in the JSON) "
		"299. shared: only in gaps with other causes.",
		TABLE_COLUMNS);
	fprintf(p->out, "%s", colour_code(p, PLAIN));
	if (retries > 0)
		fprintf(p->out, "%zu retr%s, see the comparison\n", retries, retries > 1 ? "ies" : "y");
}

void table_print(FILE *out, const json_t *comparison, const struct table_params *params)
{
	const struct table_params defaults = { 0 };
	struct printer p = { .out = out };
	bool passed = json_is_true(json_object_get(comparison, "passed"));

	if (!params)
		params = &defaults;
	p.colour = params->colour;
	print_header(&p, json_is_true(json_object_get(comparison, "emulated")));
	print_rows(&p, json_object_get(comparison, "rows"), params->all_causes);
	exact_print_rows(out, comparison, params->all_causes);
	faults_print(out, comparison);
	stimulus_figures_print(out, comparison);
	fputc('\n', out);
	print_limits(&p, comparison);
	fputc('\n', out);
	print_verdicts(&p, json_object_get(comparison, "verdicts"));
	print_simulation(&p, json_object_get(comparison, "aa_simulation"));
	print_findings(&p, json_object_get(comparison, "findings"));
	print_probe_effect(&p, json_object_get(comparison, "probe_effect"));
	fprintf(out, "%s%s%s\n", colour_code(&p, passed ? GREEN : RED), passed ? "passed" : "not passed",
		colour_code(&p, PLAIN));
}

bool table_wants_colour(FILE *out)
{
	const char *term = getenv("TERM");
	const char *no_colour = getenv("NO_COLOR");

	return isatty(fileno(out)) && !(no_colour && *no_colour) && term && strcmp(term, "dumb") != 0;
}
