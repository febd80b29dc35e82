// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/analyze.h"

#include <errno.h>
#include <string.h>

#include "common/fs.h"
#include "common/json.h"
#include "reports/courses.h"
#include "reports/debug_kernel.h"
#include "reports/exact/exact.h"
#include "reports/exact/exact_attribute.h"
#include "reports/trace/merge.h"
#include "reports/result.h"
#include "reports/tsc_check.h"

#define EARLY_CLOCK_SLACK_NS 2000000000ULL
#define MAX_LOG_BYTES ((size_t)64 << 20)
#define MAX_KALLSYMS_BYTES ((size_t)256 << 20)
#define QUIET_INSNS 200 /* a turn of the probe takes about 16, the shortest interrupt of a kernel over 1,000 */

/* One pass over the traces. */
struct pass {
	struct analysis *analysis;
	struct merge merge;
	struct attribution *join;
	struct figures *figures;   /* NULL: not wanted */
	struct clock_check *clock; /* NULL: not wanted */
	struct example *example;   /* NULL: not wanted */
	struct queue queue;
	const struct queued_work *queued; /* the work that starts now; NULL: none does, or nobody knows who queued it */
	enum trace_layer queued_layer;
	size_t gap; /* that is open or comes next */
	int error;
};

static void pass_done(struct pass *pass)
{
	attribution_free(pass->join);
	merge_done(&pass->merge);
}

static const char *const trace_files[TRACE_LAYER_MAX] = { "host.dat", "guest.dat" };
static const char *const kallsyms_files[TRACE_LAYER_MAX] = { "kallsyms-host.txt", "kallsyms-guest.txt" };

static int open_trace(struct pass *pass, enum trace_layer layer, bool *ret_has, struct err *err)
{
	struct analysis *a = pass->analysis;
	_cleanup_free_ char *path = bundle_path(a->bundle, trace_files[layer]);
	_cleanup_free_ char *kallsyms = bundle_path(a->bundle, kallsyms_files[layer]);
	struct reader_params params = { .path = path, .kallsyms = kallsyms, .layer = layer, .names = a->names };

	if (!path || !kallsyms)
		return err_sys(err, -ENOMEM, "'%s'", a->bundle->dir);
	*ret_has = fs_exists(path);
	return *ret_has ? reader_open(&params, &pass->merge.reader[layer], err) : 0;
}

/* Queueings go with the gap in which the work began. */
static int note_queuing(struct pass *pass, uint32_t cause, uint64_t tsc)
{
	struct analysis *a = pass->analysis;
	struct queuing *list;

	while (pass->gap < a->n_gaps && a->gaps[pass->gap].t1 <= tsc)
		pass->gap++;
	if (pass->gap == a->n_gaps || a->gaps[pass->gap].t0 > tsc)
		return 0;
	if ((a->n_queuing & (a->n_queuing - 1)) == 0) {
		list = reallocarray(a->queuing, a->n_queuing ? 2 * a->n_queuing : 1, sizeof(*list));
		if (!list)
			return -ENOMEM;
		a->queuing = list;
	}
	a->queuing[a->n_queuing++] =
		(struct queuing){ .gap = pass->gap,
				  .cause = cause,
				  .task = reader_task(pass->merge.reader[pass->queued_layer], pass->queued->pid),
				  .layer = pass->queued_layer,
				  .by = *pass->queued };
	return 0;
}

static void on_started(void *ctx, uint32_t cause, uint64_t tsc)
{
	struct pass *pass = ctx;
	uint64_t queued = pass->queued && pass->queued->tsc < tsc ? pass->queued->tsc : tsc;

	if (figures_add(pass->figures, cause, tsc, queued) < 0)
		pass->error = -ENOMEM;
	if (pass->queued && note_queuing(pass, cause, tsc) < 0)
		pass->error = -ENOMEM;
}

static struct timeline_params timeline_of(const struct bundle *b, enum trace_layer layer)
{
	bool is_vcpu = layer == TRACE_HOST && b->has_guest;

	return (struct timeline_params){ .layer = layer,
					 .subject_tid = is_vcpu ? b->vcpu_tid : b->probe_tid,
					 .is_vcpu = is_vcpu,
					 .stimulus = b->stimulus[layer],
					 .n_stimulus = b->n_stimulus[layer] };
}

static uint64_t map_to_host(const void *ctx, enum trace_layer layer, unsigned int cpu, uint64_t tsc)
{
	return bundle_map(ctx, layer, cpu, tsc);
}

