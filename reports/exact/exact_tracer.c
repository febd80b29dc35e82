// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/exact/exact_tracer.h"

#include <inttypes.h>

#include "common/json.h"
#include "reports/exact/exact.h"

static json_t *causes_of(const json_t *traced, const json_t *untraced)
{
	json_t *list = json_array();
	const json_t *cause;
	size_t i;

	json_array_foreach (json_object_get(traced, "causes"), i, cause) {
		const char *name = json_get_string(cause, "cause");
		const json_t *other = exact_find(untraced, name);

		if (other)
			json_array_append_new(list, json_pack("{s:s,s:O,s:O,s:O}", "cause", name, "traced",
							      json_object_get(cause, "total"), "tracer",
							      json_object_get(cause, "tracer"), "untraced",
							      json_object_get(other, "total")));
	}
	return list;
}

json_t *exact_tracer(const struct exact_groups *groups)
{
	json_t *list = json_array();

	for (size_t i = 0; i < groups->count; i++) {
		const struct exact_group *group = &groups->item[i];
		const struct exact_group *other =
			group->traced ? exact_groups_find(groups, group->scenario, group->guest, group->arm, false)
				      : NULL;

		if (other)
			json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:o}", "scenario", group->scenario, "guest",
							      group->guest, "arm", group->arm, "causes",
							      causes_of(group->exact, other->exact)));
	}
	return list;
}

static void print_cause(FILE *out, const json_t *cause)
{
	const json_t *traced = json_object_get(cause, "traced");
	const json_t *untraced = json_object_get(cause, "untraced");
	uint64_t with = json_get_u64(traced, "median");
	uint64_t tracer = json_get_u64(json_object_get(cause, "tracer"), "median");
	uint64_t without = json_get_u64(untraced, "median");

	fprintf(out,
		"  %-30.30s %4" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %7" PRIu64 " %9" PRIu64 " %+8" PRId64
		"\n",
		json_get_string(cause, "cause"), json_get_u64(traced, "n"), with, tracer, with - tracer,
		json_get_u64(untraced, "n"), without, (int64_t)(with - tracer - without));
}

void exact_print_tracer(FILE *out, const json_t *tracer)
{
	const json_t *arm;
	const json_t *cause;
	size_t i;
	size_t k;

	json_array_foreach (tracer, i, arm) {
		fprintf(out,
			"\n%s, guest %s, %s: gaps with and without a trace, medians of instructions\n"
			"  %-30s %4s %9s %9s %9s %7s %9s %8s\n",
			json_get_string(arm, "scenario"), json_get_string(arm, "guest"), json_get_string(arm, "arm"),
			"", "gaps", "traced", "tracer", "rest", "no trace", "", "left");
		json_array_foreach (json_object_get(arm, "causes"), k, cause)
			print_cause(out, cause);
	}
}
