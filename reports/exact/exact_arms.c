// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/exact/exact_arms.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "reports/exact/exact_groups.h"
#include "reports/exact/exact_tracer.h"

/* Runs with a trace have the causes' own names for tasks; those without stand in for them. */
static const json_t *exact_of(const struct exact_groups *groups, const json_t *row, const char *guest)
{
	const char *scenario = json_get_string(row, "scenario");
	const char *arm = json_get_string(row, "arm");
	const struct exact_group *group = exact_groups_find(groups, scenario, guest, arm, true);

	if (!group)
		group = exact_groups_find(groups, scenario, guest, arm, false);
	return group ? group->exact : NULL;
}

static void fill_row(json_t *row, const struct exact_groups *groups)
{
	json_object_set_new(row, "exact",
			    exact_row(exact_of(groups, row, "none"), exact_of(groups, row, "libvirt"),
				      exact_of(groups, row, "bare"), json_get_string(row, "cause")));
}

static const char *baseline_of(const json_t *comparison)
{
	size_t i;
	const json_t *arm;

	json_array_foreach (json_object_get(comparison, "arms"), i, arm) {
		if (json_is_true(json_object_get(arm, "baseline")))
			return json_get_string(arm, "name");
	}
	return "";
}

static int compare_group(const struct exact_group *group, const struct exact_group *against, json_t *list)
{
	json_t *causes = NULL;
	int rc = exact_compare(group->exact, against->exact, &causes);

	if (rc)
		return rc;
	return json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:o}", "scenario", group->scenario, "guest",
						     group->guest, "arm", group->arm, "against", against->arm, "causes",
						     causes))
		       ? -ENOMEM
		       : 0;
}

static json_t *compare_groups(const struct exact_groups *groups, const char *baseline)
{
	_cleanup_json_ json_t *list = json_array();

	for (size_t i = 0; i < groups->count; i++) {
		const struct exact_group *group = &groups->item[i];
		const struct exact_group *against =
			exact_groups_find(groups, group->scenario, group->guest, baseline, group->traced);

		if (against && against != group && compare_group(group, against, list))
			return NULL;
	}
	return TAKE_PTR(list);
}

int exact_add(json_t *comparison, const json_t *const *results, size_t n)
{
	_cleanup_exact_groups_ struct exact_groups groups = { 0 };
	int rc = exact_groups_make(&groups, results, n);
	json_t *arms;
	size_t i;
	json_t *row;

	if (rc || !groups.count)
		return rc;
	json_array_foreach (json_object_get(comparison, "rows"), i, row)
		fill_row(row, &groups);
	arms = compare_groups(&groups, baseline_of(comparison));
	if (!arms || json_object_set_new(comparison, "exact", arms))
		return -ENOMEM;
	return json_object_set_new(comparison, "exact_tracer", exact_tracer(&groups)) ? -ENOMEM : 0;
}

/* "11664..15672": median and greatest. */
static void print_figure(FILE *out, const json_t *figures, const char *name, int width)
{
	const json_t *figure = json_object_get(figures, name);
	uint64_t median = json_get_u64(figure, "median");
	uint64_t max = json_get_u64(figure, "max");
	char text[64];

	if (!json_is_object(figure))
		snprintf(text, sizeof(text), "-");
	else if (median == max)
		snprintf(text, sizeof(text), "%" PRIu64, median);
	else
		snprintf(text, sizeof(text), "%" PRIu64 "..%" PRIu64, median, max);
	fprintf(out, " %*s", width, text);
}

static void print_guest(FILE *out, const json_t *guest)
{
	print_figure(out, guest, "total", 16);
	print_figure(out, guest, "host", 16);
	print_figure(out, guest, "switches", 8);
}

static void print_row(FILE *out, const json_t *row)
{
	const json_t *exact = json_object_get(row, "exact");
	const json_t *native = json_object_get(exact, "native");
	const json_t *guest = json_object_get(exact, "guest");
	const json_t *ratio = json_object_get(exact, "amplification");

	fprintf(out, "  %-21.21s", json_get_string(row, "arm"));
	print_figure(out, native, "total", 15);
	print_guest(out, guest);
	if (json_is_real(ratio))
		fprintf(out, " %13.2fx\n", json_real_value(ratio));
	else
		fprintf(out, " %14s\n", "-");
}

