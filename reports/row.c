// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/row.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "common/json.h"
#include "reports/difference.h"
#include "reports/statistics.h"
#include "reports/tail.h"

/* A return level for a day is not drawn from less than a hundredth of it. */
#define TAIL_PERIOD_S (24.0 * 3600)
#define TAIL_MIN_S (TAIL_PERIOD_S / 100)

static void forget_primers(struct pool *pool)
{
	pool->armed.primers = pool->armed.hit = 0;
	pool->control.primers = pool->control.hit = 0;
}

int row_cell_load(const struct pool_run *runs, size_t n, struct row_cell *cell)
{
	bool guest_only = strncmp(cell->cause, "guest/", 6) == 0;

	for (int kind = 0; kind < POOL_KIND_MAX; kind++) {
		struct pool_run key = { .arm = cell->arm, .scenario = cell->scenario, .kind = (enum pool_kind)kind };

		if (pool_load(runs, n, &key, cell->cause, &cell->kind[kind]) < 0)
			return -ENOMEM;
		/* Primers aim at what the scenario provokes; anything else has a rate, not a share. */
		if (!cell->provoked)
			forget_primers(&cell->kind[kind]);
		if (guest_only && kind == POOL_NATIVE)
			continue;
		if (pool_merge(&cell->all, &cell->kind[kind]) < 0)
			return -ENOMEM;
	}
	return 0;
}

void row_cell_done(struct row_cell *cell)
{
	for (int kind = 0; kind < POOL_KIND_MAX; kind++)
		pool_done(&cell->kind[kind]);
	pool_done(&cell->all);
}

static json_t *counts_json(const struct pool_counts *counts)
{
	struct stat_interval share;

	if (counts->primers == 0 || counts->hit > counts->primers)
		return json_pack("{s:i, s:i, s:i, s:n, s:n}", "primers", counts->primers, "hit", counts->hit, "count",
				 counts->count, "lo", "hi");
	share = stat_binomial_interval(counts->hit, counts->primers, STAT_CONFIDENCE);
	return json_pack("{s:i, s:i, s:i, s:f, s:f}", "primers", counts->primers, "hit", counts->hit, "count",
			 counts->count, "lo", share.lo, "hi", share.hi);
}

static json_t *ns_or_null(bool has, double ns)
{
	return has ? json_integer((json_int_t)llround(ns)) : json_null();
}

static json_t *quantiles_json(const double *sorted, size_t n)
{
	struct stat_quantile p50 = stat_quantile(sorted, n, 0.5, STAT_CONFIDENCE);
	struct stat_quantile p99 = stat_quantile(sorted, n, 0.99, STAT_CONFIDENCE);
	double total = 0;

	for (size_t i = 0; i < n; i++)
		total += sorted[i];
	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "n", (json_int_t)n, "p50",
			 ns_or_null(p50.has, p50.value), "p50_lo", ns_or_null(p50.has, p50.lo), "p50_hi",
			 ns_or_null(p50.has, p50.hi), "p99", ns_or_null(p99.has, p99.value), "p99_lo",
			 ns_or_null(p99.has, p99.lo), "p99_hi", ns_or_null(p99.has, p99.hi), "max",
			 ns_or_null(n > 0, n > 0 ? sorted[n - 1] : 0), "total", ns_or_null(true, total));
}

static json_t *rate_json(const struct pool *pool)
{
	double minutes = pool->armed.exposure_s / 60;
	struct stat_interval interval;

	if (minutes <= 0)
		return json_null();
	interval = stat_poisson_interval(pool->armed.count, minutes, STAT_CONFIDENCE);
	if (pool->armed.count == 0)
		interval.hi = stat_poisson_upper(0, minutes, STAT_CONFIDENCE);
	return json_pack("{s:f, s:f, s:f, s:b}", "value", pool->armed.count / minutes, "lo", interval.lo, "hi",
			 interval.hi, "one_sided", pool->armed.count == 0);
}

