// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/writers/bound.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "reports/statistics.h"

int bound_parse(const char *text, struct bound *ret, struct err *err)
{
	static const struct {
		const char *name;
		double seconds;
	} unit[] = { { "s", 1 }, { "min", 60 }, { "h", 3600 }, { "d", 86400 } };
	char *end;
	double rate = strtod(text, &end);

	for (size_t i = 0; i < ARRAY_SIZE(unit); i++) {
		if (*end != '/' || strcmp(end + 1, unit[i].name) != 0 || !isfinite(rate) || rate <= 0)
			continue;
		*ret = (struct bound){ rate, unit[i].seconds, unit[i].name };
		return 0;
	}
	return err_set(err, -EINVAL, "'%s' is no rate above 0 with the unit /s, /min, /h or /d, as in 0.1/h", text);
}

/* Rounded up where it is a time to be kept, not one that was. */
static char *format_time(double seconds, bool up)
{
	if (seconds >= 2 * 86400)
		return str_printf("%.1f d", seconds / 86400);
	if (seconds >= 2 * 3600)
		return str_printf("%.1f h", seconds / 3600);
	if (seconds >= 600)
		return str_printf("%.0f min", seconds / 60);
	return str_printf("%.0f s", up ? ceil(seconds) : seconds);
}

/* What there was of one cause on one arm, in one kind of run. */
struct seen {
	unsigned int events;
	double exposure_s;
	double run_s;	/* armed windows of one run */
	double cluster; /* index of dispersion, at least 1 */
	double upper;	/* what is shown, events per second */
};

static struct seen seen_of(const json_t *side)
{
	double runs = (double)json_get_u64(side, "runs");
	struct seen seen = {
		.events = (unsigned int)json_get_u64(side, "count"),
		.exposure_s = json_number_value(json_object_get(side, "exposure_s")),
		.cluster = json_number_value(json_object_get(json_object_get(side, "clustering"), "index")),
	};

	seen.cluster = fmax(seen.cluster, 1);
	seen.run_s = seen.exposure_s / fmax(runs, 1);
	if (seen.exposure_s > 0)
		seen.upper = stat_poisson_upper((unsigned int)ceil(seen.events / seen.cluster),
						seen.exposure_s / seen.cluster, STAT_CONFIDENCE);
	return seen;
}

static char *format_needed(const struct seen *seen, const struct bound *bound)
{
	double limit = bound->rate / bound->unit_s;
	double rate = seen->events / seen->exposure_s / seen->cluster;
	double needed = seen->cluster * stat_exposure_at_rate(limit, rate, STAT_CONFIDENCE);
	double runs = ceil(needed / seen->run_s);
	_cleanup_free_ char *time = NULL;

	if (seen->upper <= limit)
		return strdup("shown");
	if (!isfinite(needed))
		return strdup("none: seen about as often, or more");
	time = format_time(needed, true);
	return time ? str_printf("%s%s, %.0f such run%s", time, seen->events ? " at this rate" : "", runs,
				 runs > 1 ? "s" : "")
		    : NULL;
}

static void print_side(FILE *out, const json_t *row, const char *kind, const struct bound *bound)
{
	const json_t *side = json_object_get(row, kind);
	struct seen seen = seen_of(side);
	double upper = seen.upper * bound->unit_s;
	double digits = upper >= 100 ? 1 : 100; /* to round an upper bound up */
	_cleanup_free_ char *needed = NULL;
	_cleanup_free_ char *time = NULL;
	_cleanup_free_ char *were = NULL;
	_cleanup_free_ char *shown = NULL;

	if (!json_is_object(side) || seen.exposure_s <= 0)
		return;
	needed = format_needed(&seen, bound);
	time = format_time(seen.exposure_s, false);
	were = str_printf("%u in %s%s", seen.events, time ? time : "", seen.cluster > 1.05 ? "*" : "");
	shown = str_printf("< %.*f per %s", upper >= 100 ? 0 : 2, ceil(upper * digits) / digits, bound->unit);
	if (needed && were && shown)
		fprintf(out, "  %-21.21s %-6s %-16s %-16s %s\n", json_get_string(row, "arm"), kind, were, shown,
			needed);
}

/* What is no cause, as unexplained time, is not counted. */
static bool is_shown(const json_t *row, bool all_causes)
{
	return json_is_true(json_object_get(row, "provoked")) ||
	       (all_causes && strchr(json_get_string(row, "cause"), '/'));
}

void bound_print(FILE *out, const json_t *comparison, const struct bound *bound, bool all_causes)
{
	static const char *const kinds[] = { "native", "guest", "bare" };
	double without = stat_exposure_needed(bound->rate / bound->unit_s, 0, STAT_CONFIDENCE);
	_cleanup_free_ char *time = format_time(without, true);
	const char *last[2] = { "", "" };
	json_t *row;
	size_t i;

	fprintf(out, "\nless than %g per %s, at 95%%: %s of armed windows without a hit; *: in clusters, so longer\n",
		bound->rate, bound->unit, time ? time : "");
	fprintf(out, "  %-21s %-6s %-16s %-16s %s\n", "arm", "in", "seen", "shows", "wants in all");
	json_array_foreach (json_object_get(comparison, "rows"), i, row) {
		const char *scenario = json_get_string(row, "scenario");
		const char *cause = json_get_string(row, "cause");

		if (!is_shown(row, all_causes))
			continue;
		if (strcmp(scenario, last[0]) != 0 || strcmp(cause, last[1]) != 0)
			fprintf(out, "%.24s  %.70s\n", scenario, cause);
		last[0] = scenario;
		last[1] = cause;
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
			print_side(out, row, kinds[k], bound);
	}
}
