// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/exact/exact_calibrate.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/marks.h"
#include "reports/exact/meter_fold.h"

#define INTERPRETER "___bpf_prog_run" /* what the payload of an interrupt is executed by */

/* One known interruption, as it was asked for. */
struct known {
	char payload[16]; /* "": the bundle does not say */
	uint64_t insns;	  /* or iterations, of payload rep */
};

struct sum {
	uint64_t insns;
	uint64_t rep;
	uint64_t slack;
	uint64_t gaps;
	bool whole;
};

struct calibration {
	const struct meter_data *data;
	struct known *known; /* in the order of the run */
	size_t n_known;
	size_t next; /* of known: begins with the next primer */
	json_t *list;
};

/* "plain 1000" */
static struct known known_of(const json_t *action)
{
	struct known known = { "", 0 };

	if (sscanf(json_get_string(action, "detail"), "%15s %" SCNu64, known.payload, &known.insns) != 2)
		known = (struct known){ "", 0 };
	return known;
}

static int load_known(struct calibration *c, const json_t *result)
{
	const json_t *actions = json_object_get(result, "actions");
	const json_t *action;
	size_t i;

	c->known = calloc(json_array_size(actions) + 1, sizeof(*c->known));
	if (!c->known)
		return -1;
	json_array_foreach (actions, i, action)
		if (!strcmp(json_get_string(action, "role"), "primer"))
			c->known[c->n_known++] = known_of(action);
	return 0;
}

/* The probe may have run between the marks too. */
static uint64_t by_task(const struct meter_data *data, const struct meter_cost *cost)
{
	return !strcmp(names_text(data->names, cost->function), METER_CALIBRATED) &&
			       strcmp(names_text(data->names, cost->context), "probe") != 0
		       ? cost->insns
		       : 0;
}

static uint64_t by_interrupt(const struct meter_data *data, const struct meter_cost *cost)
{
	return !strcmp(names_text(data->names, cost->function), INTERPRETER) &&
			       !strncmp(names_text(data->names, cost->context), "irq/", 4)
		       ? cost->insns
		       : 0;
}

/* Gaps that overlap the instructions (begin, end] of their CPU. */
static struct sum sum_between(const struct meter_data *data, uint64_t begin, uint64_t end,
			      uint64_t (*count)(const struct meter_data *data, const struct meter_cost *cost))
{
	struct sum sum = { .whole = true };

	for (size_t i = 0; i < data->gaps; i++) {
		const struct meter_gap *gap = &data->gap[i];
		uint64_t length = gap->insns[METER_HOST] + gap->insns[METER_GUEST];
		uint64_t insns = 0;

		if (!(gap->flags & METER_GAP_BY_INSNS) || gap->position <= begin || gap->position - length >= end)
			continue;
		for (size_t k = 0; k < gap->costs; k++)
			insns += count(data, &gap->cost[k]);
		if (!insns && !gap->calibrated_rep)
			continue;
		sum.insns += insns;
		sum.rep += gap->calibrated_rep;
		sum.slack += gap->slack;
		sum.whole &= gap->whole;
		sum.gaps++;
	}
	return sum;
}

static void add(struct calibration *c, const struct known *known, const struct sum *sum)
{
	json_t *row;

	if (!sum->gaps)
		return;
	row = json_pack("{s:I,s:I,s:I,s:I,s:b}", "insns", (json_int_t)sum->insns, "rep", (json_int_t)sum->rep, "slack",
			(json_int_t)sum->slack, "gaps", (json_int_t)sum->gaps, "whole", sum->whole);
	if (known && known->payload[0]) {
		json_object_set_new(row, "payload", json_string(known->payload));
		json_object_set_new(row, "known", json_integer((json_int_t)known->insns));
	}
	json_array_append_new(c->list, row);
}

/* The marks from a primer's to the next one's. */
static void take_shot(struct calibration *c, const struct meter_mark *const *mark, size_t marks, uint64_t end)
{
	const struct known *known = c->next < c->n_known ? &c->known[c->next] : NULL;
	const struct meter_mark *first = NULL;
	struct sum sum;

	c->next++;
	if (known && !strcmp(known->payload, "irq")) {
		sum = sum_between(c->data, mark[0]->position, end, by_interrupt);
		add(c, known, &sum);
	}
	for (size_t i = 0; i < marks; i++) {
		if (mark[i]->code != MARK_CALIBRATE)
			continue;
		if (first) {
			sum = sum_between(c->data, first->position, mark[i]->position, by_task);
			add(c, known, &sum);
		}
		first = first ? NULL : mark[i];
	}
}