/* Threshold: what leaves a tenth of the sample, or as few as a fit accepts. */
static json_t *tail_json(const struct pool *pool)
{
	size_t above = pool->gaps / 10 > TAIL_MIN_EXCEEDANCES ? pool->gaps / 10 : TAIL_MIN_EXCEEDANCES;
	struct tail_params params = { .exposure = pool->armed.exposure_s,
				      .period = TAIL_PERIOD_S,
				      .confidence = STAT_CONFIDENCE };
	struct tail tail;

	if (pool->armed.exposure_s < TAIL_MIN_S || pool->gaps <= above)
		return json_null();
	params.threshold = pool->gap_ns[pool->gaps - above - 1];
	if (tail_fit(pool->gap_ns, pool->gaps, &params, &tail) < 0)
		return json_null();
	return json_pack("{s:o, s:I, s:f, s:o, s:o, s:o, s:o}", "threshold_ns", ns_or_null(true, params.threshold),
			 "exceedances", (json_int_t)tail.exceedances, "shape", tail.shape, "scale_ns",
			 ns_or_null(true, tail.scale), "day_ns", ns_or_null(tail.level < 1e18, tail.level), "day_lo_ns",
			 ns_or_null(tail.level_lo < 1e18, tail.level_lo), "day_hi_ns",
			 ns_or_null(tail.level_hi < 1e18, tail.level_hi));
}

static json_t *clustering_json(const struct pool *pool)
{
	_cleanup_free_ unsigned int *events = calloc(pool->windows + 1, sizeof(*events));
	_cleanup_free_ double *exposure = calloc(pool->windows + 1, sizeof(*exposure));
	struct stat_dispersion dispersion;
	size_t n = 0;

	if (!events || !exposure)
		return NULL;
	for (size_t i = 0; i < pool->windows; i++) {
		if (!pool->window[i].armed)
			continue;
		events[n] = pool->window[i].count;
		exposure[n++] = pool->window[i].exposure_s;
	}
	dispersion = stat_dispersion(events, exposure, n);
	if (!dispersion.has)
		return json_null();
	return json_pack("{s:f, s:f}", "index", dispersion.index, "p", dispersion.p);
}

static json_t *side_json(const struct pool *pool)
{
	if (pool->runs == 0)
		return json_null();
	return json_pack("{s:I, s:i, s:o, s:o, s:i, s:i, s:o, s:o, s:I, s:I, s:f, s:f, s:o, s:o, s:o, s:f}", "runs",
			 (json_int_t)pool->runs, "boots", pool->boots, "armed", counts_json(&pool->armed), "control",
			 counts_json(&pool->control), "count", pool->armed.count, "explained", pool->explained,
			 "gap_ns", quantiles_json(pool->gap_ns, pool->gaps), "cost_ns",
			 quantiles_json(pool->cost_ns, pool->gaps), "host_ns", (json_int_t)pool->host_ns, "guest_ns",
			 (json_int_t)pool->guest_ns, "exposure_s", pool->armed.exposure_s, "control_exposure_s",
			 pool->control.exposure_s, "rate_per_min", rate_json(pool), "clustering", clustering_json(pool),
			 "tail", tail_json(pool), "lost", pool->lost);
}

/* Of what is not a cause (unexplained, below the host) there is no same gap to compare with. */
static json_t *amplification_json(const char *cause, const struct pool *guest, const struct pool *native)
{
	struct stat_quantile ratio =
		stat_median_ratio(guest->gap_ns, guest->gaps, native->gap_ns, native->gaps, STAT_CONFIDENCE);

	if (!ratio.has || !strchr(cause, '/'))
		return json_null();
	return json_pack("{s:f, s:f, s:f}", "p50", ratio.value, "lo", ratio.lo, "hi", ratio.hi);
}

static json_t *provocation_json(const struct pool *pool, uint64_t seed)
{
	struct difference difference;

	if (pool->control.exposure_s <= 0)
		return json_null();
	if (difference_of_windows(pool, seed, &difference) < 0)
		return NULL;
	return json_pack("{s:f, s:s}", "p", difference.p, "method", difference_method_name(difference.method));
}

json_t *row_build(const struct row_cell *cell, uint64_t seed)
{
	return json_pack("{s:s, s:s, s:b, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:n}", "scenario", cell->scenario, "cause",
			 cell->cause, "provoked", cell->provoked, "arm", cell->arm, "native",
			 side_json(&cell->kind[POOL_NATIVE]), "guest", side_json(&cell->kind[POOL_GUEST]), "bare",
			 side_json(&cell->kind[POOL_BARE]), "amplification",
			 amplification_json(cell->cause, &cell->kind[POOL_GUEST], &cell->kind[POOL_NATIVE]),
			 "rate_per_min", rate_json(&cell->all), "provocation", provocation_json(&cell->all, seed),
			 "exact");
}
