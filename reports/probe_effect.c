// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/probe_effect.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "common/fs.h"
#include "common/json.h"
#include "reports/difference.h"
#include "reports/statistics.h"

/* Pools of one scenario, arm and kind of probe. */
struct effect {
	const struct pool_run *key;
	struct pool traced;
	struct pool untraced;
	struct difference difference;
	struct stat_quantile rate;   /* ratio; hi may be HUGE_VAL */
	struct stat_quantile length; /* ratio of medians */
};

static void effect_done(struct effect *effect)
{
	pool_done(&effect->traced);
	pool_done(&effect->untraced);
}

/* The runs with a trace, or those without. */
static size_t choose_runs(const struct pool_run *runs, size_t n, bool traced, struct pool_run *ret)
{
	size_t chosen = 0;

	for (size_t i = 0; i < n; i++)
		if (pool_is_traced(runs[i].result) == traced)
			ret[chosen++] = runs[i];
	return chosen;
}

static int load(const struct pool_run *runs, size_t n, struct effect *effect)
{
	_cleanup_free_ struct pool_run *list = calloc(n + 1, sizeof(*list));

	if (!list || pool_load(list, choose_runs(runs, n, true, list), effect->key, NULL, &effect->traced) < 0)
		return -ENOMEM;
	return pool_load(list, choose_runs(runs, n, false, list), effect->key, NULL, &effect->untraced);
}

static void compare(struct effect *effect)
{
	const struct pool *a = &effect->traced;
	const struct pool *b = &effect->untraced;
	double scatter = fmax(effect->difference.scatter, 1);

	effect->rate = stat_rate_ratio((unsigned int)(a->armed.count / scatter), a->armed.exposure_s / scatter,
				       (unsigned int)(b->armed.count / scatter), b->armed.exposure_s / scatter,
				       STAT_CONFIDENCE);
	if (effect->rate.has && b->armed.count > 0)
		effect->rate.value = a->armed.count / a->armed.exposure_s / (b->armed.count / b->armed.exposure_s);
	effect->length = stat_median_ratio(a->gap_ns, a->gaps, b->gap_ns, b->gaps, STAT_CONFIDENCE);
}

static json_t *number_or_null(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *ratio_json(const struct stat_quantile *ratio)
{
	if (!ratio->has)
		return json_null();
	return json_pack("{s:o, s:o, s:o}", "value", number_or_null(ratio->value), "lo", number_or_null(ratio->lo),
			 "hi", number_or_null(ratio->hi));
}

static json_t *side_json(const struct pool *pool)
{
	struct stat_quantile p50 = stat_quantile(pool->gap_ns, pool->gaps, 0.5, STAT_CONFIDENCE);

	return json_pack("{s:I, s:i, s:i, s:f, s:o, s:o}", "runs", (json_int_t)pool->runs, "boots", pool->boots, "gaps",
			 pool->armed.count, "exposure_s", pool->armed.exposure_s, "p50_ns",
			 p50.has ? json_integer(llround(p50.value)) : json_null(), "max_ns",
			 pool->gaps ? json_integer(llround(pool->gap_ns[pool->gaps - 1])) : json_null());
}

static bool excludes_one(const struct stat_quantile *ratio)
{
	return ratio->has && (ratio->lo > 1 || ratio->hi < 1);
}

/* "1.31 (1.12 to 1.52)" */
static char *ratio_text(const struct stat_quantile *ratio)
{
	if (!ratio->has)
		return strdup("not known, too few");
	if (!isfinite(ratio->hi))
		return str_printf("more than %.2f", ratio->lo);
	return str_printf("%.2f (%.2f to %.2f at 95%%)", ratio->value, ratio->lo, ratio->hi);
}

/* What the intervals do not cover. */
static const char *caveat(const struct effect *effect)
{
	if (effect->difference.boots)
		return "";
	if (effect->difference.method <= DIFFERENCE_EXACT)
		return "; gaps are taken as independent, and what differs from boot to boot is not covered";
	return "; what differs from boot to boot is not covered";
}

static json_t *text_json(const struct effect *effect)
{
	bool rate = excludes_one(&effect->rate);
	bool length = excludes_one(&effect->length);
	_cleanup_free_ char *rates = ratio_text(&effect->rate);
	_cleanup_free_ char *lengths = ratio_text(&effect->length);
	_cleanup_free_ char *text = NULL;

	if (!rates || !lengths)
		return NULL;
	text = str_printf("%u gaps in %.0f s traced, %u in %.0f s untraced; rate with over without tracing %s, median "
			  "length %s: %s%s",
			  effect->traced.armed.count, effect->traced.armed.exposure_s, effect->untraced.armed.count,
			  effect->untraced.armed.exposure_s, rates, lengths,
			  rate && length ? "tracing changes both"
			  : rate	 ? "tracing changes the rate"
			  : length	 ? "tracing changes the length"
					 : "no effect shown",
			  caveat(effect));
	return text ? json_string(text) : NULL;
}

static json_t *effect_json(const struct effect *effect)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:f, s:s, s:f, s:b, s:b, s:o}", "scenario",
			 effect->key->scenario, "arm", effect->key->arm, "guest",
			 json_get_string(effect->key->result, "guest"), "traced", side_json(&effect->traced),
			 "untraced", side_json(&effect->untraced), "rate_ratio", ratio_json(&effect->rate),
			 "length_ratio", ratio_json(&effect->length), "p", effect->difference.p, "method",
			 difference_method_name(effect->difference.method), "scatter", effect->difference.scatter,
			 "boots", effect->difference.boots, "changes",
			 excludes_one(&effect->rate) || excludes_one(&effect->length), "text", text_json(effect));
}

static int add_effect(const struct pool_run *runs, size_t n, const struct pool_run *key, uint64_t seed, json_t *list)
{
	_cleanup_(effect_done) struct effect effect = { .key = key };
	json_t *entry;

	if (load(runs, n, &effect) < 0)
		return -ENOMEM;
	if (effect.traced.armed.exposure_s <= 0 || effect.untraced.armed.exposure_s <= 0)
		return 0;
	if (difference_test(&effect.traced, &effect.untraced, seed, &effect.difference) < 0)
		return -ENOMEM;
	compare(&effect);
	entry = effect_json(&effect);
	return entry && json_array_append_new(list, entry) == 0 ? 0 : -ENOMEM;
}

static bool is_first(const struct pool_run *runs, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (pool_same_group(&runs[j], &runs[i]))
			return false;
	return true;
}

json_t *probe_effect_json(const struct pool_run *runs, size_t n, uint64_t seed)
{
	_cleanup_json_ json_t *list = json_array();

	if (!list)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (is_first(runs, i) && add_effect(runs, n, &runs[i], seed, list) < 0)
			return NULL;
	return TAKE_PTR(list);
}
