// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/exact/exact.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fs.h"
#include "common/json.h"
#include "common/marks.h"
#include "reports/exact/exact_agree.h"
#include "reports/exact/exact_calibrate.h"
#include "reports/exact/exact_faults.h"
#include "reports/exact/exact_values.h"
#include "reports/exact/meter_cost.h"

#define RARE 4 /* functions in less than a fourth of a cause's gaps are not listed: no comparison could claim them */

/* A gap of the result, by the turn that ended it. */
struct timed {
	uint64_t turn;
	const json_t *gap;
	bool metered; /* the meter has it too */
};

/* A gap that counts for one cause. */
struct hit {
	const struct meter_gap *gap;
	const char *cause; /* borrowed from the result or the names */
	uint64_t len_ns;   /* 0: the clock did not see it */
};

struct tally {
	uint64_t joined;     /* in both */
	uint64_t meter_only; /* long enough in instructions, not in time */
	uint64_t noise;	     /* long in time, but the emulated host executed nothing else */
	uint64_t time_only;  /* no record of the meter at all */
	uint64_t migrated;
	uint64_t uncounted; /* from before the meter counted */
	uint64_t several;   /* of more than one cause */
	uint64_t disagree;  /* the trace names a work item that did not execute */
};

struct exact {
	const struct meter_data *data;
	const json_t *result;
	bool traced; /* the result's causes are those of a trace, not the meter's own */
	struct timed *timed;
	size_t n_timed;
	struct hit *hit; /* by cause, then by turn */
	size_t hits;
	struct tally tally;
	struct exact_agree agree;
};

static int by_turn(const void *left, const void *right)
{
	const struct timed *a = left;
	const struct timed *b = right;

	return (a->turn > b->turn) - (a->turn < b->turn);
}

static int by_cause(const void *left, const void *right)
{
	const struct hit *a = left;
	const struct hit *b = right;
	int order = strcmp(a->cause, b->cause);

	return order ? order : (a->gap->turn > b->gap->turn) - (a->gap->turn < b->gap->turn);
}

static int index_result(struct exact *exact)
{
	const json_t *gaps = json_object_get(exact->result, "gaps");
	size_t n = json_array_size(gaps);

	exact->timed = calloc(n + 1, sizeof(*exact->timed));
	if (!exact->timed)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const json_t *gap = json_array_get(gaps, i);

		exact->timed[i] = (struct timed){ .turn = json_get_u64(gap, "turn"), .gap = gap };
	}
	exact->n_timed = n;
	qsort(exact->timed, n, sizeof(*exact->timed), by_turn);
	return 0;
}

static struct timed *find_timed(const struct exact *exact, uint64_t turn)
{
	const struct timed key = { .turn = turn };

	return bsearch(&key, exact->timed, exact->n_timed, sizeof(key), by_turn);
}

/* Was a window of the given kind open at a turn? Only the meter knows for gaps that the clock did not see. */
static bool in_window(const struct meter_data *data, uint32_t code, uint64_t turn)
{
	bool open = false;

	for (size_t i = 0; i < data->marks && data->mark[i].probe_turn < turn; i++) {
		uint32_t mark = data->mark[i].code;

		if (mark == MARK_ARMED || mark == MARK_CONTROL || mark == MARK_WINDOW_END)
			open = mark == code;
	}
	return open;
}

static const char *only_root(const struct exact *exact, const struct meter_gap *gap)
{
	return gap->roots == 1 && gap->root[0].count == 1 ? names_text(exact->data->names, gap->root[0].cause) : NULL;
}

static bool has_root(const struct exact *exact, const struct meter_gap *gap, const char *cause)
{
	for (size_t i = 0; i < gap->roots; i++) {
		if (!strcmp(names_text(exact->data->names, gap->root[i].cause), cause))
			return true;
	}
	return false;
}

static bool is_work(const char *cause)
{
	return strstr(cause, "/kworker/") != NULL;
}

static const char *cause_of_joined(struct exact *exact, const struct meter_gap *gap, const json_t *timed)
{
	const char *cause = json_get_string(timed, "cause");

	if (strcmp(json_get_string(timed, "window"), "armed") != 0)
		return NULL;
	if (!strcmp(cause, "unexplained") || !strcmp(cause, "below-host"))
		return only_root(exact, gap);
	if (!json_is_true(json_object_get(timed, "single"))) {
		exact->tally.several++;
		return NULL;
	}
	if (is_work(cause) && gap->whole && !has_root(exact, gap, cause)) {
		exact->tally.disagree++;
		return NULL;
	}
	return cause;
}

