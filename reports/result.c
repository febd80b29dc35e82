// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/result.h"

#include <math.h>
#include <string.h>

#include "common/json.h"
#include "common/tsc.h"
#include "reports/analyze.h"
#include "reports/fault_rate.h"
#include "reports/statistics.h"
#include "reports/stimulus_figures.h"

#define SCHEMA "vcpulat-result-1"

static json_int_t ns_between(const struct bundle *b, uint64_t from, uint64_t to)
{
	if (to >= from)
		return (json_int_t)tsc_to_ns(to - from, b->cycles_per_second);
	return -(json_int_t)tsc_to_ns(from - to, b->cycles_per_second);
}

static json_int_t ns_at(const struct bundle *b, uint64_t tsc)
{
	return ns_between(b, b->epoch, tsc);
}

/* What the result takes over from the manifest, in this order. */
static void copy_manifest(json_t *result, const json_t *manifest)
{
	static const char *const keys[] = { "scenario", "guest",     "arm",	      "mode",	"emulated",
					    "boot_id",	"start_utc", "end_utc",	      "status", "reason",
					    "command",	"retries",   "missing_events" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		json_t *value = json_object_get(manifest, keys[i]);

		if (value)
			json_object_set(result, keys[i], value);
	}
}

static bool is_scaled(const struct tsc_map *map)
{
	return map->ratio && map->ratio != 1ULL << map->frac_bits;
}

static json_t *clock_json(const struct analysis *a)
{
	const struct bundle *b = a->bundle;
	const struct tsc_map *map = &b->clock.vcpu[b->guest_cpu % BUNDLE_MAX_VCPUS];
	uint64_t error = analysis_clock_error(a);
	json_t *known;

	known = error == UINT64_MAX || !b->has_guest ? json_null()
						     : json_integer((json_int_t)tsc_to_ns(error, b->cycles_per_second));
	return json_pack("{s:I, s:I, s:b, s:o, s:I, s:I, s:b, s:b}", "cycles_per_second",
			 (json_int_t)b->cycles_per_second, "offset_cycles",
			 b->clock.has_map ? (json_int_t)map->offset : 0, "scaled", b->clock.has_map && is_scaled(map),
			 "error_ns", known, "pairs", (json_int_t)a->clock.pairs, "contradiction_ns",
			 (json_int_t)tsc_to_ns(a->clock.contradiction, b->cycles_per_second), "stable",
			 b->clock.stable && !a->clock.changed, "in_traces", b->clock.in_traces);
}

static json_t *probe_json(const struct bundle *b)
{
	static const char *const kinds[PROBE_KIND_MAX] = { "spin", "timer" };
	uint64_t hz = b->probe.cycles_per_second ? b->probe.cycles_per_second : 1;

	return json_pack("{s:s, s:s, s:i, s:I, s:I, s:I, s:I}", "kind", kinds[b->probe.kind], "layer",
			 b->has_guest ? "guest" : "host", "cpu", (int)b->probe.cpu, "threshold_ns",
			 (json_int_t)(b->threshold_ns ? b->threshold_ns : tsc_to_ns(b->probe.threshold_cycles, hz)),
			 "loop_ns", (json_int_t)tsc_to_ns(b->probe.loop_p50_cycles, hz), "gaps", (json_int_t)b->n_gaps,
			 "lost", (json_int_t)b->probe.lost);
}

/* Where no trace explains the gaps, the meter may. */
static json_t *trace_json(const struct analysis *a)
{
	return json_pack("{s:b, s:b, s:I, s:b}", "host", a->has_host_trace, "guest", a->has_guest_trace, "events",
			 (json_int_t)a->events, "meter_instead", !a->has_host_trace && a->has_meter);
}

static json_t *exposure_json(const struct bundle *b)
{
	uint64_t cycles[BUNDLE_STATE_MAX] = { 0 };

	for (size_t i = 0; i < b->n_windows; i++)
		cycles[b->windows[i].state] += b->windows[i].t1 - b->windows[i].t0;
	return json_pack("{s:I, s:I}", "armed_ns", (json_int_t)tsc_to_ns(cycles[BUNDLE_ARMED], b->cycles_per_second),
			 "control_ns", (json_int_t)tsc_to_ns(cycles[BUNDLE_CONTROL], b->cycles_per_second));
}

