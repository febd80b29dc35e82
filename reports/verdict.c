// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/verdict.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "reports/statistics.h"

#define LEVEL (1 - STAT_CONFIDENCE)

static void add(struct verdict *verdict, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct verdict *verdict, const char *fmt, ...)
{
	size_t used = strlen(verdict->text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(verdict->text + used, sizeof(verdict->text) - used, fmt, args);
	va_end(args);
}

void verdict_format_rate(double per_minute, bool up, char ret[static 16])
{
	double digit = per_minute >= 10 ? 1 : per_minute >= 1 ? 0.1 : 0.01;
	double shown = up ? ceil(per_minute / digit - 1e-9) * digit : per_minute;

	snprintf(ret, 16, "%.*f", per_minute >= 10 ? 0 : per_minute >= 1 ? 1 : 2, shown);
}

static void add_time(struct verdict *verdict, double seconds)
{
	if (seconds >= 2 * 3600)
		add(verdict, "%.1f h", seconds / 3600);
	else if (seconds >= 600)
		add(verdict, "%.0f min", seconds / 60);
	else
		add(verdict, "%.0f s", seconds);
}

static bool seen_armed(const struct pool *pool)
{
	return pool->armed.count > 0 || pool->armed.hit > 0;
}

static bool seen(const struct pool *pool)
{
	return seen_armed(pool) || pool->control.count > 0 || pool->control.hit > 0;
}

/* A primer near the end of its window may be answered after it: hit, but not counted in the window. */
static unsigned int events(const struct pool *pool)
{
	return pool->armed.count > 0 ? pool->armed.count : pool->armed.hit;
}

static double rate(const struct pool *pool)
{
	return pool->armed.exposure_s > 0 ? events(pool) / pool->armed.exposure_s : 0;
}

static void add_upper_bound(struct verdict *verdict, const struct pool *pool)
{
	char bound[16];

	if (pool->armed.exposure_s <= 0)
		return;
	verdict_format_rate(60 * stat_poisson_upper(0, pool->armed.exposure_s, STAT_CONFIDENCE), true, bound);
	add(verdict, " (< %s per minute at 95%%)", bound);
}

/* "24 in 40 s on ARM (36 per minute, 23 to 54 at 95%)", or "0 in 40 s on ARM (< 4.5 per minute at 95%)" */
static void add_rate(struct verdict *verdict, const struct verdict_side *side)
{
	const struct pool *pool = side->pool;
	struct stat_interval interval;
	char value[16];
	char lo[16];
	char hi[16];

	add(verdict, "%u in ", events(pool));
	add_time(verdict, pool->armed.exposure_s);
	add(verdict, " on %s", side->arm);
	if (events(pool) == 0) {
		add_upper_bound(verdict, pool);
		return;
	}
	if (pool->armed.exposure_s <= 0)
		return;
	interval = stat_poisson_interval(events(pool), pool->armed.exposure_s, STAT_CONFIDENCE);
	verdict_format_rate(60 * rate(pool), false, value);
	verdict_format_rate(60 * interval.lo, false, lo);
	verdict_format_rate(60 * interval.hi, true, hi);
	add(verdict, " (%s per minute, %s to %s at 95%%)", value, lo, hi);
}

/* "26 of 26 hits explained on ARM", or the bound when there is none */
static void add_explained(struct verdict *verdict, const struct verdict_side *side)
{
	unsigned int explained =
		side->pool->explained < events(side->pool) ? side->pool->explained : events(side->pool);

	if (events(side->pool) == 0)
		add_rate(verdict, side);
	else
		add(verdict, "%u of %u hits explained on %s", explained, events(side->pool), side->arm);
}

static void add_control(struct verdict *verdict, const struct verdict_side *side)
{
	if (!seen_armed(side->pool) && seen(side->pool))
		add(verdict, ", %u in control windows",
		    side->pool->control.count > 0 ? side->pool->control.count : side->pool->control.hit);
}

static void add_p(struct verdict *verdict, const struct difference *difference)
{
	if (difference->p < 0.001)
		add(verdict, "p < 0.001");
	else
		add(verdict, "p = %.*f", difference->p < 0.1 ? 3 : 2, difference->p);
}

/* What the figures would otherwise hide. */
static void add_caveats(struct verdict *verdict, const struct verdict_side *side)
{
	if (!side->arm)
		return;
	if (side->partial > 0)
		add(verdict, "; %u partial run%s of %s", side->partial, side->partial > 1 ? "s" : "", side->arm);
	if (side->pool->lost > 0)
		add(verdict, "; %.0f events or gaps lost on %s", side->pool->lost, side->arm);
	if (side->log_lines > 0)
		add(verdict, "; the kernel log has %u finding%s on %s", side->log_lines, side->log_lines > 1 ? "s" : "",
		    side->arm);
}

static void pronounce(struct verdict *verdict, enum verdict_state state, const char *words)
{
	verdict->state = state;
	add(verdict, ": %s", words);
}

/*
 * How long nothing would have had to be seen to lie below what the other arm shows for certain: after its primers,
 * or by its rate. Twice that, for an arm is not lucky each time. 0: nothing is certain.
 */
static double exposure_needed(const struct pool *base)
{
	const struct pool_counts *armed = &base->armed;
	struct stat_interval interval;

	if (armed->primers == 0) {
		interval = stat_poisson_interval(events(base), armed->exposure_s, STAT_CONFIDENCE);
		return interval.lo > 0 ? 2 * stat_exposure_needed(interval.lo, 0, STAT_CONFIDENCE) : 0;
	}
	interval = stat_binomial_interval(armed->hit, armed->primers, STAT_CONFIDENCE);
	if (interval.lo <= 0)
		return 0;
	return 2 * stat_trials_needed(interval.lo, STAT_CONFIDENCE) * armed->exposure_s / armed->primers;
}

static void pronounce_too_short(struct verdict *verdict, const struct pool *base)
{
	double needed_s = exposure_needed(base);

	pronounce(verdict, VERDICT_UNDECIDED, "undecided");
	if (needed_s <= 0)
		return;
	add(verdict, ", too few; ");
	add_time(verdict, ceil(needed_s));
	add(verdict, " of armed windows an arm would do");
}

static bool lower(const struct verdict_case *q)
{
	return q->difference.p <= LEVEL && rate(q->arm.pool) < rate(q->base.pool);
}

static bool comparable(const struct verdict_case *q, struct verdict *ret)
{
	if (q->arm.pool->runs > 0 && q->base.pool->runs > 0 && q->arm.pool->armed.exposure_s > 0 &&
	    q->base.pool->armed.exposure_s > 0)
		return true;
	add(ret, "not measured on %s", q->arm.pool->armed.exposure_s > 0 ? q->base.arm : q->arm.arm);
	pronounce(ret, VERDICT_UNDECIDED, "undecided");
	return false;
}

static void decide_claimed(const struct verdict_case *q, struct verdict *ret)
{
	add_explained(ret, &q->base);
	add(ret, "; ");
	add_rate(ret, &q->arm);
	add_control(ret, &q->arm);
	if (!seen(q->base.pool) && !seen(q->arm.pool))
		pronounce(ret, VERDICT_UNDECIDED, "undecided, nothing was there to remove");
	else if (seen(q->arm.pool) && lower(q))
		pronounce(ret, VERDICT_REDUCED, "reduced, not removed");
	else if (seen(q->arm.pool))
		pronounce(ret, VERDICT_REMAINS, "remains");
	else if (q->arm.pool->lost > 0)
		pronounce(ret, VERDICT_UNDECIDED, "undecided, what was lost may have held it");
	else if (lower(q))
		pronounce(ret, VERDICT_REMOVED, "removed");
	else
		pronounce_too_short(ret, q->base.pool);
}

static void decide_provoked(const struct verdict_case *q, struct verdict *ret)
{
	add_explained(ret, &q->base);
	add(ret, "; ");
	add_explained(ret, &q->arm);
	add_control(ret, &q->arm);
	if (seen_armed(q->base.pool) && seen_armed(q->arm.pool))
		pronounce(ret, VERDICT_AS_EXPECTED, "as expected");
	else if (!seen_armed(q->base.pool) && !seen_armed(q->arm.pool))
		pronounce(ret, VERDICT_UNDECIDED, "undecided, provoked on neither arm");
	else if (q->difference.p > LEVEL)
		pronounce(ret, VERDICT_UNDECIDED, "undecided, too few");
	else if (seen_armed(q->base.pool))
		pronounce(ret, VERDICT_UNEXPECTED, "unexpected, no patch of this arm claims to remove it");
	else
		pronounce(ret, VERDICT_UNEXPECTED, "unexpected, it does not occur without this arm's patches");
}

/* Provoked on an arm that claims to add it: there, and only there. */
static void decide_added(const struct verdict_case *q, struct verdict *ret)
{
	add_rate(ret, &q->base);
	add_control(ret, &q->base);
	add(ret, "; ");
	add_explained(ret, &q->arm);
	add_control(ret, &q->arm);
	if (seen(q->base.pool))
		pronounce(ret, VERDICT_UNEXPECTED, "unexpected, this arm is not the one that adds it");
	else if (!seen_armed(q->arm.pool))
		pronounce(ret, VERDICT_UNEXPECTED, "unexpected, this arm should have added it");
	else if (q->base.pool->lost > 0)
		pronounce(ret, VERDICT_UNDECIDED, "undecided, what was lost may have held it");
	else if (q->difference.p > LEVEL)
		pronounce(ret, VERDICT_UNDECIDED, "undecided, too few");
	else
		pronounce(ret, VERDICT_AS_EXPECTED, "added by this arm, as expected");
}

static bool decide_other(const struct verdict_case *q, struct verdict *ret)
{
	if (q->difference.p > LEVEL || rate(q->arm.pool) <= rate(q->base.pool))
		return false;
	add_rate(ret, &q->base);
	add(ret, "; ");
	add_rate(ret, &q->arm);
	add(ret, ", ");
	add_p(ret, &q->difference);
	ret->decisive = q->difference.boots;
	if (q->difference.boots)
		pronounce(ret, VERDICT_UNEXPECTED, "unexpected, more often");
	else
		pronounce(ret, VERDICT_UNDECIDED, "more often, but one boot an arm cannot tell an arm from a boot");
	return true;
}

static void decide_alone(const struct verdict_case *q, struct verdict *ret)
{
	add_explained(ret, &q->arm);
	if (q->arm.pool->control.primers > 0)
		add(ret, "; primers hit %u of %u armed, %u of %u control", q->arm.pool->armed.hit,
		    q->arm.pool->armed.primers, q->arm.pool->control.hit, q->arm.pool->control.primers);
	add_control(ret, &q->arm);
	if (q->removes && !seen(q->arm.pool))
		pronounce(ret, VERDICT_UNDECIDED, "as claimed, but there is no arm without the patch to compare with");
	else if (q->removes)
		pronounce(ret, VERDICT_REMAINS, "remains");
	else if (seen_armed(q->arm.pool))
		pronounce(ret, VERDICT_AS_EXPECTED, "as expected");
	else
		pronounce(ret, VERDICT_UNEXPECTED, "unexpected, the scenario did not provoke it");
}

bool verdict_decide(const struct verdict_case *question, struct verdict *ret)
{
	*ret = (struct verdict){ .decisive = true };
	add(ret, "%s: ", question->cause);
	if (!question->base.arm) {
		if (!question->provoked && !(question->removes && seen(question->arm.pool)))
			return false;
		decide_alone(question, ret);
	} else if (!question->provoked && !question->removes) {
		if (question->adds || !decide_other(question, ret))
			return false;
	} else if (!question->provoked && !seen(question->arm.pool)) {
		/* Claimed, but another scenario is the place to prove it. */
		return false;
	} else if (comparable(question, ret)) {
		if (question->removes)
			decide_claimed(question, ret);
		else if (question->adds)
			decide_added(question, ret);
		else
			decide_provoked(question, ret);
	}
	add_caveats(ret, &question->base);
	add_caveats(ret, &question->arm);
	return true;
}

void verdict_decide_aa(const struct verdict_case *question, struct verdict *ret)
{
	*ret = (struct verdict){ .decisive = true };
	add(ret, "%s: ", question->cause);
	add_rate(ret, &question->base);
	add(ret, "; ");
	add_rate(ret, &question->arm);
	add(ret, ", ");
	add_p(ret, &question->difference);
	if (question->difference.p > LEVEL)
		pronounce(ret, VERDICT_AS_EXPECTED, "no difference, as expected");
	else
		pronounce(ret, VERDICT_UNEXPECTED, "different, though nothing was changed");
	add_caveats(ret, &question->base);
	add_caveats(ret, &question->arm);
}

const char *verdict_state_name(enum verdict_state state)
{
	static const char *const names[VERDICT_STATE_MAX] = {
		[VERDICT_REMOVED] = "removed",	       [VERDICT_REDUCED] = "reduced",
		[VERDICT_REMAINS] = "remains",	       [VERDICT_UNDECIDED] = "undecided",
		[VERDICT_AS_EXPECTED] = "as-expected", [VERDICT_UNEXPECTED] = "unexpected",
	};

	return names[state];
}

bool verdict_good(const char *state)
{
	return strcmp(state, verdict_state_name(VERDICT_REMOVED)) == 0 ||
	       strcmp(state, verdict_state_name(VERDICT_AS_EXPECTED)) == 0;
}