static int begin(struct pass *pass, struct err *err)
{
	struct analysis *a = pass->analysis;
	const struct bundle *b = a->bundle;
	struct attribute_params params = { .gaps = a->gaps,
					   .n_gaps = a->n_gaps,
					   .names = a->names,
					   .causes = a->causes,
					   .host = timeline_of(b, TRACE_HOST),
					   .host_cpu = b->host_cpu,
					   .has_guest = b->has_guest,
					   .guest = timeline_of(b, TRACE_GUEST),
					   .guest_cpu = b->guest_cpu,
					   .cycles_per_second = b->cycles_per_second,
					   .emulated = b->is_emulated };
	int r = open_trace(pass, TRACE_HOST, &a->has_host_trace, err);

	pass->merge.map = map_to_host;
	pass->merge.ctx = b;
	if (r == 0 && b->has_guest)
		r = open_trace(pass, TRACE_GUEST, &a->has_guest_trace, err);
	if (r < 0)
		return r;
	if (pass->figures)
		params.observer = (struct attribute_observer){ .started = on_started, .ctx = pass };
	if (pass->example)
		params.observer = (struct attribute_observer){ .segment = example_segment,
							       .renamed = example_renamed,
							       .ctx = pass->example };
	pass->join = attribution_new(&params);
	return pass->join ? 0 : err_sys(err, -ENOMEM, "'%s'", b->dir);
}

static int feed(struct pass *pass, const struct trace_event *event)
{
	int r = 0;

	pass->queued = queue_feed(&pass->queue, event);
	pass->queued_layer = (enum trace_layer)event->layer;
	if (pass->clock)
		clock_check_feed(pass->clock, event);
	if (pass->example)
		r = example_event(pass->example, event);
	if (r == 0)
		r = attribution_feed(pass->join, event);
	return r < 0 ? r : pass->error;
}

/* A full buffer drops what comes last, and leaves no mark of it in the file. */
static void flag_lost_tail(struct pass *pass, const uint64_t last[static TRACE_LAYER_MAX])
{
	static const char *const keys[TRACE_LAYER_MAX] = { "host_events", "guest_events" };
	const json_t *lost = json_object_get(pass->analysis->bundle->manifest, "lost");

	for (int i = 0; i < TRACE_LAYER_MAX; i++)
		if (pass->merge.reader[i] && json_get_u64(lost, keys[i]))
			attribution_lost(pass->join, last[i], UINT64_MAX);
}

static int read_all(struct pass *pass, struct err *err)
{
	struct analysis *a = pass->analysis;
	const uint16_t cpu[TRACE_LAYER_MAX] = { a->bundle->host_cpu, a->bundle->guest_cpu };
	uint64_t last[TRACE_LAYER_MAX] = { 0 };
	struct trace_event event;
	uint64_t events = 0;
	int r;

	while ((r = merge_next(&pass->merge, &event)) == 1) {
		r = feed(pass, &event);
		if (r < 0)
			break;
		if (event.cpu == cpu[event.layer])
			last[event.layer] = event.tsc;
		events++;
	}
	a->events = events;
	flag_lost_tail(pass, last);
	if (r == 0)
		r = attribution_finish(pass->join);
	return r < 0 ? err_sys(err, r, "cannot read the traces of '%s'", a->bundle->dir) : 0;
}

static int first_pass(struct analysis *a, struct err *err)
{
	_cleanup_(pass_done) struct pass pass = { .analysis = a, .figures = a->figures, .clock = &a->clock };
	int r = begin(&pass, err);

	return r < 0 ? r : read_all(&pass, err);
}

/* The same again, for what is shown of the chosen gaps; their attribution is thrown away and made anew. */
static int second_pass(struct analysis *a, struct err *err)
{
	_cleanup_(pass_done) struct pass pass = { .analysis = a, .example = a->example };
	int r;

	for (size_t i = 0; i < a->n_gaps; i++) {
		gap_done(&a->gaps[i]);
		a->gaps[i].guest_cycles = 0;
		a->gaps[i].exits = 0;
	}
	r = begin(&pass, err);
	return r < 0 ? r : read_all(&pass, err);
}

/* Instructions, where there was a meter. One whose file is damaged costs these figures only. */
static int load_meter(struct analysis *a, struct err *err)
{
	struct err why = { "" };
	int r = meter_load_bundle(a->bundle->dir, &a->meter, &why);

	a->has_meter = r == 0;
	if (r == 0 || r == -ENOENT)
		return 0;
	a->meter_error = strdup(why.msg);
	return a->meter_error ? 0 : err_sys(err, -ENOMEM, "'%s'", a->bundle->dir);
}