static void take_marks(struct calibration *c, const struct meter_mark **mark)
{
	size_t marks = 0;

	for (size_t i = 0; i < c->data->marks; i++)
		if (c->data->mark[i].cpu == c->data->run.cpu)
			mark[marks++] = &c->data->mark[i];
	for (size_t i = 0, end; i < marks; i = end) {
		for (end = i + 1; end < marks && mark[end]->code != MARK_PRIMER; end++)
			;
		if (mark[i]->code == MARK_PRIMER)
			take_shot(c, mark + i, end - i, end < marks ? mark[end]->position : UINT64_MAX);
	}
}

json_t *exact_calibration(const struct meter_data *data, const json_t *result)
{
	struct calibration c = { .data = data, .list = json_array() };
	const struct meter_mark **mark = calloc(data->marks + 1, sizeof(struct meter_mark *));

	if (mark && load_known(&c, result) == 0)
		take_marks(&c, mark);
	free(mark);
	free(c.known);
	if (json_array_size(c.list))
		return c.list;
	json_decref(c.list);
	return NULL;
}

static bool is_iterations(const json_t *row)
{
	return !strcmp(json_get_string(row, "payload"), "rep");
}

static int by_known(const void *left, const void *right)
{
	const json_t *const *a = left;
	const json_t *const *b = right;
	int order = strcmp(json_get_string(*a, "payload"), json_get_string(*b, "payload"));
	uint64_t x = json_get_u64(*a, "known");
	uint64_t y = json_get_u64(*b, "known");

	return order ? order : (x > y) - (x < y);
}

/* "+11": what was counted beyond the known number, at least and at most. */
static void print_beyond(FILE *out, int64_t low, int64_t high)
{
	char text[64];

	if (low == high)
		snprintf(text, sizeof(text), "%+" PRId64, low);
	else
		snprintf(text, sizeof(text), "%+" PRId64 "..%+" PRId64, low, high);
	fprintf(out, " %14s", text);
}

/* Rows of the same payload and number. */
static void print_known(FILE *out, const json_t *const *row, size_t n)
{
	bool iterations = is_iterations(row[0]);
	uint64_t known = json_get_u64(row[0], "known");
	uint64_t slack = 0;
	int64_t low = INT64_MAX;
	int64_t high = INT64_MIN;
	size_t whole = 0;

	for (size_t i = 0; i < n; i++) {
		int64_t beyond = (int64_t)(json_get_u64(row[i], iterations ? "rep" : "insns") - known);

		if (!json_is_true(json_object_get(row[i], "whole")))
			continue;
		whole++;
		low = beyond < low ? beyond : low;
		high = beyond > high ? beyond : high;
		slack = json_get_u64(row[i], "slack") > slack ? json_get_u64(row[i], "slack") : slack;
	}
	fprintf(out, "%-8s %9" PRIu64 " %-12s %3zu of %-3zu", json_get_string(row[0], "payload"), known,
		iterations ? "iterations" : "instructions", whole, n);
	if (whole)
		print_beyond(out, low, high);
	if (whole)
		fprintf(out, " %6" PRIu64, slack);
	fputc('\n', out);
}

void exact_print_calibration(FILE *out, const json_t *calibration)
{
	size_t n = json_array_size(calibration);
	const json_t **row = calloc(n + 1, sizeof(json_t *));
	size_t known = 0;

	for (size_t i = 0; row && i < n; i++)
		if (json_object_get(json_array_get(calibration, i), "payload"))
			row[known++] = json_array_get(calibration, i);
	if (known) {
		qsort(row, known, sizeof(json_t *), by_known);
		fprintf(out, "%-8s %9s %-12s %10s %14s %6s\n", "payload", "known", "", "counted", "beyond it", "slack");
	}
	for (size_t i = 0, end; i < known; i = end) {
		for (end = i + 1; end < known && !by_known(&row[i], &row[end]); end++)
			;
		print_known(out, row + i, end - i);
	}
	free(row);
}
