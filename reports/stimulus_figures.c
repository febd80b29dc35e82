// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/stimulus_figures.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "reports/statistics.h"

#define SEPARATORS ",;"
#define MAX_FIGURES 64 /* of one run */
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define NAME_CHARS LETTERS "0123456789 _-"

bool stimulus_figure_is_word(const char *text)
{
	return *text && strchr(LETTERS, *text) && strspn(text, NAME_CHARS) == strlen(text) &&
	       strlen(text) < STIMULUS_FIGURE_NAME_BYTES;
}

static bool parse_number(const char *text, const char **ret_end, json_int_t *ret)
{
	char *end;
	long long value;

	if (!strchr("-0123456789", *text) || !*text)
		return false;
	value = strtoll(text, &end, 10);
	*ret_end = end;
	*ret = value;
	return end != text && value >= -STIMULUS_FIGURE_MAX && value <= STIMULUS_FIGURE_MAX;
}

/* NAME=NUMBER UNIT and nothing else. */
static bool parse_item(const char *item, struct stimulus_figure *ret)
{
	const char *equals = strchr(item, '=');
	struct stimulus_figure f = { .value = 0 };
	const char *unit;

	if (!equals || equals == item || (size_t)(equals - item) >= sizeof(f.name))
		return false;
	memcpy(f.name, item, (size_t)(equals - item));
	if (!stimulus_figure_is_word(f.name) || !parse_number(equals + 1, &unit, &f.value) || *unit++ != ' ')
		return false;
	if (!*unit || strspn(unit, LETTERS) != strlen(unit) || strlen(unit) >= sizeof(f.unit))
		return false;
	memcpy(f.unit, unit, strlen(unit) + 1);
	*ret = f;
	return true;
}

bool stimulus_figure_next(const char **at, struct stimulus_figure *ret)
{
	while (**at) {
		char item[STIMULUS_FIGURE_NAME_BYTES + STIMULUS_FIGURE_UNIT_BYTES + 32];
		const char *begin = *at + strspn(*at, SEPARATORS " ");
		const size_t len = strcspn(begin, SEPARATORS);

		*at = begin + len;
		if (len >= sizeof(item))
			continue;
		memcpy(item, begin, len);
		item[len] = '\0';
		if (parse_item(item, ret))
			return true;
	}
	return false;
}

json_t *stimulus_figures_side(double *values, size_t n)
{
	stat_sort(values, n);
	return json_pack("{s:I, s:I, s:I, s:I}", "n", (json_int_t)n, "min", (json_int_t)values[0], "median",
			 (json_int_t)values[(n - 1) / 2], "max", (json_int_t)values[n - 1]);
}

static json_t *find(const json_t *figures, const char *kind, const struct stimulus_figure *figure)
{
	json_t *item;
	size_t i;

	json_array_foreach (figures, i, item)
		if (strcmp(json_get_string(item, "kind"), kind) == 0 &&
		    strcmp(json_get_string(item, "figure"), figure->name) == 0 &&
		    strcmp(json_get_string(item, "unit"), figure->unit) == 0)
			return item;
	return NULL;
}

static json_t *find_or_add(json_t *figures, const char *kind, const struct stimulus_figure *figure)
{
	json_t *item = find(figures, kind, figure);

	if (item || json_array_size(figures) >= MAX_FIGURES)
		return item;
	json_array_append_new(figures, json_pack("{s:s, s:s, s:s, s:n, s:n}", "kind", kind, "figure", figure->name,
						 "unit", figure->unit, "armed", "control"));
	return find(figures, kind, figure);
}

/* A side is the list of its values until all actions are read. */
static void add_value(json_t *item, const char *side, json_int_t value)
{
	if (json_is_null(json_object_get(item, side)))
		json_object_set_new(item, side, json_array());
	json_array_append_new(json_object_get(item, side), json_integer(value));
}

static bool is_time(const struct stimulus_figure *figure)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strcmp(figure->unit, units[i]) == 0)
			return true;
	return false;
}

static void add_action(json_t *figures, const struct bundle *b, const struct bundle_action *action, bool with_times)
{
	const enum bundle_state state = bundle_window_state(b, action->window);
	const char *at = action->detail;
	struct stimulus_figure figure;

	if ((state != BUNDLE_ARMED && state != BUNDLE_CONTROL) || !stimulus_figure_is_word(action->kind))
		return;
	while (stimulus_figure_next(&at, &figure))
		if (with_times || !is_time(&figure))
			add_value(find_or_add(figures, action->kind, &figure), bundle_state_name(state), figure.value);
}

static int summarise(json_t *item, const char *side)
{
	json_t *list = json_object_get(item, side);
	const size_t n = json_array_size(list);
	_cleanup_free_ double *values = calloc(n + 1, sizeof(*values));
	json_t *summary;

	if (!n || !values)
		return n ? -ENOMEM : 0;
	for (size_t i = 0; i < n; i++)
		values[i] = json_number_value(json_array_get(list, i));
	summary = stimulus_figures_side(values, n);
	json_object_set(summary, "values", list);
	return json_object_set_new(item, side, summary) < 0 ? -ENOMEM : 0;
}

json_t *stimulus_figures_json(const struct bundle *bundle, bool with_times)
{
	_cleanup_json_ json_t *figures = json_array();
	json_t *item;
	size_t i;

	for (i = 0; i < bundle->n_actions; i++)
		add_action(figures, bundle, &bundle->actions[i], with_times);
	json_array_foreach (figures, i, item)
		if (summarise(item, "armed") < 0 || summarise(item, "control") < 0)
			return NULL;
	return json_array_size(figures) ? TAKE_PTR(figures) : NULL;
}
