// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/compare.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "reports/aa.h"
#include "reports/compare_p.h"
#include "reports/exact/exact_arms.h"
#include "reports/load.h"
#include "reports/probe_effect.h"
#include "reports/row.h"
#include "reports/statistics.h"
#include "reports/verdict.h"

/* All cells of the comparison: scenario by scenario, cause by cause, arm by arm. */
struct grid {
	struct row_cell *cell;
	size_t cells;
	struct name_list causes; /* of the scenario at hand */
};

struct question {
	struct verdict_case ask;
	const char *scenario;
};

static void grid_done(struct grid *grid)
{
	for (size_t i = 0; i < grid->cells; i++)
		row_cell_done(&grid->cell[i]);
	free(grid->cell);
	free(grid->causes.name);
}

static int add_scenario(const struct comparison *c, const char *scenario, struct grid *grid)
{
	size_t provoked;

	grid->causes.count = 0;
	if (comparison_causes(c, scenario, &grid->causes, &provoked) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < grid->causes.count * c->arms.count; i++) {
		struct row_cell *cells = reallocarray(grid->cell, grid->cells + 1, sizeof(*cells));

		if (!cells)
			return -ENOMEM;
		grid->cell = cells;
		cells[grid->cells] = (struct row_cell){
			.scenario = scenario,
			.cause = grid->causes.name[i / c->arms.count],
			.arm = c->arms.name[i % c->arms.count],
			.provoked = i / c->arms.count < provoked,
		};
		if (row_cell_load(c->run, c->runs, &cells[grid->cells++]) < 0)
			return -ENOMEM;
	}
	return 0;
}

static json_t *rows_json(const struct comparison *c, const struct grid *grid)
{
	_cleanup_json_ json_t *rows = json_array();

	for (size_t i = 0; i < grid->cells; i++)
		if (json_array_append_new(rows, row_build(&grid->cell[i], c->seed)) < 0)
			return NULL;
	return TAKE_PTR(rows);
}

static struct verdict_side side_of(const struct comparison *c, const struct row_cell *cell)
{
	struct verdict_side side = { .arm = cell->arm, .pool = &cell->all };

	for (size_t i = 0; i < c->runs; i++) {
		const json_t *result = c->run[i].result;
		const char *status = json_get_string(result, "status");

		if (strcmp(c->run[i].arm, cell->arm) != 0 || strcmp(c->run[i].scenario, cell->scenario) != 0)
			continue;
		side.log_lines += (unsigned int)json_array_size(json_object_get(result, "kernel_log"));
		side.partial += *status && strcmp(status, "complete") != 0;
	}
	return side;
}

/* Causes outside the two kernels are no arm's doing: noise of the machine, the instrument, the experiment itself. */
static bool is_kernel_cause(const char *cause)
{
	const char *name = strncmp(cause, "host/", 5) == 0    ? cause + 5
			   : strncmp(cause, "guest/", 6) == 0 ? cause + 6
							      : NULL;

	return name && strcmp(name, "stimulus") != 0;
}

static int ask(const struct comparison *c, const struct grid *grid, size_t i, struct question *ret)
{
	const struct row_cell *arm = &grid->cell[i];
	const struct row_cell *base = &grid->cell[i - i % c->arms.count];

	*ret = (struct question){
		.ask = { .cause = arm->cause,
			 .provoked = arm->provoked,
			 .removes = comparison_claims(c, arm->arm, "removes", arm->cause),
			 .adds = comparison_claims(c, arm->arm, "adds", arm->cause),
			 .arm = side_of(c, arm) },
		.scenario = arm->scenario,
	};
	if (c->arms.count == 1)
		return 0;
	ret->ask.base = side_of(c, base);
	return difference_test(&arm->all, &base->all, c->seed, &ret->ask.difference);
}

/* What was not planned to be tested is corrected for how much was looked at; in an A/A comparison all of it. */
static int correct(struct question *questions, size_t n, bool aa)
{
	_cleanup_free_ double *p = calloc(n + 1, sizeof(*p));
	size_t used = 0;

	if (!p)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (aa || !questions[i].ask.provoked)
			p[used++] = questions[i].ask.difference.p;
	if (stat_holm(p, used) < 0)
		return -ENOMEM;
	used = 0;
	for (size_t i = 0; i < n; i++)
		if (aa || !questions[i].ask.provoked)
			questions[i].ask.difference.p = p[used++];
	return 0;
}

static bool answer(const struct question *question, bool aa, struct verdict *ret)
{
	if (!aa)
		return verdict_decide(&question->ask, ret);
	if (!question->ask.provoked && question->ask.difference.p > 1 - STAT_CONFIDENCE)
		return false;
	verdict_decide_aa(&question->ask, ret);
	return true;
}

