/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan of a run: windows, the guards before them, and when what acts. Pure: the same
 * parameters and seed give the same plan. All times are nanoseconds; windows from the
 * plan's start, actions from their window's start.
 */
#ifndef VCPULAT_PLAN_H
#define VCPULAT_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"

enum window_state { WINDOW_ARMED, WINDOW_CONTROL, WINDOW_GUARD, WINDOW_STATE_MAX };
enum action_role { ROLE_PRIMER, ROLE_SHAM, ROLE_STIMULUS, ROLE_SETTLE, ROLE_MAX };

/* One sort of action: the first of a window at a random phase of one period, then period + 0..jitter. */
struct plan_rhythm {
	uint64_t period_ns; /* 0: does not act */
	uint64_t jitter_ns;
	uint64_t tail_ns; /* none in a window's last stretch (half of it at most): the last one's effect is seen too */
};

struct plan_params {
	uint64_t seed;
	uint64_t length_ns;
	uint64_t armed_ns;
	uint64_t control_ns;
	uint64_t guard_ns; /* before each window */
	struct plan_rhythm primer;
	struct plan_rhythm stimulus;
};

struct plan_action {
	enum action_role role;
	uint64_t at_ns; /* from its window's start; ascending */
};

struct plan_window {
	enum window_state state;
	uint64_t start_ns;
	uint64_t length_ns;
	struct plan_action *actions;
	size_t n_actions;
};

struct plan {
	struct plan_window *windows;
	size_t n_windows;
	uint64_t total_ns;
};

/**
 * plan_make - lay windows and actions out
 * @params: times and seed
 * @ret: filled; to be given to plan_done(), also after a failure
 *
 * Armed and control windows alternate as evenly as their numbers allow; which comes first
 * is drawn. A control window has shams where an armed one has primers, and no stimuli.
 *
 * Return: 0, -EINVAL for a length of 0, -ENOMEM.
 */
int plan_make(const struct plan_params *params, struct plan *ret);

/**
 * plan_done - free a plan
 * @plan: may be zeroed
 */
void plan_done(struct plan *plan);

/** window_state_name - "armed", "control" or "guard" */
const char *window_state_name(enum window_state state);

/** action_role_name - "primer", "sham", "stimulus" or "settle" */
const char *action_role_name(enum action_role role);

#define _cleanup_plan_ _cleanup_(plan_done)

#endif
