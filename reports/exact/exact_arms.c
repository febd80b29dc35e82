// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/exact/exact_arms.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"

/* Runs of one arm in one scenario with one kind of guest, as one. */
struct group {
	const char *scenario; /* borrowed from a result */
	const char *guest;
	const char *arm;
	json_t *exact; /* owned */
};

struct groups {
	struct group *item;
	size_t count;
};

static const char *scenario_of(const json_t *result)
{
	return json_get_string(json_object_get(result, "scenario"), "name");
}

static const char *arm_of(const json_t *result)
{
	return json_get_string(json_object_get(result, "arm"), "name");
}

static const struct group *find_group(const struct groups *groups, const char *scenario, const char *guest,
				      const char *arm)
{
	for (size_t i = 0; i < groups->count; i++) {
		const struct group *group = &groups->item[i];

		if (!strcmp(group->scenario, scenario) && !strcmp(group->guest, guest) && !strcmp(group->arm, arm))
			return group;
	}
	return NULL;
}

static bool is_alike(const json_t *a, const json_t *b)
{
	return json_object_get(a, "exact") && json_object_get(b, "exact") && !strcmp(scenario_of(a), scenario_of(b)) &&
	       !strcmp(arm_of(a), arm_of(b)) && !strcmp(json_get_string(a, "guest"), json_get_string(b, "guest"));
}

static int add_group(struct groups *groups, const json_t *const *results, size_t n, const json_t *first)
{
	_cleanup_free_ const json_t **exact = calloc(n, sizeof(*exact));
	struct group *group = &groups->item[groups->count];
	size_t used = 0;
	int rc;

	for (size_t i = 0; exact && i < n; i++) {
		if (is_alike(first, results[i]))
			exact[used++] = json_object_get(results[i], "exact");
	}
	if (!used)
		return -ENOMEM;
	*group = (struct group){ scenario_of(first), json_get_string(first, "guest"), arm_of(first), NULL };
	rc = exact_merge(exact, used, &group->exact);
	groups->count += !rc;
	return rc;
}

static int make_groups(struct groups *groups, const json_t *const *results, size_t n)
{
	groups->item = calloc(n + 1, sizeof(*groups->item));
	if (!groups->item)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *guest = json_get_string(results[i], "guest");
		int rc;

		if (!json_object_get(results[i], "exact") ||
		    find_group(groups, scenario_of(results[i]), guest, arm_of(results[i])))
			continue;
		rc = add_group(groups, results, n, results[i]);
		if (rc)
			return rc;
	}
	return 0;
}

static void groups_done(struct groups *groups)
{
	for (size_t i = 0; i < groups->count; i++)
		json_decref(groups->item[i].exact);
	free(groups->item);
}

static void fill_row(json_t *row, const struct groups *groups)
{
	const char *scenario = json_get_string(row, "scenario");
	const char *arm = json_get_string(row, "arm");
	const struct group *native = find_group(groups, scenario, "none", arm);
	const struct group *guest = find_group(groups, scenario, "libvirt", arm);

	json_object_set_new(
		row, "exact",
		exact_row(native ? native->exact : NULL, guest ? guest->exact : NULL, json_get_string(row, "cause")));
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

static int compare_group(const struct group *group, const struct group *against, json_t *list)
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

static json_t *compare_groups(const struct groups *groups, const char *baseline)
{
	_cleanup_json_ json_t *list = json_array();

	for (size_t i = 0; i < groups->count; i++) {
		const struct group *group = &groups->item[i];
		const struct group *against = find_group(groups, group->scenario, group->guest, baseline);

		if (against && against != group && compare_group(group, against, list))
			return NULL;
	}
	return TAKE_PTR(list);
}

int exact_add(json_t *comparison, const json_t *const *results, size_t n)
{
	struct groups groups = { 0 };
	int rc = make_groups(&groups, results, n);
	size_t i;
	json_t *row;

	if (!rc && groups.count) {
		json_t *arms = compare_groups(&groups, baseline_of(comparison));

		json_array_foreach (json_object_get(comparison, "rows"), i, row)
			fill_row(row, &groups);
		rc = arms && !json_object_set_new(comparison, "exact", arms) ? 0 : -ENOMEM;
	}
	groups_done(&groups);
	return rc;
}

/* "11664 (..15672)": median and greatest. */
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

static void print_row(FILE *out, const json_t *row)
{
	const json_t *exact = json_object_get(row, "exact");
	const json_t *guest = json_object_get(exact, "guest");
	const json_t *ratio = json_object_get(exact, "amplification");

	fprintf(out, "%-28.28s %-12.12s", json_get_string(row, "cause"), json_get_string(row, "arm"));
	print_figure(out, json_object_get(exact, "native"), "total", 14);
	print_figure(out, guest, "host", 14);
	print_figure(out, guest, "guest", 11);
	print_figure(out, guest, "switches", 6);
	if (json_is_real(ratio))
		fprintf(out, " %6.1fx\n", json_real_value(ratio));
	else
		fprintf(out, " %7s\n", "-");
}

void exact_print_rows(FILE *out, const json_t *comparison, bool all)
{
	size_t i;
	const json_t *row;
	bool headed = false;

	json_array_foreach (json_object_get(comparison, "rows"), i, row) {
		if (!json_is_object(json_object_get(row, "exact")) ||
		    (!all && !json_is_true(json_object_get(row, "provoked"))))
			continue;
		if (!headed)
			fprintf(out, "\n%-28s %-12s %14s %14s %11s %6s %7s\n", "instructions: median..max", "arm",
				"native", "guest: host", "guest", "exits", "ampl.");
		headed = true;
		print_row(out, row);
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
}

static void check_budget(FILE *out, const json_t *result, const struct exact_budget *budget, bool *met)
{
	uint64_t insns = 0;
	bool kept = exact_budget_met(budget, json_object_get(result, "exact"), &insns);

	*met &= kept;
	fprintf(out, "%s: %s, %s, guest %s: %" PRIu64 " instructions, budget %" PRIu64 "%s\n",
		kept ? "kept" : "EXCEEDED", budget->cause, arm_of(result), json_get_string(result, "guest"), insns,
		budget->insns, budget->max ? " at most" : "");
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
