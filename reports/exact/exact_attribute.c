// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/exact/exact_attribute.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A primer, sham or settling task on the measured CPU of the host; the meter cannot tell it from other tasks. */
static const struct bundle_action *action_in(const struct bundle *b, const struct gap *gap)
{
	for (size_t i = 0; i < b->n_actions; i++) {
		const struct bundle_action *action = &b->actions[i];

		if (action->role != BUNDLE_STIMULUS && !action->by_probe && action->t0 < gap->t1 &&
		    action->t1 >= gap->t0)
			return action;
	}
	return NULL;
}

/* When the gap's causes began, as far as is known: what the probe did itself, it did in the gap. */
static uint64_t began(const struct bundle *b, const struct gap *gap)
{
	for (size_t i = 0; i < b->n_actions; i++) {
		const struct bundle_action *action = &b->actions[i];

		if (action->by_probe && action->t0 >= gap->t0 && action->t0 < gap->t1)
			return action->t0;
	}
	return gap->t0;
}

static uint32_t cause_of(const struct exact_attribute_params *p, const struct gap *gap, const char *text)
{
	bool nameless = !strcmp(text, "host/task") || !strcmp(text, "guest/task");
	bool host = !strncmp(text, "host", 4);
	int64_t cause;

	if (nameless && action_in(p->bundle, gap))
		text = host ? "host/stimulus" : "guest/stimulus";
	else if (nameless)
		text = host ? "host/task/unknown" : "guest/task/unknown";
	cause = causes_parse(p->causes, text);
	return cause < 0 ? CAUSE_ID_UNEXPLAINED : (uint32_t)cause;
}

/*
 * To the meter work items rank before tasks. In a trace the stimulus is their equal: a gap that it shares with a work
 * item has two roots.
 */
static bool hides_stimulus(const struct exact_attribute_params *p, const struct gap *gap, const struct gap_root *root,
			   size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (causes_class(p->causes, root[i].cause) == CAUSE_STIMULUS)
			return false;
	return causes_class(p->causes, root[0].cause) == CAUSE_KWORKER && action_in(p->bundle, gap);
}

static int take_roots(const struct exact_attribute_params *p, const struct meter_gap *seen, struct gap *gap)
{
	struct gap_root *root = calloc(seen->roots + 1, sizeof(*root));
	struct gap_part *part = calloc(1, sizeof(*part));
	const uint64_t t0 = began(p->bundle, gap);
	int rc = 0;

	if (!root || !part) {
		free(root);
		free(part);
		return -ENOMEM;
	}
	for (size_t i = 0; i < seen->roots; i++)
		root[i] = (struct gap_root){ cause_of(p, gap, names_text(p->data->names, seen->root[i].cause)),
					     seen->root[i].count };
	gap_done(gap);
	gap->root = root;
	gap->n_roots = seen->roots;
	if (hides_stimulus(p, gap, root, seen->roots))
		root[gap->n_roots++] =
			(struct gap_root){ causes_get(p->causes, action_in(p->bundle, gap)->layer, CAUSE_STIMULUS, 0),
					   1 };
	*part = (struct gap_part){ root[0].cause, gap->t1 - gap->t0 };
	gap->part = part;
	gap->n_parts = 1;
	gap->exits = seen->exits;
	gap->cause = root[0].cause;
	gap->single = gap->n_roots == 1 && root[0].count == 1;
	for (size_t i = 0; i < gap->n_roots && !rc; i++)
		for (uint32_t k = 0; k < root[i].count && !rc; k++)
			rc = figures_add(p->figures, root[i].cause, t0, t0);
	return rc;
}

int exact_attribute(const struct exact_attribute_params *p)
{
	size_t k = 0;
	int rc = 0;

	for (size_t i = 0; i < p->n_gaps && !rc; i++) {
		while (k < p->data->gaps && p->data->gap[k].turn < p->gaps[i].turn)
			k++;
		if (k == p->data->gaps)
			break;
		if (p->data->gap[k].turn == p->gaps[i].turn && p->data->gap[k].roots)
			rc = take_roots(p, &p->data->gap[k], &p->gaps[i]);
	}
	return rc;
}