static const char *cause_of_unseen(struct exact *exact, const struct meter_gap *gap)
{
	const char *cause = only_root(exact, gap);

	exact->tally.meter_only += exact->result != NULL;
	if (exact->result && !in_window(exact->data, MARK_ARMED, gap->turn))
		return NULL;
	if (!cause && gap->roots)
		exact->tally.several++;
	return cause;
}

static void take_gap(struct exact *exact, const struct meter_gap *gap)
{
	struct timed *timed = find_timed(exact, gap->turn);
	const char *cause;

	exact->tally.migrated += (gap->flags & METER_GAP_MIGRATED) != 0;
	exact->tally.uncounted += (gap->flags & METER_GAP_UNCOUNTED) != 0;
	exact->tally.joined += timed != NULL;
	if (timed)
		timed->metered = true;
	if (timed && exact->traced)
		exact_agree_joined(&exact->agree, gap, timed->gap);
	else if (exact->traced)
		exact_agree_unseen(&exact->agree, gap);
	if (!(gap->flags & METER_GAP_BY_INSNS)) {
		exact->tally.noise += timed != NULL && !(gap->flags & METER_GAP_UNCOUNTED);
		return;
	}
	cause = timed ? cause_of_joined(exact, gap, timed->gap) : cause_of_unseen(exact, gap);
	if (cause)
		exact->hit[exact->hits++] = (struct hit){ .gap = gap,
							  .cause = cause,
							  .len_ns = timed ? json_get_u64(timed->gap, "len_ns") : 0 };
}

static int collect(struct exact *exact)
{
	int rc = index_result(exact);

	exact->hit = calloc(exact->data->gaps + 1, sizeof(*exact->hit));
	exact->agree.data = exact->data;
	if (rc || !exact->hit)
		return -ENOMEM;
	for (size_t i = 0; i < exact->data->gaps; i++)
		take_gap(exact, &exact->data->gap[i]);
	for (size_t i = 0; i < exact->n_timed; i++) {
		exact->tally.time_only += !exact->timed[i].metered;
		if (exact->traced && !exact->timed[i].metered)
			exact_agree_unmetered(&exact->agree, exact->timed[i].gap);
	}
	qsort(exact->hit, exact->hits, sizeof(*exact->hit), by_cause);
	return 0;
}

enum figure {
	FIGURE_TOTAL,
	FIGURE_HOST,
	FIGURE_GUEST,
	FIGURE_SWITCHES,
	FIGURE_EXIT,
	FIGURE_ENTRY,
	FIGURE_REP,
	FIGURE_TRACER,
	FIGURE_SLACK,
	FIGURE_MAX
};

static const char *const figure_name[FIGURE_MAX] = { "total",	   "host", "guest",  "switches", "exit_path",
						     "entry_path", "rep",  "tracer", "slack" };

static uint64_t figure_of(const struct meter_gap *gap, enum figure figure)
{
	switch (figure) {
	case FIGURE_TOTAL:
		return gap->insns[METER_HOST] + gap->insns[METER_GUEST];
	case FIGURE_HOST:
		return gap->insns[METER_HOST];
	case FIGURE_GUEST:
		return gap->insns[METER_GUEST];
	case FIGURE_SWITCHES:
		return gap->exits;
	case FIGURE_EXIT:
		return gap->exit_insns;
	case FIGURE_ENTRY:
		return gap->entry_insns;
	case FIGURE_REP:
		return gap->rep[METER_HOST] + gap->rep[METER_GUEST];
	case FIGURE_TRACER:
		return gap->tracer[METER_HOST] + gap->tracer[METER_GUEST];
	case FIGURE_SLACK:
		return gap->slack;
	case FIGURE_MAX:
		break;
	}
	return 0;
}

static json_t *values_of(const struct hit *hit, size_t n, enum figure figure)
{
	_cleanup_free_ uint64_t *value = calloc(n, sizeof(*value));

	for (size_t i = 0; value && i < n; i++)
		value[i] = figure_of(hit[i].gap, figure);
	return value ? exact_values(value, n) : NULL;
}