/*
 * Was it the probe's own turn and nothing else that the CPU executed, as far as no trace accounts for it? In a guest
 * all that is executed in guest mode counts; on the host what kernel and probe execute is not told apart by mode.
 */
static bool is_quiet(const struct analysis *a, const struct meter_gap *seen)
{
	bool in_guest = a->meter.run.layer == METER_GUEST;
	uint64_t insns = seen->insns[METER_GUEST] + (in_guest ? 0 : seen->insns[METER_HOST]);

	return !(seen->flags & (METER_GAP_MIGRATED | METER_GAP_UNCOUNTED)) && insns <= QUIET_INSNS;
}

/* Gaps of both ascend by turn. */
static void mark_quiet(struct analysis *a)
{
	size_t k = 0;

	for (size_t i = 0; i < a->n_gaps; i++) {
		while (k < a->meter.gaps && a->meter.gap[k].turn < a->gaps[i].turn)
			k++;
		a->gaps[i].quiet =
			k < a->meter.gaps && a->meter.gap[k].turn == a->gaps[i].turn && is_quiet(a, &a->meter.gap[k]);
	}
}

static int load_gaps(struct analysis *a, struct err *err)
{
	const struct bundle *b = a->bundle;

	a->gaps = calloc(b->n_gaps + 1, sizeof(*a->gaps));
	if (!a->gaps)
		return err_sys(err, -ENOMEM, "'%s'", b->dir);
	a->n_gaps = b->n_gaps;
	for (size_t i = 0; i < b->n_gaps; i++)
		a->gaps[i] = (struct gap){ .t0 = b->gaps[i].t0, .t1 = b->gaps[i].t1, .turn = b->gaps[i].turn };
	return 0;
}

uint64_t analysis_clock_error(const struct analysis *analysis)
{
	const struct bundle *b = analysis->bundle;
	uint64_t error = clock_check_error(&analysis->clock);

	if (!b->has_guest)
		return 0;
	if (b->clock.error_cycles && b->clock.error_cycles < error)
		error = b->clock.error_cycles;
	return error > analysis->clock.contradiction ? error : analysis->clock.contradiction;
}

/* Only what events of two clocks say: the meter has no clock but the turns of the probe. */
static void drop_claims_below_error(struct analysis *a)
{
	uint64_t error = a->has_host_trace ? analysis_clock_error(a) : UINT64_MAX;

	for (size_t i = 0; i < a->n_gaps && error != UINT64_MAX; i++)
		if (a->gaps[i].t1 - a->gaps[i].t0 < error)
			gap_disclaim(&a->gaps[i]);
}

static int choose_courses(struct analysis *a, struct err *err)
{
	_cleanup_free_ bool *marked = calloc(a->n_gaps + 1, sizeof(*marked));

	a->chosen = calloc(a->n_gaps + 1, sizeof(*a->chosen));
	a->typical = calloc(a->n_gaps + 1, sizeof(*a->typical));
	if (!marked || !a->chosen || !a->typical || courses_mark(a->gaps, a->n_gaps, marked) < 0 ||
	    courses_typical(a->bundle, a->gaps, a->causes, a->typical, &a->n_typical) < 0)
		return err_sys(err, -ENOMEM, "'%s'", a->bundle->dir);
	for (size_t i = 0; i < a->n_typical; i++)
		marked[a->typical[i]] = true;
	for (size_t i = 0; i < a->n_gaps; i++)
		if (marked[i])
			a->chosen[a->n_chosen++] = i;
	return 0;
}

static int record_examples(struct analysis *a, struct err *err)
{
	struct example_params params = { .gaps = a->gaps,
					 .names = a->names,
					 .causes = a->causes,
					 .cpu = { a->bundle->host_cpu, a->bundle->guest_cpu },
					 .cycles_per_second = a->bundle->cycles_per_second };
	int r = choose_courses(a, err);

	if (r < 0)
		return r;
	params.chosen = a->chosen;
	params.n_chosen = a->n_chosen;
	a->example = example_new(&params);
	if (!a->example)
		return err_sys(err, -ENOMEM, "'%s'", a->bundle->dir);
	return a->n_chosen ? second_pass(a, err) : 0;
}

