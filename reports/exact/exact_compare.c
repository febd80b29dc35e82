// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/fs.h"
#include "common/json.h"
#include "reports/exact/exact.h"

#define FALSE_ALARM 0.05 /* chance of naming any function of a cause when nothing changed */

/* One function of one cause in both arms. */
struct pair {
	const json_t *place; /* layer, context, function: of the arm that has it */
	const json_t *to;    /* the arm; NULL: not executed there */
	const json_t *from;  /* the arm it is compared with */
	int64_t delta;	     /* of the medians */
	const char *state;
};

struct comparison {
	struct pair *pair; /* by layer, context, then size of the difference */
	size_t n;
	double gaps_to; /* with all their steps */
	double gaps_from;
	double testable; /* pairs whose ranges could lie apart at all */
};

const json_t *exact_find(const json_t *exact, const char *cause)
{
	size_t i;
	const json_t *item;

	json_array_foreach (json_object_get(exact, "causes"), i, item) {
		if (!strcmp(json_get_string(item, "cause"), cause))
			return item;
	}
	return NULL;
}

int exact_order(const json_t *a, const json_t *b, enum exact_depth depth)
{
	static const char *const key[] = { "layer", "context", "function" };

	for (int i = 0; i < (int)depth; i++) {
		int order = strcmp(json_get_string(a, key[i]), json_get_string(b, key[i]));

		if (order)
			return order;
	}
	return 0;
}

static int by_place(const void *left, const void *right)
{
	const struct pair *a = left;
	const struct pair *b = right;

	return exact_order(a->place, b->place, EXACT_FUNCTION);
}

static int by_difference(const void *left, const void *right)
{
	const struct pair *a = left;
	const struct pair *b = right;
	long long x = llabs(a->delta);
	long long y = llabs(b->delta);
	int order = exact_order(a->place, b->place, EXACT_CONTEXT);

	if (order)
		return order;
	return x != y ? (x < y) - (x > y) : by_place(left, right);
}

static bool ranges_apart(const struct pair *pair)
{
	return json_get_u64(pair->to, "min") > json_get_u64(pair->from, "max") ||
	       json_get_u64(pair->to, "max") < json_get_u64(pair->from, "min");
}

/* Chance that samples of n and m from one distribution do not overlap: 2 of all ways to deal them out. */
static double chance_apart(double n, double m)
{
	return 2 * exp(lgamma(n + 1) + lgamma(m + 1) - lgamma(n + m + 1));
}

/*
 * What took the same number of instructions in all gaps of both arms cannot come out apart, however the gaps are dealt
 * out, and is nothing to correct for (Tarone, "A modified Bonferroni method for discrete data", Biometrics 46, 1990).
 */
static bool is_testable(const struct pair *pair)
{
	return json_get_u64(pair->to, "min") != json_get_u64(pair->from, "max") ||
	       json_get_u64(pair->to, "max") != json_get_u64(pair->from, "min");
}

static void judge(const struct comparison *comparison, struct pair *pair)
{
	double chance = chance_apart(comparison->gaps_to, comparison->gaps_from) * comparison->testable;

	pair->delta = (int64_t)json_get_u64(pair->to, "median") - (int64_t)json_get_u64(pair->from, "median");
	if (!ranges_apart(pair))
		pair->state = "varies";
	else
		pair->state = chance < FALSE_ALARM ? "changed" : "apart";
}

/* Both lists into one; the same place in both becomes one pair. */
static void merge_places(struct comparison *comparison)
{
	size_t kept = 0;

	qsort(comparison->pair, comparison->n, sizeof(struct pair), by_place);
	for (size_t i = 0; i < comparison->n; i++) {
		struct pair *pair = &comparison->pair[i];

		if (kept && !by_place(&comparison->pair[kept - 1], pair)) {
			comparison->pair[kept - 1].to = pair->to ? pair->to : comparison->pair[kept - 1].to;
			comparison->pair[kept - 1].from = pair->from ? pair->from : comparison->pair[kept - 1].from;
		} else {
			comparison->pair[kept++] = *pair;
		}
	}
	comparison->n = kept;
}

