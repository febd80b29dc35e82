// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "common/json.h"
#include "reports/exact/exact.h"

#define VALUES_SHOWN 4
#define FUNCTIONS_SHOWN 5

/* "4193 (4010..4235)", or one number when all are the same. */
static void print_range(FILE *out, const json_t *figure, int width)
{
	char text[64];
	uint64_t min = json_get_u64(figure, "min");
	uint64_t max = json_get_u64(figure, "max");

	if (min == max)
		snprintf(text, sizeof(text), "%llu", (unsigned long long)max);
	else
		snprintf(text, sizeof(text), "%llu (%llu..%llu)", (unsigned long long)json_get_u64(figure, "median"),
			 (unsigned long long)min, (unsigned long long)max);
	fprintf(out, " %*s", width, text);
}

/* "2446 x5, 2459 x3": the values that occurred most often. */
static void print_values(FILE *out, const json_t *figure)
{
	size_t i;
	const json_t *value;

	json_array_foreach (json_object_get(figure, "values"), i, value) {
		if (i == VALUES_SHOWN) {
			fprintf(out, ", ...");
			break;
		}
		fprintf(out, "%s%lld x%lld", i ? ", " : "", (long long)json_integer_value(json_array_get(value, 0)),
			(long long)json_integer_value(json_array_get(value, 1)));
	}
}

static void print_paths(FILE *out, const json_t *cause)
{
	size_t i;
	const json_t *path;

	json_array_foreach (json_object_get(cause, "paths"), i, path) {
		fprintf(out, "    path %.8s  %3llu gaps  host ", json_get_string(path, "path"),
			(unsigned long long)json_get_u64(path, "gaps"));
		print_values(out, json_object_get(path, "host"));
		if (json_get_u64(json_object_get(path, "guest"), "max")) {
			fprintf(out, "  guest ");
			print_values(out, json_object_get(path, "guest"));
		}
		fputc('\n', out);
	}
}

static void print_cause(FILE *out, const json_t *cause, bool paths)
{
	const json_t *host = json_object_get(cause, "host");
	uint64_t total = json_get_u64(json_object_get(cause, "total"), "median");
	uint64_t tracer = json_get_u64(json_object_get(cause, "tracer"), "median");

	fprintf(out, "%-36.36s %4llu", json_get_string(cause, "cause"),
		(unsigned long long)json_get_u64(cause, "gaps"));
	print_range(out, host, 24);
	print_range(out, json_object_get(cause, "guest"), 20);
	print_range(out, json_object_get(cause, "switches"), 8);
	fprintf(out, " %5.1f%%\n", total ? 100.0 * (double)tracer / (double)total : 0);
	if (paths)
		print_paths(out, cause);
}

void exact_print(FILE *out, const json_t *exact, bool paths)
{
	const json_t *join = json_object_get(exact, "join");
	size_t i;
	const json_t *cause;

	fprintf(out, "%-36s %4s %24s %20s %8s %6s\n", "instructions per gap: median (range)", "gaps", "host", "guest",
		"switches", "tracer");
	json_array_foreach (json_object_get(exact, "causes"), i, cause)
		print_cause(out, cause, paths);
	fprintf(out,
		"A turn of the probe is %llu instructions and is in each figure. %llu gaps by time had no others: "
		"noise of "
		"this machine.\n",
		(unsigned long long)json_get_u64(exact, "turn_insns"), (unsigned long long)json_get_u64(join, "noise"));
}

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
		(long long)(to - from), strcmp(state, "changed") ? "no function changed for certain" : "changed:");
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