static json_t *verdict_json(const struct question *question, const struct verdict *verdict)
{
	const struct difference *difference = &question->ask.difference;

	return json_pack("{s:s, s:s, s:s, s:s?, s:s, s:b, s:s, s:f, s:s, s:b}", "cause", question->ask.cause,
			 "scenario", question->scenario, "arm", question->ask.arm.arm, "against",
			 question->ask.base.arm, "state", verdict_state_name(verdict->state), "decisive",
			 verdict->decisive, "text", verdict->text, "p", question->ask.base.arm ? difference->p : 1.0,
			 "method", difference_method_name(difference->method), "boots", difference->boots);
}

/* Where nothing explains the gaps there is no cause to ask about. */
static bool is_explained(const struct comparison *c, const char *scenario)
{
	for (size_t i = 0; i < c->runs; i++)
		if (strcmp(c->run[i].scenario, scenario) == 0 && pool_has_causes(c->run[i].result))
			return true;
	return false;
}

static int gather_questions(const struct comparison *c, const struct grid *grid, struct question *questions,
			    size_t *ret_n)
{
	for (size_t i = 0; i < grid->cells; i++) {
		if (c->arms.count > 1 && i % c->arms.count == 0)
			continue;
		if (!is_kernel_cause(grid->cell[i].cause) || !is_explained(c, grid->cell[i].scenario))
			continue;
		if (ask(c, grid, i, &questions[(*ret_n)++]) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* False positives beyond what chance explains: nothing that these runs are compared by can be believed. */
static json_t *simulation_json(const struct aa_simulation *s, bool *good)
{
	bool within = s->share.lo <= 1 - STAT_CONFIDENCE;
	char text[256];

	*good &= within;
	snprintf(text, sizeof(text),
		 "%u simulated A/A comparisons, windows drawn from these: %u find%s a difference in any cause (%.1f%%, "
		 "%.1f to %.1f%% at 95%%; nominal %.0f%%): %s",
		 s->comparisons, s->differ, s->differ == 1 ? "s" : "", 100.0 * s->differ / s->comparisons,
		 100 * s->share.lo, 100 * s->share.hi, 100 * (1 - STAT_CONFIDENCE),
		 within ? "as expected" : "more often than stated");
	return json_pack("{s:i, s:i, s:f, s:f, s:b, s:s}", "comparisons", s->comparisons, "differ", s->differ, "lo",
			 s->share.lo, "hi", s->share.hi, "within", within, "text", text);
}

static int simulate(const struct question *questions, size_t n, const struct compare_params *params, json_t **ret,
		    bool *good)
{
	_cleanup_free_ struct aa_pair *pairs = calloc(n + 1, sizeof(*pairs));
	struct aa_simulation simulation;

	*ret = NULL;
	if (!params->aa || params->simulate == 0)
		return 0;
	if (!pairs)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		pairs[i] = (struct aa_pair){ questions[i].ask.base.pool, questions[i].ask.arm.pool };
	if (aa_simulate(pairs, n, params->simulate, params->seed, &simulation) < 0)
		return -ENOMEM;
	*ret = simulation_json(&simulation, good);
	return *ret ? 0 : -ENOMEM;
}

struct judgement {
	json_t *verdicts;
	json_t *simulation; /* NULL: none was asked for */
	bool good;
};

static void judgement_done(struct judgement *judgement)
{
	json_decref(judgement->verdicts);
	json_decref(judgement->simulation);
}

static int judge(const struct comparison *c, const struct grid *grid, const struct compare_params *params,
		 struct judgement *ret)
{
	_cleanup_free_ struct question *questions = calloc(grid->cells + 1, sizeof(*questions));
	_cleanup_json_ json_t *verdicts = json_array();
	bool aa = params->aa;
	size_t n = 0;

	if (!questions || gather_questions(c, grid, questions, &n) < 0 || correct(questions, n, aa) < 0)
		return -ENOMEM;
	ret->good = true;
	for (size_t i = 0; i < n; i++) {
		struct verdict verdict;

		if (!answer(&questions[i], aa, &verdict))
			continue;
		if (json_array_append_new(verdicts, verdict_json(&questions[i], &verdict)) < 0)
			return -ENOMEM;
		ret->good &= !verdict.decisive || verdict_good(verdict_state_name(verdict.state));
	}
	ret->verdicts = TAKE_PTR(verdicts);
	return simulate(questions, n, params, &ret->simulation, &ret->good);
}

static json_t *retries_json(const struct comparison *c)
{
	_cleanup_json_ json_t *retries = json_array();

	for (size_t i = 0; i < c->runs; i++) {
		json_t *retry;
		size_t k;

		json_array_foreach (json_object_get(c->run[i].result, "retries"), k, retry)
			if (json_array_append_new(retries,
						  json_pack("{s:s, s:s, s:s, s:s}", "arm", c->run[i].arm, "scenario",
							    c->run[i].scenario, "what", json_get_string(retry, "what"),
							    "reason", json_get_string(retry, "reason"))) < 0)
				return NULL;
	}
	return TAKE_PTR(retries);
}

static json_t *paths_json(const struct comparison *c)
{
	json_t *paths = json_array();

	for (size_t i = 0; i < c->runs; i++)
		json_array_append_new(paths, json_string(json_get_string(c->run[i].result, "path")));
	return paths;
}

static bool findings_fail(const json_t *findings)
{
	json_t *finding;
	size_t i;

	json_array_foreach (findings, i, finding)
		if (json_is_true(json_object_get(finding, "fails")))
			return true;
	return false;
}

static bool is_mode(const json_t *result, const char *mode)
{
	return strcmp(json_get_string(result, "mode"), mode) == 0;
}

/* What can be said of all runs: instructions only where each was metered. */
static const char *common_mode(const struct comparison *c)
{
	for (size_t i = 0; i < c->runs; i++)
		if (is_mode(c->run[i].result, "functional"))
			return "functional";
	return json_get_string(c->run[0].result, "mode");
}

static json_t *document(const struct comparison *c, const struct grid *grid, const struct compare_params *params)
{
	const json_t *first = c->run[0].result;
	_cleanup_(judgement_done) struct judgement judgement = { 0 };
	_cleanup_json_ json_t *findings = comparison_findings_json(c);
	_cleanup_json_ json_t *faults = NULL;
	_cleanup_json_ json_t *stimulus = NULL;

	if (!findings || judge(c, grid, params, &judgement) < 0 || comparison_faults_json(c, &faults) < 0 ||
	    comparison_stimulus_json(c, &stimulus) < 0)
		return NULL;
	return json_pack(
		"{s:s, s:s, s:s, s:b, s:b, s:f, s:I, s:o, s:o, s:O, s:O, s:b, s:o, s:o, s:o, s:O*, s:O*, s:O*}",
		"schema", LOAD_COMPARISON_SCHEMA, "tool", VCPULAT_VERSION, "mode", common_mode(c), "emulated",
		json_is_true(json_object_get(first, "emulated")), "aa", params->aa, "confidence", STAT_CONFIDENCE,
		"seed", (json_int_t)c->seed, "arms", comparison_arms_json(c), "rows", rows_json(c, grid), "verdicts",
		judgement.verdicts, "findings", findings, "passed", judgement.good && !findings_fail(findings),
		"results", paths_json(c), "retries", retries_json(c), "probe_effect",
		probe_effect_json(c->run, c->runs, c->seed), "aa_simulation", judgement.simulation, "fault_rate",
		faults, "stimulus_figures", stimulus);
}

/* Microseconds of an emulated CPU and of a real one do not belong in one table. */
static int check_modes(const struct comparison *c, struct err *err)
{
	const json_t *first = c->run[0].result;

	for (size_t i = 1; i < c->runs; i++) {
		const json_t *result = c->run[i].result;

		if (is_mode(result, "qualification") != is_mode(first, "qualification") ||
		    json_is_true(json_object_get(result, "emulated")) !=
			    json_is_true(json_object_get(first, "emulated")))
			return err_set(err, -EINVAL, "%s and %s are not of the same mode, or one is emulated only",
				       json_get_string(first, "path"), json_get_string(result, "path"));
	}
	return 0;
}

int compare_results(const json_t *const *results, size_t n, const struct compare_params *params, json_t **ret,
		    struct err *err)
{
	const struct compare_params defaults = { .seed = 1 };
	_cleanup_(comparison_done) struct comparison c = { 0 };
	_cleanup_(grid_done) struct grid grid = { 0 };
	json_t *comparison;
	int r;

	if (!params)
		params = &defaults;
	r = comparison_init(&c, results, n, params, err);
	if (r == 0)
		r = check_modes(&c, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < c.scenarios.count; i++)
		if (add_scenario(&c, c.scenarios.name[i], &grid) < 0)
			return err_sys(err, -ENOMEM, "cannot compare");
	comparison = document(&c, &grid, params);
	if (!comparison || exact_add(comparison, results, n) < 0) {
		json_decref(comparison);
		return err_sys(err, -ENOMEM, "cannot compare");
	}
	*ret = comparison;
	return 0;
}

bool compare_passed(const json_t *comparison)
{
	return json_is_true(json_object_get(comparison, "passed"));
}