static int pair_up(const json_t *to, const json_t *from, struct comparison *ret)
{
	const json_t *functions_to = json_object_get(to, "functions");
	const json_t *functions_from = json_object_get(from, "functions");
	size_t i;
	const json_t *item;

	ret->pair = calloc(json_array_size(functions_to) + json_array_size(functions_from) + 1, sizeof(struct pair));
	if (!ret->pair)
		return -ENOMEM;
	json_array_foreach (functions_to, i, item)
		ret->pair[ret->n++] = (struct pair){ .place = item, .to = item };
	json_array_foreach (functions_from, i, item)
		ret->pair[ret->n++] = (struct pair){ .place = item, .from = item };
	ret->gaps_to = (double)json_get_u64(to, "whole");
	ret->gaps_from = (double)json_get_u64(from, "whole");
	merge_places(ret);
	for (i = 0; i < ret->n; i++)
		ret->testable += is_testable(&ret->pair[i]);
	for (i = 0; i < ret->n; i++)
		judge(ret, &ret->pair[i]);
	qsort(ret->pair, ret->n, sizeof(struct pair), by_difference);
	return 0;
}

static json_t *function_object(const struct pair *pair)
{
	return json_pack("{s:s,s:I,s:I,s:I,s:s}", "function", json_get_string(pair->place, "function"), "from",
			 (json_int_t)json_get_u64(pair->from, "median"), "to",
			 (json_int_t)json_get_u64(pair->to, "median"), "delta", (json_int_t)pair->delta, "state",
			 pair->state);
}

static bool same_context(const struct pair *a, const struct pair *b)
{
	return !strcmp(json_get_string(a->place, "layer"), json_get_string(b->place, "layer")) &&
	       !strcmp(json_get_string(a->place, "context"), json_get_string(b->place, "context"));
}

/* A context's difference counts what is claimed; what only varies is listed beside it. */
static json_t *context_object(const struct pair *pair, size_t n)
{
	json_t *functions = json_array();
	int64_t changed = 0;
	int64_t other = 0;

	for (size_t i = 0; i < n; i++) {
		if (!pair[i].delta)
			continue;
		if (!strcmp(pair[i].state, "changed"))
			changed += pair[i].delta;
		else
			other += pair[i].delta;
		json_array_append_new(functions, function_object(&pair[i]));
	}
	return json_pack("{s:s,s:s,s:I,s:I,s:o}", "layer", json_get_string(pair->place, "layer"), "context",
			 json_get_string(pair->place, "context"), "delta", (json_int_t)changed, "varies",
			 (json_int_t)other, "functions", functions);
}

static json_t *contexts(const struct comparison *comparison)
{
	json_t *ret = json_array();

	for (size_t i = 0, end; i < comparison->n; i = end) {
		json_t *context;

		for (end = i + 1; end < comparison->n && same_context(&comparison->pair[i], &comparison->pair[end]);
		     end++)
			;
		context = context_object(comparison->pair + i, end - i);
		if (json_array_size(json_object_get(context, "functions")))
			json_array_append_new(ret, context);
		else
			json_decref(context);
	}
	return ret;
}

static json_t *figure(const json_t *to, const json_t *from, const char *name)
{
	uint64_t a = json_get_u64(json_object_get(to, name), "median");
	uint64_t b = json_get_u64(json_object_get(from, name), "median");

	return json_pack("{s:I,s:I,s:I}", "from", (json_int_t)b, "to", (json_int_t)a, "delta", (json_int_t)(a - b));
}

static const char *state_of(const struct comparison *comparison, const json_t *to, const json_t *from)
{
	if (!to)
		return "gone";
	if (!from)
		return "new";
	for (size_t i = 0; i < comparison->n; i++) {
		if (comparison->pair[i].delta && !strcmp(comparison->pair[i].state, "changed"))
			return "changed";
	}
	return "same";
}