/* Of gaps that the clock saw; null when it saw none. */
static json_t *lengths_of(const struct hit *hit, size_t n)
{
	_cleanup_free_ uint64_t *value = calloc(n, sizeof(*value));
	size_t used = 0;

	for (size_t i = 0; value && i < n; i++)
		if (hit[i].len_ns)
			value[used++] = hit[i].len_ns;
	return used ? exact_values(value, used) : json_null();
}

static int by_path(const void *left, const void *right)
{
	const struct hit *a = left;
	const struct hit *b = right;

	return (a->gap->path > b->gap->path) - (a->gap->path < b->gap->path);
}

static int by_gaps(const void *left, const void *right)
{
	const json_t *const *a = left;
	const json_t *const *b = right;
	uint64_t x = json_get_u64(*a, "gaps");
	uint64_t y = json_get_u64(*b, "gaps");

	return (x < y) - (x > y);
}

/* A JSON array sorted by how many gaps its objects have; takes the array over. */
static json_t *most_first(json_t *array)
{
	size_t n = json_array_size(array);
	_cleanup_free_ json_t **item = calloc(n + 1, sizeof(json_t *));
	json_t *sorted = json_array();

	for (size_t i = 0; item && i < n; i++)
		item[i] = json_array_get(array, i);
	if (item)
		qsort(item, n, sizeof(json_t *), by_gaps);
	for (size_t i = 0; item && i < n; i++)
		json_array_append(sorted, item[i]);
	json_decref(array);
	return sorted;
}

static json_t *paths_of(struct hit *hit, size_t n)
{
	json_t *paths = json_array();

	qsort(hit, n, sizeof(*hit), by_path);
	for (size_t i = 0, end; i < n; i = end) {
		char path[17];

		for (end = i + 1; end < n && hit[end].gap->path == hit[i].gap->path; end++)
			;
		snprintf(path, sizeof(path), "%016llx", (unsigned long long)hit[i].gap->path);
		json_array_append_new(paths,
				      json_pack("{s:s,s:I,s:o,s:o,s:o,s:o}", "path", path, "gaps",
						(json_int_t)(end - i), "host", values_of(hit + i, end - i, FIGURE_HOST),
						"guest", values_of(hit + i, end - i, FIGURE_GUEST), "total",
						values_of(hit + i, end - i, FIGURE_TOTAL), "len_ns",
						lengths_of(hit + i, end - i)));
	}
	return most_first(paths);
}

/* Functions of the cause's gaps; a gap that did not enter one executed 0 of it, "least" is that of those that did. */
static json_t *function_of(const struct exact *exact, const struct meter_cost *cost, size_t present, size_t gaps)
{
	_cleanup_free_ uint64_t *value = calloc(gaps, sizeof(*value));
	const struct names *names = exact->data->names;
	uint64_t least = UINT64_MAX;
	json_t *ret;

	for (size_t i = 0; value && i < present; i++) {
		value[i] = cost[i].insns;
		least = value[i] < least ? value[i] : least;
	}
	ret = value ? exact_values(value, gaps) : NULL;
	if (ret) {
		json_object_del(ret, "values");
		json_object_set_new(ret, "layer", json_string(cost->layer == METER_HOST ? "host" : "guest"));
		json_object_set_new(ret, "context", json_string(names_text(names, cost->context)));
		json_object_set_new(ret, "function", json_string(names_text(names, cost->function)));
		json_object_set_new(ret, "gaps", json_integer((json_int_t)present));
		json_object_set_new(ret, "least", json_integer((json_int_t)least));
	}
	return ret;
}

