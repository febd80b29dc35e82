/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures per cause: how often it began in armed and in control windows, and how many
 * primers it answered. Fed with each beginning, in the order of time. Pure but for memory.
 *
 * A trial is a primer, or its sham in a control window; where a scenario has none, a
 * stimulus. It is hit by a cause that was queued after it acted (a primer with a task of its
 * own spins first, and what runs meanwhile is left over from earlier), and before the next
 * trial of any kind or two seconds after the window's end.
 */
#ifndef VCPULAT_FIGURES_H
#define VCPULAT_FIGURES_H

#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "reports/bundle.h"

struct figure {
	unsigned int hit;   /* trials */
	unsigned int count; /* beginnings in windows of the state, with or without a gap */
};

struct figures;

/**
 * figures_new - nothing has begun yet
 * @bundle: its windows and actions; must outlive the figures
 *
 * Return: the figures, or NULL with errno ENOMEM.
 */
struct figures *figures_new(const struct bundle *bundle);

/** figures_free - drop them; NULL is fine */
void figures_free(struct figures *figures);
DEFINE_CLEANUP(struct figures *, figures_free)

/**
 * figures_add - a cause begins
 * @figures: the figures
 * @cause: its number
 * @tsc: when, host TSC
 * @queued: when it was asked for; @tsc where that is not known
 *
 * Return: 0 or -ENOMEM.
 */
int figures_add(struct figures *figures, uint32_t cause, uint64_t tsc, uint64_t queued);

/**
 * figures_get - one cause in windows of one state
 * @figures: the figures
 * @cause: its number
 * @state: BUNDLE_ARMED or BUNDLE_CONTROL
 */
struct figure figures_get(const struct figures *figures, uint32_t cause, enum bundle_state state);

/**
 * figures_by_window - how often a cause began in each window
 * @figures: the figures
 * @cause: its number
 *
 * Return: as many counts as the bundle has windows, of every state, valid until the next figures_add(); NULL: never.
 */
const uint32_t *figures_by_window(const struct figures *figures, uint32_t cause);

/**
 * figures_trials - trials in windows of one state
 * @figures: the figures
 * @state: BUNDLE_ARMED or BUNDLE_CONTROL
 */
unsigned int figures_trials(const struct figures *figures, enum bundle_state state);

#endif
