// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "reports/exact/exact.h"
#include "reports/exact/exact_values.h"

static const char *const figures[] = { "total",	     "host", "guest",  "switches", "exit_path",
				       "entry_path", "rep",  "tracer", "slack" };

/* A number and how often it counts. */
struct weighted {
	uint64_t value;
	uint64_t times;
};

static int by_value(const void *left, const void *right)
{
	const struct weighted *a = left;
	const struct weighted *b = right;

	return (a->value > b->value) - (a->value < b->value);
}

static uint64_t median_of(struct weighted *item, size_t n)
{
	uint64_t all = 0;
	uint64_t below = 0;

	qsort(item, n, sizeof(*item), by_value);
	for (size_t i = 0; i < n; i++)
		all += item[i].times;
	for (size_t i = 0; i < n; i++) {
		below += item[i].times;
		if (below * 2 >= all)
			return item[i].value;
	}
	return 0;
}

/* Every value with its frequency while the lists are complete, else the medians of the runs. */
static size_t spread(const json_t *figure, struct weighted *ret)
{
	const json_t *values = json_object_get(figure, "values");
	size_t i;
	const json_t *value;

	if (!values || json_object_get(figure, "more") || json_array_size(values) > EXACT_VALUES_MAX) {
		ret[0] = (struct weighted){ json_get_u64(figure, "median"), json_get_u64(figure, "n") };
		return 1;
	}
	json_array_foreach (values, i, value)
		ret[i] = (struct weighted){ (uint64_t)json_integer_value(json_array_get(value, 0)),
					    (uint64_t)json_integer_value(json_array_get(value, 1)) };
	return json_array_size(values);
}

static size_t join_equal(struct weighted *item, size_t n)
{
	size_t kept = 0;

	qsort(item, n, sizeof(*item), by_value);
	for (size_t i = 0; i < n; i++) {
		if (kept && item[kept - 1].value == item[i].value)
			item[kept - 1].times += item[i].times;
		else
			item[kept++] = item[i];
	}
	return kept;
}

static int by_times(const void *left, const void *right)
{
	const struct weighted *a = left;
	const struct weighted *b = right;

	return a->times != b->times ? (a->times < b->times) - (a->times > b->times) : by_value(left, right);
}

static json_t *values_json(struct weighted *item, size_t n)
{
	json_t *ret = json_array();

	qsort(item, n, sizeof(*item), by_times);
	for (size_t i = 0; i < n && i < EXACT_VALUES_MAX; i++)
		json_array_append_new(ret, json_pack("[I,I]", (json_int_t)item[i].value, (json_int_t)item[i].times));
	return ret;
}

static json_t *merge_figure(const json_t *const *cause, size_t n, const char *name)
{
	_cleanup_free_ struct weighted *item = calloc(n * EXACT_VALUES_MAX + 1, sizeof(*item));
	uint64_t min = UINT64_MAX;
	uint64_t max = 0;
	uint64_t gaps = 0;
	size_t used = 0;
	json_t *ret;

	for (size_t i = 0; item && i < n; i++) {
		const json_t *figure = json_object_get(cause[i], name);

		if (!figure)
			continue;
		min = json_get_u64(figure, "min") < min ? json_get_u64(figure, "min") : min;
		max = json_get_u64(figure, "max") > max ? json_get_u64(figure, "max") : max;
		gaps += json_get_u64(figure, "n");
		used += spread(figure, item + used);
	}
	if (!used)
		return json_null();
	used = join_equal(item, used);
	ret = json_pack("{s:I,s:I,s:I,s:I,s:I}", "n", (json_int_t)gaps, "median", (json_int_t)median_of(item, used),
			"min", (json_int_t)min, "max", (json_int_t)max, "distinct", (json_int_t)used);
	if (used > EXACT_VALUES_MAX)
		json_object_set_new(ret, "more", json_integer((json_int_t)(used - EXACT_VALUES_MAX)));
	json_object_set_new(ret, "values", values_json(item, used));
	return ret;
}

/* A function of one run of the cause. */
struct part {
	const json_t *function;
	uint64_t gaps; /* of the run, with all steps */
};

static int by_place(const void *left, const void *right)
{
	const struct part *a = left;
	const struct part *b = right;

	return exact_order(a->function, b->function, EXACT_FUNCTION);
}