static json_t *windows_json(const struct bundle *b)
{
	json_t *list = json_array();

	for (size_t i = 0; i < b->n_windows; i++) {
		const struct bundle_window *w = &b->windows[i];
		json_t *window = json_pack("{s:s, s:I, s:I}", "state", bundle_state_name(w->state), "t0_ns",
					   ns_at(b, w->t0), "t1_ns", ns_at(b, w->t1));

		if (w->has_ipis)
			json_object_set_new(window, "ipis", json_integer((json_int_t)w->ipis));
		json_array_append_new(list, window);
	}
	return list;
}

static json_t *actions_json(const struct bundle *b)
{
	static const char *const layers[TRACE_LAYER_MAX] = { "host", "guest" };
	json_t *list = json_array();

	for (size_t i = 0; i < b->n_actions; i++) {
		const struct bundle_action *action = &b->actions[i];
		const char *detail = action->detail[0] ? action->detail : NULL;

		json_array_append_new(list,
				      json_pack("{s:s, s:s*, s:s*, s:s, s:I, s:I, s:I}", "role",
						bundle_role_name(action->role), "kind", action->kind, "detail", detail,
						"layer", layers[action->layer], "t0_ns", ns_at(b, action->t0), "t1_ns",
						ns_at(b, action->t1), "window", (json_int_t)action->window));
	}
	return list;
}

/* Rounded so that they sum to the gap's own rounded length. */
static json_t *parts_json(const struct analysis *a, const struct gap *gap)
{
	json_t *list = json_array();
	uint64_t hz = a->bundle->cycles_per_second;
	uint64_t cycles = 0;

	for (size_t i = 0; i < gap->n_parts; i++) {
		uint64_t before = tsc_to_ns(cycles, hz);

		cycles += gap->part[i].cycles;
		json_array_append_new(list, json_pack("{s:s, s:I}", "cause", causes_text(a->causes, gap->part[i].cause),
						      "ns", (json_int_t)(tsc_to_ns(cycles, hz) - before)));
	}
	return list;
}

static json_t *roots_json(const struct analysis *a, const struct gap *gap)
{
	json_t *list = json_array();

	for (size_t i = 0; i < gap->n_roots; i++)
		json_array_append_new(list, json_pack("{s:s, s:I}", "cause", causes_text(a->causes, gap->root[i].cause),
						      "count", (json_int_t)gap->root[i].count));
	return list;
}

/* The task may have been interrupted for it: then the context says so, and it is not to blame. */
static json_t *queuing_json(const struct analysis *a, const struct queuing *q)
{
	static const char *const layers[TRACE_LAYER_MAX] = { "host", "guest" };
	const struct bundle *b = a->bundle;
	json_t *object = json_pack("{s:s, s:I, s:s, s:i, s:s, s:i, s:s}", "cause", causes_text(a->causes, q->cause),
				   "t_ns", ns_between(b, a->gaps[q->gap].t0, q->by.tsc), "layer", layers[q->layer],
				   "cpu", (int)q->by.cpu, "task", names_text(a->names, q->task), "pid", (int)q->by.pid,
				   "context", queue_context_name(q->by.context));
	json_t *stack = json_array();

	for (const char *word = names_text(a->names, q->by.stack); *word; word += strspn(word, " ")) {
		size_t len = strcspn(word, " ");

		json_array_append_new(stack, json_stringn(word, len));
		word += len;
	}
	json_object_set_new(object, "stack", stack);
	return object;
}

/* Who queued the work in a gap; @at moves on to the next gap's. */
static json_t *queued_json(const struct analysis *a, size_t id, size_t *at)
{
	json_t *list = json_array();

	for (; *at < a->n_queuing && a->queuing[*at].gap == id; (*at)++)
		json_array_append_new(list, queuing_json(a, &a->queuing[*at]));
	return list;
}

static json_t *gap_json(const struct analysis *a, size_t id)
{
	const struct bundle *b = a->bundle;
	const struct gap *gap = &a->gaps[id];
	json_int_t len = ns_between(b, gap->t0, gap->t1);
	json_int_t guest = (json_int_t)tsc_to_ns(gap->guest_cycles, b->cycles_per_second);

	return json_pack("{s:I, s:I, s:I, s:s, s:s, s:o, s:b, s:I, s:I, s:I, s:b, s:I, s:o}", "id", (json_int_t)id,
			 "t_ns", ns_at(b, gap->t0), "len_ns", len, "window",
			 bundle_state_name(bundle_state_at(b, gap->t0)), "cause", causes_text(a->causes, gap->cause),
			 "roots", roots_json(a, gap), "single", gap->single, "host_ns", len - guest, "guest_ns", guest,
			 "exits", (json_int_t)gap->exits, "lost", gap->lost, "turn", (json_int_t)gap->turn, "parts",
			 parts_json(a, gap));
}

