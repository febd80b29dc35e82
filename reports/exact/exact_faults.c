// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/exact/exact_faults.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault_rate.h"
#include "common/json.h"
#include "common/marks.h"
#include "reports/exact/exact_values.h"

#define MAX_CPUS 1024 /* whatever the file says */

/* A thread's round. */
struct batch {
	unsigned int threads;
	uint64_t pages;
	uint64_t insns;
};

struct faults {
	const struct meter_data *data;
	struct batch *batch;
	size_t batches;
};

/* From MARK_STIMULUS to MARK_ACTED of one action, in turns of the probe: a clock that all CPUs have in common. */
struct span {
	uint64_t from;
	uint64_t to;
};

static bool is_inside(const struct meter_mark *mark, const struct span *span)
{
	return mark->code == MARK_FAULTS && mark->probe_turn >= span->from && mark->probe_turn <= span->to;
}

static struct span span_of(const struct meter_data *data, const struct meter_mark *begin)
{
	struct span span = { begin->probe_turn, UINT64_MAX };

	for (size_t i = 0; i < data->marks; i++) {
		const struct meter_mark *mark = &data->mark[i];

		if (mark->code == MARK_ACTED && mark->probe_turn >= span.from && mark->probe_turn < span.to &&
		    (mark->cpu != begin->cpu || mark > begin))
			span.to = mark->probe_turn;
	}
	return span;
}

/* Of one CPU in one action; marks of a CPU are in order. A lost one leaves a number that is odd. */
static void add_cpu(struct faults *f, const struct span *span, uint32_t cpu, const struct batch *like)
{
	const struct meter_mark *begin = NULL;

	for (size_t i = 0; i < f->data->marks; i++) {
		const struct meter_mark *mark = &f->data->mark[i];

		if (mark->cpu != cpu || !is_inside(mark, span))
			continue;
		if (begin) {
			f->batch[f->batches] = *like;
			f->batch[f->batches++].insns = mark->position - begin->position;
		}
		begin = begin ? NULL : mark;
	}
}

static size_t count_marks(const struct faults *f, const struct span *span, uint32_t cpu)
{
	size_t n = 0;

	for (size_t i = 0; i < f->data->marks; i++)
		n += f->data->mark[i].cpu == cpu && is_inside(&f->data->mark[i], span);
	return n;
}

static bool parse(const json_t *action, struct fault_rate *ret)
{
	return !strcmp(json_get_string(action, "kind"), "fault_rate") &&
	       sscanf(json_get_string(action, "detail"), FAULT_RATE_FORMAT, &ret->threads, &ret->faults, &ret->wall_ns,
		      &ret->cpu_ns, &ret->ipis) == FAULT_RATE_FIELDS &&
	       ret->threads;
}

/* Nothing of an action of which not all marks are there: it is not known what lies between two. */
static void add_action(struct faults *f, const struct meter_mark *mark, const json_t *action)
{
	const uint32_t cpus = f->data->header.outer_cpus < MAX_CPUS ? f->data->header.outer_cpus : MAX_CPUS;
	const struct span span = span_of(f->data, mark);
	struct batch like = { 0 };
	struct fault_rate rate;
	size_t marks = 0;

	for (uint32_t cpu = 0; cpu < cpus; cpu++) {
		size_t n = count_marks(f, &span, cpu);

		if (n % 2)
			return;
		marks += n;
	}
	if (!parse(action, &rate) || !marks || rate.faults % (marks / 2) || (marks / 2) % rate.threads)
		return;
	like = (struct batch){ .threads = rate.threads, .pages = rate.faults / (marks / 2) };
	for (uint32_t cpu = 0; cpu < cpus; cpu++)
		add_cpu(f, &span, cpu, &like);
}

static int by_threads(const void *left, const void *right)
{
	const struct batch *a = left;
	const struct batch *b = right;

	if (a->threads != b->threads)
		return a->threads < b->threads ? -1 : 1;
	return (a->pages > b->pages) - (a->pages < b->pages);
}

static json_t *row_json(const struct batch *batch, size_t n)
{
	_cleanup_free_ uint64_t *value = calloc(n, sizeof(*value));

	for (size_t i = 0; value && i < n; i++)
		value[i] = batch[i].insns;
	return json_pack("{s:i, s:I, s:o}", "threads", (int)batch->threads, "pages", (json_int_t)batch->pages, "insns",
			 value ? exact_values(value, n) : NULL);
}

static json_t *rows_json(struct faults *f)
{
	json_t *rows = json_array();

	qsort(f->batch, f->batches, sizeof(*f->batch), by_threads);
	for (size_t i = 0, end; i < f->batches; i = end) {
		for (end = i + 1; end < f->batches && !by_threads(&f->batch[i], &f->batch[end]); end++)
			;
		json_array_append_new(rows, row_json(f->batch + i, end - i));
	}
	return rows;
}

static int by_turn(const void *left, const void *right)
{
	const struct meter_mark *const *a = left;
	const struct meter_mark *const *b = right;

	return ((*a)->probe_turn > (*b)->probe_turn) - ((*a)->probe_turn < (*b)->probe_turn);
}

/* Whoever makes a kernel queue work may change its CPU from one action to the next. */
static size_t stimulus_marks(const struct meter_data *data, const struct meter_mark **ret)
{
	size_t n = 0;

	for (size_t i = 0; i < data->marks; i++)
		if (data->mark[i].code == MARK_STIMULUS)
			ret[n++] = &data->mark[i];
	qsort(ret, n, sizeof(*ret), by_turn);
	return n;
}

static json_t *join(struct faults *f, const json_t *result, const struct meter_mark **mark)
{
	const size_t marks = stimulus_marks(f->data, mark);
	const json_t *action;
	size_t at = 0;
	size_t i;

	json_array_foreach (json_object_get(result, "actions"), i, action)
		if (!strcmp(json_get_string(action, "role"), "stimulus") && at < marks)
			add_action(f, mark[at++], action);
	return f->batches ? rows_json(f) : NULL;
}

json_t *exact_faults(const struct meter_data *data, const json_t *result)
{
	const struct meter_mark **mark = calloc(data->marks + 1, sizeof(struct meter_mark *));
	struct faults f = { .data = data, .batch = calloc(data->marks + 1, sizeof(*f.batch)) };
	json_t *rows = mark && f.batch ? join(&f, result, mark) : NULL;

	free(mark);
	free(f.batch);
	return rows;
}