static json_t *functions_of(const struct exact *exact, const struct hit *hit, size_t n)
{
	json_t *functions = json_array();
	size_t total = 0;
	size_t at = 0;
	size_t whole = 0;

	for (size_t i = 0; i < n; i++)
		total += hit[i].gap->whole ? hit[i].gap->costs : 0;

	_cleanup_free_ struct meter_cost *cost = calloc(total + 1, sizeof(*cost));

	for (size_t i = 0; cost && i < n; i++) {
		if (!hit[i].gap->whole)
			continue;
		if (hit[i].gap->costs)
			memcpy(cost + at, hit[i].gap->cost, hit[i].gap->costs * sizeof(*cost));
		at += hit[i].gap->costs;
		whole++;
	}
	if (at)
		qsort(cost, at, sizeof(*cost), meter_cost_by_place);
	for (size_t i = 0, end; i < at; i = end) {
		for (end = i + 1; end < at && !meter_cost_by_place(&cost[i], &cost[end]); end++)
			;
		if ((end - i) * RARE >= whole)
			json_array_append_new(functions, function_of(exact, cost + i, end - i, whole));
	}
	return functions;
}

static json_t *cause_object(const struct exact *exact, struct hit *hit, size_t n)
{
	json_t *cause = json_pack("{s:s,s:I}", "cause", hit->cause, "gaps", (json_int_t)n);
	size_t whole = 0;

	for (size_t i = 0; i < n; i++)
		whole += hit[i].gap->whole;
	json_object_set_new(cause, "whole", json_integer((json_int_t)whole));
	for (int i = 0; i < FIGURE_MAX; i++)
		json_object_set_new(cause, figure_name[i], values_of(hit, n, i));
	json_object_set_new(cause, "functions", functions_of(exact, hit, n));
	json_object_set_new(cause, "paths", paths_of(hit, n));
	return cause;
}

static json_t *causes(const struct exact *exact)
{
	json_t *ret = json_array();

	for (size_t i = 0, end; i < exact->hits; i = end) {
		for (end = i + 1; end < exact->hits && !strcmp(exact->hit[end].cause, exact->hit[i].cause); end++)
			;
		json_array_append_new(ret, cause_object(exact, exact->hit + i, end - i));
	}
	return most_first(ret);
}

static json_t *hits_of(const struct exact *exact)
{
	json_t *list = json_array();
	const char *cause;
	json_t *hit;

	json_object_foreach (exact->agree.hits, cause, hit)
		json_array_append(list, hit);
	return list;
}

static json_t *document(const struct exact *exact)
{
	json_t *misses = exact->agree.misses ? json_incref(exact->agree.misses) : json_array();
	const struct meter_data *data = exact->data;
	const struct tally *tally = &exact->tally;

	return json_pack(
		"{s:s,s:b,s:b,s:s,s:I,s:I,s:I,s:I,s:{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I},s:{s:I,s:I,s:I},s:o,s:o,s:o}",
		"schema", EXACT_SCHEMA, "complete", data->complete && data->ended, "traced", exact->traced, "layer",
		data->run.layer == METER_GUEST ? "guest" : "host", "threshold_insns",
		(json_int_t)data->header.threshold_insns, "turn_insns", (json_int_t)data->run.turn_insns, "turns",
		(json_int_t)data->run.turns, "gaps", (json_int_t)data->gaps, "join", "joined",
		(json_int_t)tally->joined, "meter_only", (json_int_t)tally->meter_only, "time_only",
		(json_int_t)tally->time_only, "noise", (json_int_t)tally->noise, "migrated",
		(json_int_t)tally->migrated, "uncounted", (json_int_t)tally->uncounted, "several_causes",
		(json_int_t)tally->several, "disagree", (json_int_t)tally->disagree, "lost", "records",
		(json_int_t)data->run.lost, "steps", (json_int_t)data->run.lost_steps, "stray_marks",
		(json_int_t)data->end.stray, "hits", hits_of(exact), "misses", misses, "causes", causes(exact));
}

int exact_build(const struct meter_data *data, const json_t *result, json_t **ret)
{
	struct exact exact = { .data = data,
			       .result = result,
			       .traced = json_is_true(json_object_get(json_object_get(result, "trace"), "host")) };
	int rc = collect(&exact);

	if (!rc) {
		json_t *made = document(&exact);
		json_t *calibration = exact_calibration(data, result);

		rc = made ? 0 : -ENOMEM;
		if (calibration)
			json_object_set_new(made, "calibration", calibration);
		if (made)
			json_object_set_new(made, "page_faults", exact_faults(data, result));
		if (made)
			*ret = made;
	}
	free(exact.timed);
	free(exact.hit);
	json_decref(exact.agree.hits);
	json_decref(exact.agree.misses);
	return rc;
}
