/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the runs of one arm say about one cause in one scenario, added up. A pool holds
 * counts, times and gaps; what they mean is for compare.h and verdict.h.
 *
 * Only single-cause gaps of armed windows enter a distribution: what a cause costs when
 * nothing else is in the same gap.
 */
#ifndef VCPULAT_POOL_H
#define VCPULAT_POOL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"
#include "common/err.h"

/* What the probe ran in. */
enum pool_kind { POOL_GUEST, POOL_NATIVE, POOL_BARE, POOL_KIND_MAX };

/* One result under the name of the arm it counts for; all borrowed. */
struct pool_run {
	const json_t *result;
	const char *arm;
	const char *scenario;
	const char *boot;
	enum pool_kind kind;
};

struct pool_counts {
	unsigned int primers;
	unsigned int hit;   /* primers that were hit */
	unsigned int count; /* occurrences of the cause in these windows */
	double exposure_s;
};

/* One window, or one boot's armed windows: what is exchanged by tests. */
struct pool_unit {
	unsigned int count; /* occurrences; of results that do not tell them by window, those seen in gaps */
	double exposure_s;
	unsigned int boot; /* number within arm and scenario, below the pool's boots */
	bool armed;
};

struct pool {
	size_t runs;
	unsigned int boots; /* boots of the arm and scenario, up to the last that this pool has */
	struct pool_counts armed;
	struct pool_counts control;
	unsigned int explained; /* occurrences of armed.count that lie in an attributed gap */
	double lost;		/* events and gaps lost in these runs */
	double *gap_ns;		/* single-cause gaps of armed windows, ascending */
	double *cost_ns;	/* the cause's own part of them, ascending */
	size_t gaps;
	double host_ns; /* of those gaps together */
	double guest_ns;
	struct pool_unit *window;
	size_t windows;
};

/**
 * pool_kind_parse - the kind of a result
 * @guest: "libvirt", "none" or "bare"
 * @ret: the kind
 *
 * Return: 0 or -EINVAL.
 */
int pool_kind_parse(const char *guest, enum pool_kind *ret);

/**
 * pool_is_traced - was there a trace in all layers of a run?
 * @result: of schema vcpulat-result-1; one that does not tell was traced
 */
bool pool_is_traced(const json_t *result);

/**
 * pool_has_causes - can a result say what caused its gaps, by a trace or by the meter?
 * @result: of schema vcpulat-result-1
 */
bool pool_has_causes(const json_t *result);

/** pool_same_group - are two runs of one arm, scenario and kind, which pool_load() adds up? */
bool pool_same_group(const struct pool_run *a, const struct pool_run *b);

/**
 * pool_load - add up one cause over runs
 * @runs: all runs
 * @n: how many
 * @key: arm, scenario and kind select the runs; the rest is ignored
 * @cause: the cause; only runs that have causes count, and those without a trace only where there are no others: what
 *         tracing does to a gap's length must not mix with what it does not. NULL: every gap of every run
 * @ret: a new pool, with runs 0 when none matches; end it with pool_done()
 *
 * Return: 0 or -ENOMEM.
 */
int pool_load(const struct pool_run *runs, size_t n, const struct pool_run *key, const char *cause, struct pool *ret);

/**
 * pool_merge - one pool of two kinds, for what does not depend on the kind
 * @into: gets the counts, times and windows of both; its gaps stay its own
 * @from: left as it is
 *
 * Return: 0 or -ENOMEM, @into then unchanged.
 */
int pool_merge(struct pool *into, const struct pool *from);

/**
 * pool_done - free what a pool holds
 * @pool: may be zeroed
 */
void pool_done(struct pool *pool);

#define _cleanup_pool_ _cleanup_(pool_done)

#endif
