// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "common/json.h"
#include "reports/exact/exact.h"

#define FUNCTIONS_SHOWN 5

static void print_functions(FILE *out, const json_t *context, const char *state)
{
	unsigned int shown = 0;
	size_t i;
	const json_t *function;

	json_array_foreach (json_object_get(context, "functions"), i, function) {
		if (strcmp(json_get_string(function, "state"), state) != 0 || shown == FUNCTIONS_SHOWN)
			continue;
		fprintf(out, "%s%s %+lld", shown++ ? ", " : " (", json_get_string(function, "function"),
			(long long)json_integer_value(json_object_get(function, "delta")));
	}
	if (shown)
		fputc(')', out);
}

static void print_contexts(FILE *out, const json_t *cause)
{
	size_t i;
	const json_t *context;

	json_array_foreach (json_object_get(cause, "contexts"), i, context) {
		long long delta = json_integer_value(json_object_get(context, "delta"));

		if (!delta)
			continue;
		fprintf(out, "    %s;%s: %+lld", json_get_string(context, "layer"), json_get_string(context, "context"),
			delta);
		print_functions(out, context, "changed");
		fputc('\n', out);
	}
}

static void print_difference(FILE *out, const json_t *cause)
{
	const json_t *total = json_object_get(cause, "total");
	const char *state = json_get_string(cause, "state");
	uint64_t from = json_get_u64(total, "from");
	uint64_t to = json_get_u64(total, "to");

	fprintf(out, "  %s: ", json_get_string(cause, "cause"));
	if (!strcmp(state, "gone")) {
		fprintf(out, "%llu -> gone\n", (unsigned long long)from);
		return;
	}
	if (!strcmp(state, "new")) {
		fprintf(out, "new, %llu\n", (unsigned long long)to);
		return;
	}
	fprintf(out, "%llu -> %llu (%+lld), %s\n", (unsigned long long)from, (unsigned long long)to,
		(long long)(to - from), strcmp(state, "changed") ? "no function for certain" : "changed:");
	print_contexts(out, cause);
}

void exact_print_comparison(FILE *out, const json_t *comparison, const char *arm, const char *against)
{
	size_t i;
	const json_t *cause;

	fprintf(out, "instructions, %s against %s (medians):\n", arm, against);
	json_array_foreach (comparison, i, cause)
		print_difference(out, cause);
}