/* A new reference; NULL: the bundle has none. */
static json_t *read_facts(const struct bundle *b, const char *layer)
{
	_cleanup_free_ char *name = str_printf("facts-%s.json", layer);
	_cleanup_free_ char *path = name ? bundle_path(b, name) : NULL;
	json_t *facts = NULL;

	return path && json_read(path, &facts, NULL) == 0 ? facts : NULL;
}

static int look_at_functions(struct analysis *a, const char *layer, struct err *err)
{
	_cleanup_free_ char *name = str_printf("kallsyms-%s.txt", layer);
	_cleanup_free_ char *path = name ? bundle_path(a->bundle, name) : NULL;
	_cleanup_free_ char *text = NULL;
	int r = path ? fs_read(path, MAX_KALLSYMS_BYTES, &text, NULL, err) : -ENOMEM;

	if (r == 0)
		debug_kernel_check(text, layer, a->debug);
	return r == -ENOENT ? 0 : r;
}

/* Facts of early bundles hold the time by another clock, which may be so far apart from that of the log. */
static uint64_t log_ns_before(const json_t *facts)
{
	uint64_t ns = json_get_u64(facts, "monotonic_ns");

	if (json_object_get(facts, "log_ns"))
		return json_get_u64(facts, "log_ns");
	return ns > EARLY_CLOCK_SLACK_NS ? ns - EARLY_CLOCK_SLACK_NS : 0;
}

/* Where the log could not be fetched, as the kernel died, its console may have more than nothing. */
static int look_at_console(struct analysis *a, const char *layer, const json_t *expected, struct err *err)
{
	const char *file = strcmp(layer, "guest") == 0 ? "console.log" : "console-host.log";
	_cleanup_free_ char *path = bundle_path(a->bundle, file);
	_cleanup_free_ char *text = NULL;
	int r = path ? fs_read(path, MAX_LOG_BYTES, &text, NULL, err) : -ENOMEM;

	if (strcmp(json_get_string(a->bundle->manifest, "guest"), "bare") == 0 && strcmp(layer, "guest") == 0)
		return 0; /* no kernel, no log */
	if (kernel_log_lacks(layer, &a->kernel_log) < 0)
		return err_sys(err, -ENOMEM, "'%s'", a->bundle->dir);
	return r < 0 ? (r == -ENOENT ? 0 : r) : kernel_log_scan(layer, text, 0, expected, &a->kernel_log);
}

/* What facts, functions and kernel log of a layer say. The log's lines from before the facts are older than the run. */
static int look_at_layer(struct analysis *a, const char *layer, struct err *err)
{
	_cleanup_json_ json_t *facts = read_facts(a->bundle, layer);
	_cleanup_json_ json_t *expected = kernel_log_expected(a->bundle->manifest);
	_cleanup_free_ char *name = str_printf("dmesg-%s.txt", layer);
	_cleanup_free_ char *path = name ? bundle_path(a->bundle, name) : NULL;
	_cleanup_free_ char *text = NULL;
	int r = look_at_functions(a, layer, err);

	if (r < 0)
		return r;
	r = path ? fs_read(path, MAX_LOG_BYTES, &text, NULL, err) : -ENOMEM;
	tsc_check(facts, layer, a->tsc);
	if (facts && json_object_set(a->facts, layer, facts) < 0)
		return err_sys(err, -ENOMEM, "'%s'", a->bundle->dir);
	if (r < 0)
		return r == -ENOENT ? look_at_console(a, layer, expected, err) : r;
	return kernel_log_scan(layer, text, log_ns_before(facts), expected, &a->kernel_log);
}

/* What nobody's gap shows: somebody else waits. */
static int note_hangs(struct analysis *a, struct err *err)
{
	for (size_t i = 0; i < a->bundle->n_actions; i++) {
		const struct bundle_action *action = &a->bundle->actions[i];
		uint32_t cause;

		if (!bundle_action_hung(a->bundle, action))
			continue;
		cause = causes_get(a->causes, action->layer, CAUSE_HANG,
				   names_intern(a->names, action->kind, strlen(action->kind)));
		if (figures_add(a->figures, cause, action->t0, action->t0) < 0)
			return err_sys(err, -ENOMEM, "'%s'", a->bundle->dir);
	}
	return 0;
}

/* Without a trace the meter says what the gaps are; there are no events to show then. */
static int explain(struct analysis *a, struct err *err)
{
	const struct exact_attribute_params params = { .data = &a->meter,
						       .bundle = a->bundle,
						       .causes = a->causes,
						       .figures = a->figures,
						       .gaps = a->gaps,
						       .n_gaps = a->n_gaps };

	if (a->has_host_trace || !a->has_meter)
		return record_examples(a, err);
	return exact_attribute(&params) < 0 ? err_sys(err, -ENOMEM, "'%s'", a->bundle->dir) : 0;
}

