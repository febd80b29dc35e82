// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/exact/exact_values.h"

#include <stdlib.h>

#include "common/json.h"

struct frequency {
	uint64_t value;
	uint64_t times;
};

static int by_value(const void *left, const void *right)
{
	const uint64_t *a = left;
	const uint64_t *b = right;

	return (*a > *b) - (*a < *b);
}

static int by_times(const void *left, const void *right)
{
	const struct frequency *a = left;
	const struct frequency *b = right;

	if (a->times != b->times)
		return a->times > b->times ? -1 : 1;
	return (a->value > b->value) - (a->value < b->value);
}

static size_t count_values(const uint64_t *value, size_t n, struct frequency *ret)
{
	size_t kinds = 0;

	for (size_t i = 0; i < n; i++) {
		if (!kinds || ret[kinds - 1].value != value[i])
			ret[kinds++] = (struct frequency){ .value = value[i] };
		ret[kinds - 1].times++;
	}
	return kinds;
}

static json_t *list(const struct frequency *frequency, size_t kinds)
{
	json_t *values = json_array();

	for (size_t i = 0; i < kinds && i < EXACT_VALUES_MAX; i++)
		json_array_append_new(
			values, json_pack("[I,I]", (json_int_t)frequency[i].value, (json_int_t)frequency[i].times));
	return values;
}

json_t *exact_values(uint64_t *value, size_t n)
{
	_cleanup_free_ struct frequency *frequency = calloc(n, sizeof(*frequency));
	size_t kinds;
	json_t *ret;

	if (!frequency)
		return NULL;
	qsort(value, n, sizeof(*value), by_value);
	kinds = count_values(value, n, frequency);
	qsort(frequency, kinds, sizeof(*frequency), by_times);
	ret = json_pack("{s:I,s:I,s:I,s:I,s:I,s:o}", "n", (json_int_t)n, "median", (json_int_t)value[(n - 1) / 2],
			"min", (json_int_t)value[0], "max", (json_int_t)value[n - 1], "distinct", (json_int_t)kinds,
			"values", list(frequency, kinds));
	if (ret && kinds > EXACT_VALUES_MAX)
		json_object_set_new(ret, "more", json_integer((json_int_t)(kinds - EXACT_VALUES_MAX)));
	return ret;
}
