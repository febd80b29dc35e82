// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/fault_rate.h"

#include <stdio.h>
#include <string.h>

#include "common/fault_rate.h"

/* All actions with one number of threads. */
struct tally {
	struct fault_rate sum; /* threads are not summed */
	json_int_t actions;
	double per_s; /* sums of the actions' own */
	double per_cpu_s;
	double ipis_per_1000;
};

static bool parse(const struct bundle_action *action, struct fault_rate *ret)
{
	return strcmp(action->kind, "fault_rate") == 0 &&
	       sscanf(action->detail, FAULT_RATE_FORMAT, &ret->threads, &ret->faults, &ret->wall_ns, &ret->cpu_ns,
		      &ret->ipis) == FAULT_RATE_FIELDS &&
	       ret->threads <= FAULT_RATE_MAX_THREADS && ret->faults && ret->wall_ns && ret->cpu_ns;
}

static void add(struct tally *tally, const struct fault_rate *rate)
{
	tally->sum.faults += rate->faults;
	tally->sum.wall_ns += rate->wall_ns;
	tally->sum.cpu_ns += rate->cpu_ns;
	tally->sum.ipis += rate->ipis;
	tally->per_s += 1e9 * (double)rate->faults / (double)rate->wall_ns;
	tally->per_cpu_s += 1e9 * (double)rate->faults / (double)rate->cpu_ns;
	tally->ipis_per_1000 += 1e3 * (double)rate->ipis / (double)rate->faults;
	tally->actions++;
}

/* Of one number of threads; NULL: there was no such action. */
static json_t *row_json(const struct bundle *b, unsigned int threads)
{
	struct tally tally = { .actions = 0 };
	double n;

	for (size_t i = 0; i < b->n_actions; i++) {
		struct fault_rate rate;

		if (bundle_window_state(b, b->actions[i].window) == BUNDLE_ARMED && parse(&b->actions[i], &rate) &&
		    rate.threads == threads)
			add(&tally, &rate);
	}
	n = (double)tally.actions;
	if (!tally.actions)
		return NULL;
	return json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f}", "threads", (int)threads, "actions",
			 tally.actions, "faults", (json_int_t)tally.sum.faults, "wall_ns",
			 (json_int_t)tally.sum.wall_ns, "cpu_ns", (json_int_t)tally.sum.cpu_ns, "ipis",
			 (json_int_t)tally.sum.ipis, "per_s", tally.per_s / n, "per_cpu_s", tally.per_cpu_s / n,
			 "ipis_per_1000", tally.ipis_per_1000 / n);
}

static unsigned int most_threads(const struct bundle *b)
{
	unsigned int most = 0;

	for (size_t i = 0; i < b->n_actions; i++) {
		struct fault_rate rate;

		if (parse(&b->actions[i], &rate) && rate.threads > most)
			most = rate.threads;
	}
	return most;
}

json_t *fault_rate_json(const struct bundle *b)
{
	unsigned int most = most_threads(b);
	json_t *rows = most ? json_array() : NULL;

	for (unsigned int threads = 1; rows && threads <= most; threads++) {
		json_t *row = row_json(b, threads);

		if (row)
			json_array_append_new(rows, row);
	}
	return rows;
}