static bool is_typical(const struct analysis *a, size_t gap)
{
	for (size_t i = 0; i < a->n_typical; i++)
		if (a->typical[i] == gap)
			return true;
	return false;
}

/* Segments and events of a gap; those of the typical ones stand with the examples. */
static void add_course(const struct analysis *a, json_t *gap, size_t index)
{
	static const char *const keys[] = { "segments", "events", "events_cut" };
	json_t *course = is_typical(a, a->chosen[index]) ? NULL : example_json(a->example, index);

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (json_object_get(course, keys[i]))
			json_object_set(gap, keys[i], json_object_get(course, keys[i]));
	json_decref(course);
}

static json_t *gaps_json(const struct analysis *a)
{
	json_t *list = json_array();
	size_t at = 0;
	size_t course = 0;

	for (size_t i = 0; i < a->n_gaps; i++) {
		json_t *gap = gap_json(a, i);
		json_t *queued = queued_json(a, i, &at);

		if (json_array_size(queued))
			json_object_set(gap, "queued", queued);
		json_decref(queued);
		if (a->gaps[i].vague)
			json_object_set_new(gap, "vague", json_true());
		if (course < a->n_chosen && a->chosen[course] == i)
			add_course(a, gap, course++);
		json_array_append_new(list, gap);
	}
	return list;
}

/* One cause's single-cause gaps in armed windows; none where a kernel checks itself. */
struct sample {
	double *gap_ns;
	double *cost_ns;
	size_t n;
};

static void sample_done(struct sample *sample)
{
	free(sample->gap_ns);
	free(sample->cost_ns);
}

static uint64_t own_cycles(const struct gap *gap, uint32_t cause)
{
	for (size_t i = 0; i < gap->n_parts; i++)
		if (gap->part[i].cause == cause)
			return gap->part[i].cycles;
	return 0;
}

static int take_sample(const struct analysis *a, uint32_t cause, struct sample *ret)
{
	uint64_t hz = a->bundle->cycles_per_second;

	ret->gap_ns = calloc(a->n_gaps + 1, sizeof(*ret->gap_ns));
	ret->cost_ns = calloc(a->n_gaps + 1, sizeof(*ret->cost_ns));
	if (!ret->gap_ns || !ret->cost_ns)
		return -1;
	if (json_array_size(a->debug))
		return 0;
	for (size_t i = 0; i < a->n_gaps; i++) {
		const struct gap *gap = &a->gaps[i];

		if (!gap->single || gap->cause != cause || bundle_state_at(a->bundle, gap->t0) != BUNDLE_ARMED)
			continue;
		ret->gap_ns[ret->n] = (double)tsc_to_ns(gap->t1 - gap->t0, hz);
		ret->cost_ns[ret->n++] = (double)tsc_to_ns(own_cycles(gap, cause), hz);
	}
	stat_sort(ret->gap_ns, ret->n);
	stat_sort(ret->cost_ns, ret->n);
	return 0;
}

static void set_quantile(json_t *object, const char *key, const double *sorted, size_t n, double q, bool with_interval)
{
	struct stat_quantile quantile = stat_quantile(sorted, n, q, STAT_CONFIDENCE);
	char name[16];

	json_object_set_new(object, key, quantile.has ? json_integer(llround(quantile.value)) : json_null());
	if (!with_interval)
		return;
	snprintf(name, sizeof(name), "%s_lo", key);
	json_object_set_new(object, name, quantile.has ? json_integer(llround(quantile.lo)) : json_null());
	snprintf(name, sizeof(name), "%s_hi", key);
	json_object_set_new(object, name, quantile.has ? json_integer(llround(quantile.hi)) : json_null());
}