static void print_bare_row(FILE *out, const json_t *row)
{
	fprintf(out, "  %-14.14s (bare) %15s", json_get_string(row, "arm"), "");
	print_guest(out, json_object_get(json_object_get(row, "exact"), "bare"));
	fputc('\n', out);
}

static bool has(const json_t *row, const char *kind)
{
	return json_is_object(json_object_get(json_object_get(row, "exact"), kind));
}

/* The plain timer interrupt is what everything else is measured against: shown though nobody provokes it. */
static bool is_shown(const json_t *row, bool all)
{
	return json_is_object(json_object_get(row, "exact")) &&
	       (all || json_is_true(json_object_get(row, "provoked")) ||
		!strcmp(json_get_string(row, "cause"), "host/irq/local_timer"));
}

static bool is_same(const json_t *a, const json_t *b)
{
	return a && !strcmp(json_get_string(a, "scenario"), json_get_string(b, "scenario")) &&
	       !strcmp(json_get_string(a, "cause"), json_get_string(b, "cause"));
}

void exact_print_rows(FILE *out, const json_t *comparison, bool all)
{
	const json_t *last = NULL;
	size_t i;
	const json_t *row;

	json_array_foreach (json_object_get(comparison, "rows"), i, row) {
		if (!is_shown(row, all))
			continue;
		if (!last)
			fprintf(out, "\n%-23s %15s %16s %16s %8s %14s\n", "instructions", "native gap", "guest's gap",
				"of it in host", "exits", "amplification");
		if (!last)
			fprintf(out, "%-23s %15s %16s %16s %8s %14s\n", "  arm", "median..max", "", "", "",
				"of medians");
		if (!is_same(last, row))
			fprintf(out, "%s  %s\n", json_get_string(row, "scenario"), json_get_string(row, "cause"));
		if (has(row, "native") || has(row, "guest"))
			print_row(out, row);
		if (has(row, "bare"))
			print_bare_row(out, row);
		last = row;
	}
}

void exact_print_arms(FILE *out, const json_t *comparison)
{
	size_t i;
	const json_t *arm;

	json_array_foreach (json_object_get(comparison, "exact"), i, arm) {
		fprintf(out, "\n%s, guest %s: ", json_get_string(arm, "scenario"), json_get_string(arm, "guest"));
		exact_print_comparison(out, json_object_get(arm, "causes"), json_get_string(arm, "arm"),
				       json_get_string(arm, "against"));
	}
	exact_print_tracer(out, json_object_get(comparison, "exact_tracer"));
}

static void check_budget(FILE *out, const json_t *result, const struct exact_budget *budget, bool *met)
{
	uint64_t insns = 0;
	bool kept = exact_budget_met(budget, json_object_get(result, "exact"), &insns);

	*met &= kept;
	fprintf(out, "%s: %s, %s, guest %s: %" PRIu64 " instructions, budget %" PRIu64 "%s\n",
		kept ? "kept" : "EXCEEDED", budget->cause, json_get_name(result, "arm"),
		json_get_string(result, "guest"), insns, budget->insns, budget->max ? " at most" : "");
}

int exact_check_budgets(FILE *out, const json_t *const *results, size_t n, char *const *budget, size_t budgets,
			bool *ret_met, struct err *err)
{
	size_t checked = 0;
	bool met = true;

	for (size_t i = 0; i < budgets; i++) {
		struct exact_budget parsed;
		int rc = exact_budget_parse(budget[i], &parsed, err);

		if (rc)
			return rc;
		for (size_t j = 0; j < n; j++) {
			if (!json_object_get(results[j], "exact"))
				continue;
			check_budget(out, results[j], &parsed, &met);
			checked++;
		}
	}
	if (budgets && !checked)
		return err_set(err, -EINVAL,
			       "no result has instructions: only runs in a lab with the instruction meter do");
	*ret_met = met;
	return 0;
}
