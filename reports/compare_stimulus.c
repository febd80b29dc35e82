// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/compare_p.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "reports/stimulus_figures.h"

#define MAX_ROWS 128 /* of all scenarios */

static const char *const keys[] = { "kind", "figure", "unit" };
static const char *const sides[] = { "armed", "control" };

static bool is_row_of(const json_t *row, const char *scenario, const char *side, const json_t *item)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!json_same_string(row, item, keys[i]))
			return false;
	return strcmp(json_get_string(row, "scenario"), scenario) == 0 &&
	       strcmp(json_get_string(row, "window"), side) == 0;
}

static const json_t *values_of(const json_t *item, const char *side)
{
	return json_object_get(json_object_get(item, side), "values");
}

static bool is_figure(const json_t *item)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!stimulus_figure_is_word(json_get_string(item, keys[i])))
			return false;
	return true;
}

static int add_row(json_t *rows, const char *scenario, const char *side, const json_t *item)
{
	const json_t *row;
	size_t i;

	if (!json_array_size(values_of(item, side)) || !is_figure(item) || json_array_size(rows) >= MAX_ROWS)
		return 0;
	json_array_foreach (rows, i, row)
		if (is_row_of(row, scenario, side, item))
			return 0;
	return json_array_append_new(rows,
				     json_pack("{s:s, s:s, s:s, s:s, s:s, s:[]}", "scenario", scenario, "kind",
					       json_get_string(item, "kind"), "figure", json_get_string(item, "figure"),
					       "unit", json_get_string(item, "unit"), "window", side, "arms")) < 0
		       ? -ENOMEM
		       : 0;
}

static int add_rows(json_t *rows, const struct comparison *c, const char *scenario, const char *side)
{
	int err = 0;

	for (size_t i = 0; i < c->runs; i++) {
		const json_t *item;
		size_t k;

		if (strcmp(c->run[i].scenario, scenario) != 0)
			continue;
		json_array_foreach (json_object_get(c->run[i].result, "stimulus_figures"), k, item)
			err = err < 0 ? err : add_row(rows, scenario, side, item);
	}
	return err;
}

static int append(const json_t *list, double **values, size_t *n)
{
	double *more = reallocarray(*values, *n + json_array_size(list) + 1, sizeof(**values));
	const json_t *value;
	size_t i;

	if (!more)
		return -ENOMEM;
	*values = more;
	json_array_foreach (list, i, value)
		if (json_is_integer(value) && fabs(json_number_value(value)) <= STIMULUS_FIGURE_MAX)
			more[(*n)++] = json_number_value(value);
	return 0;
}

static int gather(const struct comparison *c, const char *arm, const json_t *row, double **values, size_t *n)
{
	const char *side = json_get_string(row, "window");
	int err = 0;

	for (size_t i = 0; i < c->runs; i++) {
		const json_t *item;
		size_t k;

		if (strcmp(c->run[i].arm, arm) != 0)
			continue;
		json_array_foreach (json_object_get(c->run[i].result, "stimulus_figures"), k, item)
			if (err == 0 && is_row_of(row, c->run[i].scenario, side, item))
				err = append(values_of(item, side), values, n);
	}
	return err;
}

static int add_arm(const struct comparison *c, const char *arm, json_t *row)
{
	_cleanup_free_ double *values = NULL;
	size_t n = 0;
	json_t *made;

	if (gather(c, arm, row, &values, &n) < 0)
		return -ENOMEM;
	if (!n)
		return 0;
	made = stimulus_figures_side(values, n);
	json_object_set_new(made, "arm", json_string(arm));
	return json_array_append_new(json_object_get(row, "arms"), made) < 0 ? -ENOMEM : 0;
}

int comparison_stimulus_json(const struct comparison *c, json_t **ret)
{
	_cleanup_json_ json_t *rows = json_array();
	int err = rows ? 0 : -ENOMEM;
	json_t *row;
	size_t i;

	*ret = NULL;
	for (i = 0; i < c->scenarios.count; i++)
		for (size_t k = 0; err == 0 && k < ARRAY_SIZE(sides); k++)
			err = add_rows(rows, c, c->scenarios.name[i], sides[k]);
	json_array_foreach (rows, i, row)
		for (size_t arm = 0; err == 0 && arm < c->arms.count; arm++)
			err = add_arm(c, c->arms.name[arm], row);
	if (err == 0 && json_array_size(rows))
		*ret = TAKE_PTR(rows);
	return err;
}
