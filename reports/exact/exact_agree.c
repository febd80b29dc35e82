// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/exact/exact_agree.h"

#include <inttypes.h>
#include <string.h>

#include "common/json.h"

#define MISSES_MAX 100

static bool is_work(const char *cause)
{
	return strstr(cause, "/kworker/") != NULL;
}

/* "host/kworker/unknown": the trace began while the work item was running. */
static bool is_nameless(const char *cause)
{
	return is_work(cause) && !strcmp(strrchr(cause, '/'), "/unknown");
}

static const char *root_name(const struct exact_agree *agree, const struct meter_gap *gap, size_t i)
{
	return names_text(agree->data->names, gap->root[i].cause);
}

static bool same_layer(const char *a, const char *b)
{
	return a[0] == b[0];
}

static bool meter_has(const struct exact_agree *agree, const struct meter_gap *gap, const char *cause)
{
	for (size_t i = 0; i < gap->roots; i++)
		if (!strcmp(root_name(agree, gap, i), cause))
			return true;
	return false;
}

static bool has_worker(const struct exact_agree *agree, const struct meter_gap *gap)
{
	for (size_t i = 0; i < gap->costs; i++)
		if (!strncmp(names_text(agree->data->names, gap->cost[i].context), "kworker", 7))
			return true;
	return false;
}

static bool trace_has(const json_t *timed, const char *cause)
{
	const json_t *root;
	size_t i;

	json_array_foreach (json_object_get(timed, "roots"), i, root) {
		const char *name = json_get_string(root, "cause");

		if (!strcmp(name, cause) || (is_nameless(name) && same_layer(name, cause)))
			return true;
	}
	return false;
}

static void count(struct exact_agree *agree, const char *cause, const char *column)
{
	json_t *hit = json_object_get(agree->hits, cause);

	if (!agree->hits)
		agree->hits = json_object();
	if (!hit) {
		hit = json_pack("{s:s,s:i,s:i,s:i}", "cause", cause, "both", 0, "trace_only", 0, "meter_only", 0);
		json_object_set_new(agree->hits, cause, hit);
	}
	json_object_set_new(hit, column, json_integer((json_int_t)json_get_u64(hit, column) + 1));
}

static void miss(struct exact_agree *agree, uint64_t turn, const char *cause, const char *seen_by, const char *why)
{
	count(agree, cause, !strcmp(seen_by, "trace") ? "trace_only" : "meter_only");
	if (!agree->misses)
		agree->misses = json_array();
	if (json_array_size(agree->misses) < MISSES_MAX)
		json_array_append_new(agree->misses, json_pack("{s:I,s:s,s:s,s:s}", "turn", (json_int_t)turn, "cause",
							       cause, "seen_by", seen_by, "why", why));
}

static const char *why_trace_only(const struct exact_agree *agree, const struct meter_gap *gap)
{
	if (gap->flags & METER_GAP_MIGRATED)
		return "the probe changed its CPU";
	if (gap->flags & METER_GAP_UNCOUNTED)
		return "the meter did not count yet";
	if (!(gap->flags & METER_GAP_BY_INSNS))
		return "fewer instructions lie between the turns than the meter keeps steps of";
	if (!gap->whole)
		return "steps of the gap were not kept";
	return has_worker(agree, gap) ? "a worker went on, but the work item began earlier"
				      : "no worker executed between the turns";
}

static void take_trace(struct exact_agree *agree, const struct meter_gap *gap, const json_t *timed)
{
	const json_t *root;
	size_t i;

	json_array_foreach (json_object_get(timed, "roots"), i, root) {
		const char *cause = json_get_string(root, "cause");

		if (!is_work(cause) || (is_nameless(cause) && has_worker(agree, gap)))
			continue;
		if (meter_has(agree, gap, cause))
			count(agree, cause, "both");
		else
			miss(agree, gap->turn, cause, "trace", why_trace_only(agree, gap));
	}
}

void exact_agree_joined(struct exact_agree *agree, const struct meter_gap *gap, const json_t *timed)
{
	bool lost = json_is_true(json_object_get(timed, "lost"));

	take_trace(agree, gap, timed);
	for (size_t i = 0; i < gap->roots; i++) {
		const char *cause = root_name(agree, gap, i);

		if (is_work(cause) && !trace_has(timed, cause))
			miss(agree, gap->turn, cause, "meter",
			     lost ? "events of the trace were lost there"
				  : "its events lie outside the gap on the clock");
	}
}

void exact_agree_unseen(struct exact_agree *agree, const struct meter_gap *gap)
{
	for (size_t i = 0; i < gap->roots; i++)
		if (is_work(root_name(agree, gap, i)))
			miss(agree, gap->turn, root_name(agree, gap, i), "meter",
			     "shorter than the probe's threshold of time");
}

void exact_agree_unmetered(struct exact_agree *agree, const json_t *timed)
{
	const json_t *root;
	size_t i;

	json_array_foreach (json_object_get(timed, "roots"), i, root)
		if (is_work(json_get_string(root, "cause")))
			miss(agree, json_get_u64(timed, "turn"), json_get_string(root, "cause"), "trace",
			     "the meter has no record of the gap");
}

void exact_print_agreement(FILE *out, const json_t *exact)
{
	const json_t *hits = json_object_get(exact, "hits");
	const json_t *item;
	size_t i;

	if (!json_array_size(hits))
		return;
	fprintf(out, "%-42s %8s %12s %12s\n", "work items in gaps, seen by", "both", "trace only", "meter only");
	json_array_foreach (hits, i, item)
		fprintf(out, "%-42.42s %8" PRIu64 " %12" PRIu64 " %12" PRIu64 "\n", json_get_string(item, "cause"),
			json_get_u64(item, "both"), json_get_u64(item, "trace_only"), json_get_u64(item, "meter_only"));
	json_array_foreach (json_object_get(exact, "misses"), i, item)
		fprintf(out, "  only the %s has %s, turn %" PRIu64 ": %s\n", json_get_string(item, "seen_by"),
			json_get_string(item, "cause"), json_get_u64(item, "turn"), json_get_string(item, "why"));
}