/* Runs that did not list the function executed none of it, or seldom. */
static json_t *merge_function(const struct part *part, size_t n, uint64_t all_gaps)
{
	_cleanup_free_ struct weighted *item = calloc(n + 1, sizeof(*item));
	uint64_t min = UINT64_MAX;
	uint64_t max = 0;
	uint64_t listed = 0;
	uint64_t present = 0;
	json_t *ret;

	for (size_t i = 0; item && i < n; i++) {
		const json_t *function = part[i].function;

		item[i] = (struct weighted){ json_get_u64(function, "median"), part[i].gaps };
		min = json_get_u64(function, "min") < min ? json_get_u64(function, "min") : min;
		max = json_get_u64(function, "max") > max ? json_get_u64(function, "max") : max;
		listed += part[i].gaps;
		present += json_get_u64(function, "gaps");
	}
	if (!item)
		return NULL;
	item[n] = (struct weighted){ 0, all_gaps - listed };
	ret = json_copy((json_t *)part[0].function);
	json_object_set_new(ret, "n", json_integer((json_int_t)all_gaps));
	json_object_set_new(ret, "gaps", json_integer((json_int_t)present));
	json_object_set_new(ret, "min", json_integer(listed < all_gaps ? 0 : (json_int_t)min));
	json_object_set_new(ret, "max", json_integer((json_int_t)max));
	json_object_set_new(ret, "median", json_integer((json_int_t)median_of(item, n + 1)));
	return ret;
}

static json_t *merge_functions(const json_t *const *cause, size_t n, uint64_t all_gaps)
{
	json_t *ret = json_array();
	size_t total = 0;
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		total += json_array_size(json_object_get(cause[i], "functions"));

	_cleanup_free_ struct part *part = calloc(total + 1, sizeof(*part));

	for (size_t i = 0; part && i < n; i++) {
		size_t j;
		const json_t *function;

		json_array_foreach (json_object_get(cause[i], "functions"), j, function)
			part[used++] = (struct part){ function, json_get_u64(cause[i], "whole") };
	}
	if (used)
		qsort(part, used, sizeof(*part), by_place);
	for (size_t i = 0, end; i < used; i = end) {
		for (end = i + 1; end < used && !by_place(&part[i], &part[end]); end++)
			;
		json_array_append_new(ret, merge_function(part + i, end - i, all_gaps));
	}
	return ret;
}

static uint64_t sum_of(const json_t *const *cause, size_t n, const char *key)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += json_get_u64(cause[i], key);
	return sum;
}

static json_t *merge_cause(const json_t *const *cause, size_t n)
{
	json_t *ret = json_pack("{s:s,s:I,s:I}", "cause", json_get_string(cause[0], "cause"), "gaps",
				(json_int_t)sum_of(cause, n, "gaps"), "whole", (json_int_t)sum_of(cause, n, "whole"));

	for (size_t i = 0; i < ARRAY_SIZE(figures); i++)
		json_object_set_new(ret, figures[i], merge_figure(cause, n, figures[i]));
	json_object_set_new(ret, "functions", merge_functions(cause, n, sum_of(cause, n, "whole")));
	json_object_set(ret, "paths", json_object_get(cause[0], "paths"));
	return ret;
}

/* The causes of run @from that no earlier run has, each merged over all runs. */
static void merge_new_causes(const json_t *const *exact, size_t n, size_t from, const json_t **cause, json_t *list)
{
	size_t i;
	const json_t *item;

	json_array_foreach (json_object_get(exact[from], "causes"), i, item) {
		const char *name = json_get_string(item, "cause");
		size_t found = 0;
		bool seen = false;

		for (size_t run = 0; run < n; run++) {
			const json_t *other = exact_find(exact[run], name);

			seen |= other && run < from;
			if (other)
				cause[found++] = other;
		}
		if (!seen)
			json_array_append_new(list, merge_cause(cause, found));
	}
}

int exact_merge(const json_t *const *exact, size_t n, json_t **ret)
{
	_cleanup_free_ const json_t **cause = calloc(n + 1, sizeof(*cause));
	json_t *causes = json_array();
	json_t *made = json_copy((json_t *)exact[0]);

	for (size_t i = 0; cause && i < n; i++)
		merge_new_causes(exact, n, i, cause, causes);
	if (!cause || !made || json_object_set_new(made, "causes", causes)) {
		json_decref(made);
		return -ENOMEM;
	}
	json_object_set_new(made, "runs", json_integer((json_int_t)n));
	*ret = made;
	return 0;
}

static json_t *figures_only(const json_t *cause)
{
	json_t *ret = cause ? json_copy((json_t *)cause) : json_null();

	json_object_del(ret, "functions");
	json_object_del(ret, "paths");
	json_object_del(ret, "cause");
	return ret;
}

json_t *exact_row(const json_t *native, const json_t *guest, const json_t *bare, const char *cause)
{
	const json_t *on_host = exact_find(native, cause);
	const json_t *in_guest = exact_find(guest, cause);
	const json_t *in_bare = exact_find(bare, cause);
	uint64_t from = json_get_u64(json_object_get(on_host, "total"), "median");
	uint64_t to = json_get_u64(json_object_get(in_guest, "total"), "median");

	if (!on_host && !in_guest && !in_bare)
		return json_null();
	return json_pack("{s:o,s:o,s:o,s:o}", "native", figures_only(on_host), "guest", figures_only(in_guest), "bare",
			 figures_only(in_bare), "amplification",
			 from && to ? json_real((double)to / (double)from) : json_null());
}
