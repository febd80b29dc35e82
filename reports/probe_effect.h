/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tracing itself changes: runs of one scenario on one arm with a trace against runs
 * without one. Without a trace no gap has a cause, so all gaps of armed windows are compared,
 * how often they come and how long they are.
 */
#ifndef VCPULAT_PROBE_EFFECT_H
#define VCPULAT_PROBE_EFFECT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/pool.h"

/**
 * probe_effect_json - compare wherever there are runs of both kinds
 * @runs: all runs
 * @n: how many
 * @seed: of permutations
 *
 * Rates: the exact interval of their ratio, with counts and times divided by the scatter between windows (between
 * boots, where both have two), as for stat_design_effect(). Lengths: stat_median_ratio(). Ratios are traced over
 * untraced.
 * Return: a new reference to a list, empty when there is nothing to compare, or NULL without memory.
 */
json_t *probe_effect_json(const struct pool_run *runs, size_t n, uint64_t seed);

#endif