static int prepare(struct analysis *a, const char *dir, struct err *err)
{
	int r = bundle_open(dir, &a->bundle, err);

	if (r < 0)
		return r;
	a->names = names_new();
	a->causes = a->names ? causes_new(a->names) : NULL;
	a->figures = figures_new(a->bundle);
	a->kernel_log.during = json_array();
	a->kernel_log.before = json_array();
	a->kernel_log.missing = json_array();
	a->tsc = json_array();
	a->debug = json_array();
	a->facts = json_object();
	if (!a->causes || !a->figures || !a->kernel_log.during || !a->kernel_log.before || !a->kernel_log.missing ||
	    !a->tsc || !a->debug || !a->facts)
		return err_sys(err, -ENOMEM, "'%s'", dir);
	clock_check_init(&a->clock, a->bundle->host_cpu, a->bundle->guest_cpu, a->bundle->vcpu_tid);
	r = load_gaps(a, err);
	r = r < 0 ? r : load_meter(a, err);
	if (r == 0)
		mark_quiet(a);
	return r;
}

int analyze_open(const char *dir, struct analysis **ret, struct err *err)
{
	_cleanup_(analysis_freep) struct analysis *a = calloc(1, sizeof(*a));
	int r = a ? prepare(a, dir, err) : err_sys(err, -ENOMEM, "'%s'", dir);

	r = r < 0 ? r : first_pass(a, err);
	if (r == 0)
		drop_claims_below_error(a);
	r = r < 0 ? r : explain(a, err);
	r = r < 0 ? r : note_hangs(a, err);
	if (r == 0)
		drop_claims_below_error(a);
	r = r < 0 ? r : look_at_layer(a, "host", err);
	r = r < 0 || !a->bundle->has_guest ? r : look_at_layer(a, "guest", err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(a);
	return 0;
}

void analysis_free(struct analysis *analysis)
{
	if (!analysis)
		return;
	example_free(analysis->example);
	for (size_t i = 0; i < analysis->n_gaps; i++)
		gap_done(&analysis->gaps[i]);
	free(analysis->gaps);
	free(analysis->chosen);
	free(analysis->typical);
	free(analysis->queuing);
	free(analysis->meter_error);
	meter_done(&analysis->meter);
	json_decref(analysis->kernel_log.during);
	json_decref(analysis->kernel_log.before);
	json_decref(analysis->kernel_log.missing);
	json_decref(analysis->tsc);
	json_decref(analysis->debug);
	json_decref(analysis->facts);
	figures_free(analysis->figures);
	causes_free(analysis->causes);
	names_free(analysis->names);
	bundle_free(analysis->bundle);
	free(analysis);
}

char *analyze_result_path(const char *dir)
{
	_cleanup_free_ char *name = bundle_name(dir);

	return name ? str_printf("%s.result.json", name) : NULL;
}

static int add_exact(const struct analysis *a, json_t *result, struct err *err)
{
	json_t *exact = NULL;
	bool wanted = a->has_meter && json_array_size(a->debug) == 0;
	int r = wanted ? exact_build(&a->meter, result, &exact) : 0;

	if (exact) {
		json_object_set_new(result, "exact", exact);
		if (strcmp(json_get_string(result, "mode"), "functional") == 0)
			json_object_set_new(result, "mode", json_string("exact"));
	}
	if (a->meter_error)
		json_object_set_new(result, "exact_error", json_string(a->meter_error));
	return r < 0 ? err_sys(err, r, "'%s'", a->bundle->dir) : 0;
}

int analyze_write(const char *dir, const char *result_path, json_t **ret, struct err *err)
{
	_cleanup_(analysis_freep) struct analysis *a = NULL;
	_cleanup_free_ char *path = result_path ? strdup(result_path) : analyze_result_path(dir);
	_cleanup_json_ json_t *result = NULL;
	int r = path ? analyze_open(dir, &a, err) : err_sys(err, -ENOMEM, "'%s'", dir);

	if (r < 0)
		return r;
	result = result_make(a);
	if (!result)
		return err_sys(err, -ENOMEM, "'%s'", dir);
	r = add_exact(a, result, err);
	r = r < 0 ? r : json_write(path, result, err);
	if (r == 0 && ret)
		*ret = TAKE_PTR(result);
	return r;
}
