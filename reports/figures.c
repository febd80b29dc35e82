// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/figures.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/tsc.h"
#include "reports/search.h"

#define AFTER_WINDOW_NS 2000000000ULL /* two of the least vm.stat_interval */
#define SCORED_STATES 2		      /* BUNDLE_ARMED, BUNDLE_CONTROL */

struct trial {
	uint64_t begin; /* what is queued from here on... */
	uint64_t end;	/* ...to here answers it */
	enum bundle_state state;
};

struct cause_figures {
	struct figure state[SCORED_STATES];
	size_t answered;     /* number + 1 of the last trial that it has hit */
	uint32_t *by_window; /* NULL: never in a window */
};

struct figures {
	const struct bundle *bundle;
	struct trial *trial;
	size_t n_trials;
	struct cause_figures *cause;
	uint32_t n_causes;
};

static bool has_primers(const struct bundle *bundle)
{
	for (size_t i = 0; i < bundle->n_actions; i++)
		if (bundle->actions[i].role == BUNDLE_PRIMER || bundle->actions[i].role == BUNDLE_SHAM)
			return true;
	return false;
}

static bool is_trial(const struct bundle_action *action, bool by_primer)
{
	if (by_primer)
		return action->role == BUNDLE_PRIMER || action->role == BUNDLE_SHAM;
	return action->role == BUNDLE_STIMULUS;
}

static void add_trial(struct figures *figures, const struct bundle_action *action)
{
	const struct bundle *b = figures->bundle;
	size_t window = action->window < b->n_windows ? action->window : bundle_window_at(b, action->t0);
	enum bundle_state state = bundle_window_state(b, window);
	struct trial *trial = &figures->trial[figures->n_trials];

	if (figures->n_trials && trial[-1].end > action->t0)
		trial[-1].end = action->t0;
	if (state >= SCORED_STATES)
		return;
	trial->state = state;
	trial->begin = action->role == BUNDLE_STIMULUS || action->by_probe ? action->t0 : action->t1;
	trial->end = b->windows[window].t1 + tsc_from_ns(AFTER_WINDOW_NS, b->cycles_per_second);
	figures->n_trials++;
}

struct figures *figures_new(const struct bundle *bundle)
{
	struct figures *figures = calloc(1, sizeof(*figures));
	bool by_primer = has_primers(bundle);

	if (figures)
		figures->trial = calloc(bundle->n_actions + 1, sizeof(*figures->trial));
	if (!figures || !figures->trial) {
		figures_free(figures);
		errno = ENOMEM;
		return NULL;
	}
	figures->bundle = bundle;
	for (size_t i = 0; i < bundle->n_actions; i++)
		if (is_trial(&bundle->actions[i], by_primer))
			add_trial(figures, &bundle->actions[i]);
	return figures;
}

void figures_free(struct figures *figures)
{
	if (!figures)
		return;
	for (uint32_t i = 0; i < figures->n_causes; i++)
		free(figures->cause[i].by_window);
	free(figures->trial);
	free(figures->cause);
	free(figures);
}

static struct cause_figures *figures_of(struct figures *figures, uint32_t cause)
{
	uint32_t n = figures->n_causes ? figures->n_causes : 64;
	struct cause_figures *all;

	if (cause < figures->n_causes)
		return &figures->cause[cause];
	while (n <= cause)
		n *= 2;
	all = reallocarray(figures->cause, n, sizeof(*all));
	if (!all)
		return NULL;
	memset(all + figures->n_causes, 0, (n - figures->n_causes) * sizeof(*all));
	figures->cause = all;
	figures->n_causes = n;
	return &all[cause];
}

/* The trial that something queued at this time answers; n_trials: none. */
static size_t trial_at(const struct figures *figures, uint64_t tsc)
{
	size_t i = FIRST_BEYOND(figures->trial, figures->n_trials, end, tsc);

	return i < figures->n_trials && figures->trial[i].begin <= tsc ? i : figures->n_trials;
}

static int add_to_window(const struct bundle *bundle, struct cause_figures *f, size_t window)
{
	enum bundle_state state = bundle->windows[window].state;

	if (!f->by_window)
		f->by_window = calloc(bundle->n_windows, sizeof(*f->by_window));
	if (!f->by_window)
		return -ENOMEM;
	f->by_window[window]++;
	if (state < SCORED_STATES)
		f->state[state].count++;
	return 0;
}

int figures_add(struct figures *figures, uint32_t cause, uint64_t tsc, uint64_t queued)
{
	size_t window = bundle_window_at(figures->bundle, tsc);
	size_t trial = trial_at(figures, queued);
	struct cause_figures *f;

	if (trial == figures->n_trials && window == figures->bundle->n_windows)
		return 0;
	f = figures_of(figures, cause);
	if (!f || (window < figures->bundle->n_windows && add_to_window(figures->bundle, f, window) < 0))
		return -ENOMEM;
	if (trial < figures->n_trials && f->answered < trial + 1) {
		f->answered = trial + 1;
		f->state[figures->trial[trial].state].hit++;
	}
	return 0;
}

struct figure figures_get(const struct figures *figures, uint32_t cause, enum bundle_state state)
{
	if (cause >= figures->n_causes || state >= SCORED_STATES)
		return (struct figure){ 0 };
	return figures->cause[cause].state[state];
}

const uint32_t *figures_by_window(const struct figures *figures, uint32_t cause)
{
	return cause < figures->n_causes ? figures->cause[cause].by_window : NULL;
}

unsigned int figures_trials(const struct figures *figures, enum bundle_state state)
{
	unsigned int n = 0;

	for (size_t i = 0; i < figures->n_trials; i++)
		n += figures->trial[i].state == state;
	return n;
}
