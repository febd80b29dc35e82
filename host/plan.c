// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/plan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/random.h"

/* Uniform in [0, below); 0 for 0. */
static uint64_t draw_below(uint64_t *state, uint64_t below)
{
	return (uint64_t)((unsigned __int128)random_next(state) * below >> 64);
}

static size_t windows_of(uint64_t total_ns, uint64_t length_ns)
{
	uint64_t n = (total_ns + length_ns / 2) / length_ns;

	if (total_ns == 0)
		return 0;
	return n ? n : 1;
}

static size_t count_actions(const struct plan_rhythm *rhythm, uint64_t length_ns)
{
	return rhythm->period_ns ? length_ns / rhythm->period_ns + 1 : 0;
}

static void add_actions(struct plan_window *w, const struct plan_rhythm *rhythm, enum action_role role, uint64_t *rng)
{
	uint64_t tail_ns = rhythm->tail_ns < w->length_ns / 2 ? rhythm->tail_ns : w->length_ns / 2;
	uint64_t at = draw_below(rng, rhythm->period_ns);

	if (!rhythm->period_ns)
		return;
	while (at + tail_ns < w->length_ns) {
		w->actions[w->n_actions++] = (struct plan_action){ .role = role, .at_ns = at };
		at += rhythm->period_ns + draw_below(rng, rhythm->jitter_ns);
	}
}

static int by_time(const void *a, const void *b)
{
	const struct plan_action *x = a;
	const struct plan_action *y = b;

	return x->at_ns < y->at_ns ? -1 : x->at_ns > y->at_ns;
}

static int fill_window(const struct plan_params *p, struct plan_window *w, uint64_t *rng)
{
	bool armed = w->state == WINDOW_ARMED;
	size_t most = count_actions(&p->primer, w->length_ns) + count_actions(&p->stimulus, w->length_ns);

	if (!most)
		return 0;
	w->actions = calloc(most, sizeof(*w->actions));
	if (!w->actions)
		return -ENOMEM;
	add_actions(w, &p->primer, armed ? ROLE_PRIMER : ROLE_SHAM, rng);
	if (armed)
		add_actions(w, &p->stimulus, ROLE_STIMULUS, rng);
	qsort(w->actions, w->n_actions, sizeof(*w->actions), by_time);
	return 0;
}

static struct plan_window *add_window(struct plan *plan, enum window_state state, uint64_t length_ns)
{
	struct plan_window *w = &plan->windows[plan->n_windows++];

	*w = (struct plan_window){ .state = state, .start_ns = plan->total_ns, .length_ns = length_ns };
	plan->total_ns += length_ns;
	return w;
}

/* The state that lags behind its share goes next; a tie is drawn. */
static enum window_state next_state(size_t left[2], const size_t all[2], uint64_t *rng)
{
	uint64_t armed = (uint64_t)left[WINDOW_ARMED] * all[WINDOW_CONTROL];
	uint64_t control = (uint64_t)left[WINDOW_CONTROL] * all[WINDOW_ARMED];
	enum window_state state;

	if (!left[WINDOW_ARMED] || !left[WINDOW_CONTROL])
		state = left[WINDOW_ARMED] ? WINDOW_ARMED : WINDOW_CONTROL;
	else if (armed == control)
		state = draw_below(rng, 2) ? WINDOW_ARMED : WINDOW_CONTROL;
	else
		state = armed > control ? WINDOW_ARMED : WINDOW_CONTROL;
	left[state]--;
	return state;
}

int plan_make(const struct plan_params *p, struct plan *ret)
{
	uint64_t rng = p->seed;
	const uint64_t total_ns[2] = { p->armed_ns, p->control_ns };
	size_t all[2];
	size_t left[2];
	int res = 0;

	*ret = (struct plan){ 0 };
	if (!p->length_ns)
		return -EINVAL;
	for (int i = 0; i < 2; i++)
		left[i] = all[i] = windows_of(total_ns[i], p->length_ns);
	ret->windows = calloc(2 * (all[0] + all[1]), sizeof(*ret->windows));
	if (!ret->windows)
		return -ENOMEM;
	while (res == 0 && left[0] + left[1]) {
		enum window_state state = next_state(left, all, &rng);

		add_window(ret, WINDOW_GUARD, p->guard_ns);
		res = fill_window(p, add_window(ret, state, total_ns[state] / all[state]), &rng);
	}
	return res;
}

void plan_done(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_windows; i++)
		free(plan->windows[i].actions);
	free(plan->windows);
	*plan = (struct plan){ 0 };
}

const char *window_state_name(enum window_state state)
{
	static const char *const names[] = { "armed", "control", "guard" };

	return names[state];
}

const char *action_role_name(enum action_role role)
{
	static const char *const names[] = { "primer", "sham", "stimulus", "settle" };

	return names[role];
}
