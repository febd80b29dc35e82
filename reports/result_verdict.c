// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/result.h"

#include <stdarg.h>
#include <string.h>

#include "common/fs.h"
#include "common/json.h"
#include "common/tsc.h"
#include "reports/analyze.h"
#include "reports/statistics.h"

/* Gaps with lost events inside, of all: above this share nothing is concluded. */
#define MAX_LOST_PERCENT 10

enum state { PASSED, NO_VERDICT, FAILED };

struct judgement {
	enum state state;
	json_t *reasons;
};

static void note(struct judgement *j, enum state state, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void note(struct judgement *j, enum state state, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	if (state > j->state)
		j->state = state;
	json_array_append_new(j->reasons, json_string(text ? text : "out of memory"));
}

static void judge_evidence(struct judgement *j, const struct analysis *a)
{
	const struct bundle *b = a->bundle;
	const json_t *lost = json_object_get(b->manifest, "lost");
	size_t flagged = 0;

	if (!b->is_complete)
		note(j, NO_VERDICT, "the run is partial: %s", json_get_string(b->manifest, "reason"));
	if (!b->probe.turns)
		note(j, NO_VERDICT, "the probe recorded nothing");
	if (b->probe.lost)
		note(j, NO_VERDICT, "%llu gaps did not fit into the probe's ring", (unsigned long long)b->probe.lost);
	if (!a->has_host_trace && a->has_meter)
		note(j, PASSED, "gaps are explained by their instructions: there is no trace");
	else if (!a->has_host_trace || (b->has_guest && !b->is_bare && !a->has_guest_trace))
		note(j, PASSED, "gaps are counted, not explained: there is no trace of the %s",
		     a->has_host_trace ? "guest" : "host");
	for (size_t i = 0; i < a->n_gaps; i++)
		flagged += a->gaps[i].lost;
	if (flagged)
		note(j, flagged * 100 > a->n_gaps * MAX_LOST_PERCENT ? NO_VERDICT : PASSED,
		     "%zu of %zu gaps lie where trace events were lost (%llu in the host, %llu in the guest)", flagged,
		     a->n_gaps, (unsigned long long)json_get_u64(lost, "host_events"),
		     (unsigned long long)json_get_u64(lost, "guest_events"));
	if (b->has_guest && (!b->clock.stable || a->clock.changed))
		note(j, NO_VERDICT, "the guest's clock changed against the host's during the run");
}

/* What acts as one is of one kind. Who did nothing at all has shown nothing. */
static void judge_actions(struct judgement *j, const struct bundle *b, enum bundle_role role)
{
	const struct bundle_action *first = NULL;
	size_t failed = 0;
	size_t n = 0;

	for (size_t i = 0; i < b->n_actions; i++) {
		if (b->actions[i].role != role)
			continue;
		n++;
		if (!b->actions[i].failure[0])
			continue;
		failed++;
		if (!first)
			first = &b->actions[i];
	}
	if (first)
		note(j, failed == n ? NO_VERDICT : PASSED, "%s %s: %zu of %zu failed: %s", bundle_role_name(role),
		     first->kind, failed, n, first->failure);
}

static bool is_qualification(const struct analysis *a)
{
	return strcmp(json_get_string(a->bundle->manifest, "mode"), "qualification") == 0;
}

static void note_findings(struct judgement *j, enum state state, const json_t *findings, const char *more)
{
	json_t *finding;
	size_t i;

	json_array_foreach (findings, i, finding)
		note(j, state, "%s%s", json_get_string(finding, "text"), more);
}

static void judge_logs(struct judgement *j, const struct analysis *a)
{
	const json_t *first = json_array_get(a->kernel_log.during, 0);

	if (first)
		note(j, FAILED, "%zu faults in kernel logs, the first in the %s's: %s",
		     json_array_size(a->kernel_log.during), json_get_string(first, "layer"),
		     json_get_string(first, "line"));
	note_findings(j, PASSED, a->kernel_log.missing, "");
}

/* Counts and causes do without a good TSC, and are right on a debug kernel; microseconds do not and are not. */
static void judge_machine(struct judgement *j, const struct analysis *a)
{
	if (is_qualification(a))
		note_findings(j, FAILED, a->tsc, "");
	note_findings(j, is_qualification(a) ? FAILED : PASSED, a->debug, ": lengths are not told");
}

static bool is_deliberate(const struct analysis *a, const struct gap *gap)
{
	for (size_t i = 0; i < gap->n_roots; i++)
		if (causes_class(a->causes, gap->root[i].cause) == CAUSE_STIMULUS)
			return true;
	return false;
}

static bool is_provoked(const struct analysis *a, const json_t *provokes, uint32_t cause)
{
	json_t *text;
	size_t i;

	json_array_foreach (provokes, i, text)
		if (json_is_string(text) && strcmp(json_string_value(text), causes_text(a->causes, cause)) == 0)
			return true;
	return false;
}

/* A limit is on what the scenario provokes, alone in its gap; where it provokes nothing, on every gap we did not make.
 */
static bool is_judged(const struct analysis *a, const json_t *provokes, const struct gap *gap)
{
	if (bundle_state_at(a->bundle, gap->t0) != BUNDLE_ARMED)
		return false;
	if (json_array_size(provokes))
		return gap->single && is_provoked(a, provokes, gap->cause);
	return !is_deliberate(a, gap);
}

/* Lengths of the judged gaps, ascending. */
static size_t take_lengths(const struct analysis *a, double *ret)
{
	const json_t *provokes = json_object_get(json_object_get(a->bundle->manifest, "scenario"), "provokes");
	size_t n = 0;

	for (size_t i = 0; i < a->n_gaps; i++)
		if (is_judged(a, provokes, &a->gaps[i]))
			ret[n++] = (double)tsc_to_ns(a->gaps[i].t1 - a->gaps[i].t0, a->bundle->cycles_per_second);
	stat_sort(ret, n);
	return n;
}

static void judge_limit(struct judgement *j, const char *figure, double limit_ns, const double *sorted, size_t n)
{
	struct stat_quantile p99 = stat_quantile(sorted, n, 0.99, STAT_CONFIDENCE);
	double value = n ? sorted[n - 1] : 0;

	if (strstr(figure, ".max") == NULL && p99.has)
		value = p99.value;
	else if (strstr(figure, ".max") == NULL && value >= limit_ns) {
		note(j, NO_VERDICT, "%s: %zu gaps do not carry a 99th percentile", figure, n);
		return;
	}
	if (value >= limit_ns)
		note(j, FAILED, "%s is %.1f us, the limit is %.1f us", figure, value / 1e3, limit_ns / 1e3);
}

static void judge_limits(struct judgement *j, const struct analysis *a)
{
	const json_t *manifest = a->bundle->manifest;
	const char *subject = a->bundle->has_guest ? "penalty." : "native.";
	_cleanup_free_ double *lengths = calloc(a->n_gaps + 1, sizeof(*lengths));
	size_t n = lengths ? take_lengths(a, lengths) : 0;
	json_t *limit;
	size_t i;

	json_array_foreach (json_object_get(manifest, "limits"), i, limit) {
		const char *figure = json_get_string(limit, "figure");

		if (strncmp(figure, subject, strlen(subject)) != 0 || !lengths)
			continue;
		if (!is_qualification(a))
			note(j, PASSED, "%s is not judged: only qualification mode gives microseconds", figure);
		else
			judge_limit(j, figure, (double)json_get_u64(limit, "max_ns"), lengths, n);
	}
}

json_t *result_verdict(const struct analysis *analysis)
{
	static const char *const names[] = { "passed", "no-verdict", "failed" };
	struct judgement j = { .state = PASSED, .reasons = json_array() };

	judge_evidence(&j, analysis);
	judge_actions(&j, analysis->bundle, BUNDLE_PRIMER);
	judge_actions(&j, analysis->bundle, BUNDLE_STIMULUS);
	judge_logs(&j, analysis);
	judge_machine(&j, analysis);
	judge_limits(&j, analysis);
	return json_pack("{s:s, s:o}", "state", names[j.state], "reasons", j.reasons);
}