static json_t *distribution_json(const double *sorted, size_t n)
{
	json_t *object = json_pack("{s:I}", "n", (json_int_t)n);
	double total = 0;

	for (size_t i = 0; i < n; i++)
		total += sorted[i];
	set_quantile(object, "p50", sorted, n, 0.5, true);
	set_quantile(object, "p99", sorted, n, 0.99, false);
	json_object_set_new(object, "max", n ? json_integer(llround(sorted[n - 1])) : json_null());
	json_object_set_new(object, "total", json_integer(llround(total)));
	return object;
}

/* How long those waited who made the kernel queue work; NULL: there was nobody. */
static json_t *callers_json(const struct bundle *b)
{
	_cleanup_free_ double *ns = calloc(b->n_actions + 1, sizeof(*ns));
	size_t n = 0;

	for (size_t i = 0; ns && i < b->n_actions; i++) {
		const struct bundle_action *action = &b->actions[i];

		if (action->role == BUNDLE_STIMULUS)
			ns[n++] = (double)tsc_to_ns(action->t1 - action->t0, b->cycles_per_second);
	}
	if (!n)
		return NULL;
	stat_sort(ns, n);
	return distribution_json(ns, n);
}

static json_t *counts_json(const struct analysis *a, uint32_t cause, enum bundle_state state)
{
	struct figure figure = figures_get(a->figures, cause, state);

	return json_pack("{s:I, s:I, s:I}", "primers", (json_int_t)figures_trials(a->figures, state), "hit",
			 (json_int_t)figure.hit, "count", (json_int_t)figure.count);
}

static json_t *by_window_json(const struct analysis *a, uint32_t cause)
{
	const uint32_t *count = figures_by_window(a->figures, cause);
	json_t *list = json_array();

	for (size_t i = 0; i < a->bundle->n_windows; i++)
		json_array_append_new(list, json_integer(count ? (json_int_t)count[i] : 0));
	return list;
}

static json_t *cause_json(const struct analysis *a, uint32_t cause, bool is_provoked)
{
	_cleanup_(sample_done) struct sample sample = { 0 };

	if (take_sample(a, cause, &sample) < 0)
		return NULL;
	return json_pack("{s:s, s:b, s:o, s:o, s:o, s:o, s:o}", "cause", causes_text(a->causes, cause), "provoked",
			 is_provoked, "armed", counts_json(a, cause, BUNDLE_ARMED), "control",
			 counts_json(a, cause, BUNDLE_CONTROL), "by_window", by_window_json(a, cause), "cost_ns",
			 distribution_json(sample.cost_ns, sample.n), "gap_ns",
			 distribution_json(sample.gap_ns, sample.n));
}

/* What is known of each cause while the list is made. */
struct listing {
	uint32_t cause;
	bool is_provoked;
	bool is_root;
	uint64_t cycles; /* of all gaps whose claimed cause it is */
};

static int compare_listings(const void *a, const void *b, void *causes)
{
	const struct listing *x = a;
	const struct listing *y = b;

	if (x->is_provoked != y->is_provoked)
		return x->is_provoked ? -1 : 1;
	if (x->cycles != y->cycles)
		return x->cycles > y->cycles ? -1 : 1;
	return strcmp(causes_text(causes, x->cause), causes_text(causes, y->cause));
}

static void mark_provoked(const struct analysis *a, struct listing *list)
{
	const json_t *provokes = json_object_get(json_object_get(a->bundle->manifest, "scenario"), "provokes");
	json_t *text;
	size_t i;

	json_array_foreach (provokes, i, text) {
		int64_t cause = json_is_string(text) ? causes_parse(a->causes, json_string_value(text)) : -1;

		if (cause >= 0)
			list[cause].is_provoked = true;
	}
}

static void mark_roots(const struct analysis *a, struct listing *list)
{
	for (size_t i = 0; i < a->n_gaps; i++) {
		const struct gap *gap = &a->gaps[i];

		for (size_t j = 0; j < gap->n_roots; j++)
			list[gap->root[j].cause].is_root = true;
		list[gap->cause].is_root = true;
		list[gap->cause].cycles += gap->t1 - gap->t0;
	}
}