static int compare_cause(const char *cause, const json_t *to, const json_t *from, json_t *list)
{
	struct comparison comparison = { 0 };
	int rc = to && from ? pair_up(to, from, &comparison) : 0;
	json_t *ret;

	if (rc)
		return rc;
	ret = json_pack("{s:s,s:s,s:I,s:I}", "cause", cause, "state", state_of(&comparison, to, from), "gaps",
			(json_int_t)json_get_u64(to, "gaps"), "gaps_against", (json_int_t)json_get_u64(from, "gaps"));
	json_object_set_new(ret, "total", figure(to, from, "total"));
	json_object_set_new(ret, "host", figure(to, from, "host"));
	json_object_set_new(ret, "guest", figure(to, from, "guest"));
	json_object_set_new(ret, "switches", figure(to, from, "switches"));
	json_object_set_new(ret, "contexts", contexts(&comparison));
	free(comparison.pair);
	return json_array_append_new(list, ret) ? -ENOMEM : 0;
}

int exact_compare(const json_t *exact, const json_t *against, json_t **ret)
{
	_cleanup_json_ json_t *list = json_array();
	int rc = list ? 0 : -ENOMEM;
	size_t i;
	const json_t *item;

	json_array_foreach (json_object_get(against, "causes"), i, item) {
		const char *cause = json_get_string(item, "cause");

		rc = rc ? rc : compare_cause(cause, exact_find(exact, cause), item, list);
	}
	json_array_foreach (json_object_get(exact, "causes"), i, item) {
		const char *cause = json_get_string(item, "cause");

		if (!rc && !exact_find(against, cause))
			rc = compare_cause(cause, item, NULL, list);
	}
	if (!rc)
		*ret = TAKE_PTR(list);
	return rc;
}

int exact_budget_parse(const char *text, struct exact_budget *ret, struct err *err)
{
	const char *sign = strstr(text, "<=");
	size_t len = sign ? (size_t)(sign - text) : 0;
	bool max = len >= 4 && !strncmp(text + len - 4, ":max", 4);
	char *end = NULL;

	len -= max ? 4 : 0;
	if (!len || len >= sizeof(ret->cause) || sign[2] < '0' || sign[2] > '9')
		return err_set(err, -EINVAL, "budget '%s': CAUSE<=N or CAUSE:max<=N is wanted, N in instructions",
			       text);
	errno = 0;
	unsigned long long insns = strtoull(sign + 2, &end, 10);

	if (errno || *end)
		return err_set(err, -EINVAL, "budget '%s': '%s' is no number of instructions", text, sign + 2);
	*ret = (struct exact_budget){ .max = max, .insns = insns };
	memcpy(ret->cause, text, len);
	return 0;
}

/* Of the cause that stands before the ';', in whatever context it executes the function behind it. */
static uint64_t function_insns(const struct exact_budget *budget, const json_t *exact, const char *function)
{
	_cleanup_free_ char *cause = strndup(budget->cause, (size_t)(function - 1 - budget->cause));
	const json_t *list = cause ? json_object_get(exact_find(exact, cause), "functions") : NULL;
	const json_t *item;
	uint64_t insns = 0;
	size_t i;

	json_array_foreach (list, i, item)
		if (!strcmp(json_get_string(item, "function"), function))
			insns += json_get_u64(item, budget->max ? "max" : "median");
	return insns;
}

bool exact_budget_met(const struct exact_budget *budget, const json_t *exact, uint64_t *ret_insns)
{
	const char *function = strchr(budget->cause, ';');
	const json_t *total = function ? NULL : json_object_get(exact_find(exact, budget->cause), "total");

	*ret_insns = function ? function_insns(budget, exact, function + 1)
			      : json_get_u64(total, budget->max ? "max" : "median");
	return *ret_insns <= budget->insns;
}
