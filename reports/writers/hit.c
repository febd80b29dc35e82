// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/writers/hit.h"

#include <string.h>

#include "common/json.h"

static const json_t *example_of_gap(const json_t *result, uint64_t id)
{
	const char *cause;
	json_t *example;

	json_object_foreach (json_object_get(result, "examples"), cause, example)
		if (json_is_integer(json_object_get(example, "gap")) && json_get_u64(example, "gap") == id)
			return example;
	example = json_object_get(result, "example");
	if (json_is_integer(json_object_get(example, "gap")) && json_get_u64(example, "gap") == id)
		return example;
	return NULL;
}

bool hit_by_id(const json_t *result, uint64_t id, struct hit *ret)
{
	json_t *gap;
	size_t i;

	json_array_foreach (json_object_get(result, "gaps"), i, gap) {
		const json_t *course = json_object_get(gap, "segments") ? gap : NULL;

		if (!json_is_integer(json_object_get(gap, "id")) || json_get_u64(gap, "id") != id)
			continue;
		if (!course)
			course = example_of_gap(result, id);
		*ret = (struct hit){
			.result = result,
			.gap = gap,
			.segments = json_object_get(course, "segments"),
			.events = json_object_get(course, "events"),
		};
		return true;
	}
	return false;
}

bool hit_typical(const json_t *result, const char *cause, struct hit *ret)
{
	const json_t *provokes = json_object_get(json_object_get(result, "scenario"), "provokes");
	const json_t *examples = json_object_get(result, "examples");
	const json_t *example = NULL;
	json_t *provoked;
	size_t i;

	if (cause)
		example = json_object_get(examples, cause);
	else
		json_array_foreach (provokes, i, provoked)
			if (!example && json_is_string(provoked))
				example = json_object_get(examples, json_string_value(provoked));
	if (!json_is_integer(json_object_get(example, "gap")))
		return false;
	return hit_by_id(result, json_get_u64(example, "gap"), ret);
}

bool hit_in_guest(const struct hit *hit)
{
	return strcmp(json_get_string(hit->result, "guest"), "none") != 0;
}