/* Provoked causes first, then by the time of the gaps that they made. */
static json_t *causes_json(const struct analysis *a)
{
	size_t room = causes_count(a->causes) +
		      json_array_size(json_object_get(json_object_get(a->bundle->manifest, "scenario"), "provokes"));
	_cleanup_free_ struct listing *list = calloc(room, sizeof(*list));
	json_t *array = json_array();

	if (!list || !array)
		return array;
	mark_provoked(a, list);
	mark_roots(a, list);
	for (uint32_t i = 0; i < causes_count(a->causes); i++)
		list[i].cause = i;
	qsort_r(list, causes_count(a->causes), sizeof(*list), compare_listings, a->causes);
	for (uint32_t i = 0; i < causes_count(a->causes); i++)
		if (list[i].is_provoked || list[i].is_root)
			json_array_append_new(array, cause_json(a, list[i].cause, list[i].is_provoked));
	return array;
}

/* Of the gaps in armed and control windows. */
static json_t *explained_json(const struct analysis *a)
{
	uint64_t cycles = 0;
	uint64_t unexplained = 0;
	json_int_t explained = 0;
	json_int_t of = 0;

	for (size_t i = 0; i < a->n_gaps; i++) {
		const struct gap *gap = &a->gaps[i];

		if (bundle_state_at(a->bundle, gap->t0) > BUNDLE_CONTROL)
			continue;
		of++;
		explained += gap->cause != CAUSE_ID_UNEXPLAINED;
		cycles += gap->t1 - gap->t0;
		unexplained += gap->lost ? gap->t1 - gap->t0 : own_cycles(gap, CAUSE_ID_UNEXPLAINED);
	}
	return json_pack("{s:I, s:I, s:f}", "gaps", explained, "of", of, "ns_share",
			 cycles ? round(1e4 * (double)(cycles - unexplained) / (double)cycles) / 1e4 : 0.0);
}

/* The typical gap of the provoked cause; without one, of the first cause that has any. */
static json_t *pick_example(const json_t *causes, json_t *examples)
{
	json_t *entry;
	size_t i;

	json_array_foreach (causes, i, entry) {
		json_t *example = json_object_get(examples, json_get_string(entry, "cause"));

		if (example)
			return json_incref(example);
	}
	return json_null();
}

static json_t *examples_json(const struct analysis *a, const json_t *causes)
{
	json_t *object = json_object();
	json_t *entry;
	size_t i;

	json_array_foreach (causes, i, entry)
		for (size_t j = 0; j < a->n_chosen; j++)
			if (is_typical(a, a->chosen[j]) && strcmp(causes_text(a->causes, a->gaps[a->chosen[j]].cause),
								  json_get_string(entry, "cause")) == 0)
				json_object_set_new(object, json_get_string(entry, "cause"),
						    example_json(a->example, j));
	return object;
}

json_t *result_make(const struct analysis *a)
{
	const struct bundle *b = a->bundle;
	const bool checks_itself = json_array_size(a->debug) > 0; /* a debug kernel: no lengths of it are told */
	json_t *result = json_pack("{s:s, s:s, s:s}", "schema", SCHEMA, "tool", VCPULAT_VERSION, "bundle", b->dir);
	json_t *causes = causes_json(a);
	json_t *examples = examples_json(a, causes);

	copy_manifest(result, b->manifest);
	json_object_set_new(result, "clock", clock_json(a));
	json_object_set_new(result, "probe", probe_json(b));
	json_object_set_new(result, "trace", trace_json(a));
	json_object_set(result, "lost", json_object_get(b->manifest, "lost"));
	json_object_set_new(result, "exposure", exposure_json(b));
	json_object_set_new(result, "windows", windows_json(b));
	json_object_set_new(result, "actions", actions_json(b));
	if (!checks_itself) {
		json_object_set_new(result, "caller_ns", callers_json(b));
		json_object_set_new(result, "fault_rate", fault_rate_json(b));
	}
	json_object_set_new(result, "stimulus_figures", stimulus_figures_json(b, !checks_itself));
	json_object_set_new(result, "gaps", gaps_json(a));
	json_object_set_new(result, "causes", causes);
	json_object_set_new(result, "explained", explained_json(a));
	json_object_set_new(result, "example", pick_example(causes, examples));
	json_object_set_new(result, "examples", examples);
	json_object_set(result, "kernel_log", a->kernel_log.during);
	json_object_set(result, "kernel_log_before", a->kernel_log.before);
	json_object_set(result, "kernel_log_missing", a->kernel_log.missing);
	json_object_set(result, "tsc", a->tsc);
	json_object_set(result, "debug_kernel", a->debug);
	json_object_set(result, "facts", a->facts);
	json_object_set_new(result, "verdict", result_verdict(a));
	return result;
}
