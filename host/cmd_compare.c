// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/commands.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "host/exit.h"
#include "reports/compare.h"
#include "reports/exact/exact_arms.h"
#include "reports/load.h"
#include "reports/writers/bound.h"
#include "reports/writers/table.h"

struct compare_options {
	char *output;
	uint64_t seed;
	uint64_t simulate;
	bool json;
	bool aa;
	bool all;
	bool exact;
	struct schema_strings budgets;
	char *bound;
};

#define FIELD(name, member, kind) OPTION_FIELD(struct compare_options, name, member, kind)

static const struct option_row rows[] = {
	{ .field = { FIELD("output", output, SCHEMA_STRING), .help = "write the comparison here as JSON" },
	  .letter = 'o',
	  .argument = "FILE" },
	{ .field = { FIELD("json", json, SCHEMA_BOOL), .help = "print JSON and no table" } },
	{ .field = { FIELD("aa", aa, SCHEMA_BOOL), .help = "expect no difference: two arms that are the same, or the "
							   "boots of one arm split in halves" } },
	{ .field = { FIELD("simulate", simulate, SCHEMA_UINT), .min = 0, .max = 1000000, .fallback = "0",
		     .help = "with --aa: count the differences in N more comparisons, of windows drawn from these" },
	  .argument = "N" },
	{ .field = { FIELD("all", all, SCHEMA_BOOL),
		     .help = "show all causes in the table, not only the provoked and the worst" } },
	{ .field = { FIELD("exact", exact, SCHEMA_BOOL),
		     .help = "say function by function where the arms' instructions differ" } },
	{ .field = { FIELD("budget", budgets, SCHEMA_STRINGS),
		     .help = "at most N instructions for the median gap of a cause, CAUSE<=N, or of one function in "
			     "it, "
			     "CAUSE;FUNCTION<=N; for the largest, :max<=N; exceeded: exit code 2" },
	  .argument = "BUDGET" },
	{ .field = { FIELD("bound", bound, SCHEMA_STRING),
		     .help = "say how long to run until a cause is shown to be rarer than this, as in 0.1/h" },
	  .argument = "RATE" },
	{ .field = { FIELD("seed", seed, SCHEMA_UINT), .fallback = "1",
		     .help = "seed of permutations and of the split in halves" },
	  .argument = "N" },
	{ .field = { .key = NULL } },
};

static int load_all(const struct command_line *line, struct load_results *results, struct err *err)
{
	if (line->operands == 0)
		return err_set(err, -EINVAL, "no RESULT given; 'vcpulat compare --help' explains");
	for (int i = 0; i < line->operands; i++) {
		json_t *result = NULL;
		int r = load_file(line->operand[i], &result, err);

		if (r == 0)
			r = load_results_add(results, result);
		if (r < 0)
			return r;
		if (load_is_comparison(result))
			return err_set(err, -EINVAL, "%s is a comparison already; 'vcpulat report' shows it",
				       line->operand[i]);
	}
	return 0;
}

static int output(const json_t *comparison, const struct compare_options *options, const struct bound *bound,
		  struct err *err)
{
	struct table_params table = { .colour = table_wants_colour(stdout), .all_causes = options->all };

	if (options->output) {
		int r = json_write(options->output, comparison, err);

		if (r < 0)
			return r;
	}
	if (options->json)
		return json_print(stdout, comparison, err);
	table_print(stdout, comparison, &table);
	if (options->exact)
		exact_print_arms(stdout, comparison);
	if (options->bound)
		bound_print(stdout, comparison, bound, options->all);
	if (fflush(stdout) != 0)
		return err_sys(err, -errno, "cannot write the comparison");
	return 0;
}

static int run(const void *object, const struct command_line *line, struct err *err)
{
	const struct compare_options *options = object;
	_cleanup_(load_results_done) struct load_results results = { 0 };
	struct compare_params params = { .aa = options->aa,
					 .simulate = (unsigned int)options->simulate,
					 .seed = options->seed };
	_cleanup_json_ json_t *comparison = NULL;
	struct bound bound = { 0 };
	bool passed = false;
	bool kept = false;
	int r = options->bound ? bound_parse(options->bound, &bound, err) : 0;

	if (r == 0)
		r = load_all(line, &results, err);
	if (r == 0)
		r = compare_results(results.result, results.count, &params, &comparison, err);
	if (r == 0)
		r = output(comparison, options, &bound, err);
	passed = r == 0 && compare_passed(comparison);
	if (r == 0)
		r = exact_check_budgets(options->json ? stderr : stdout, results.result, results.count,
					options->budgets.item, options->budgets.count, &kept, err);
	if (r < 0)
		return r;
	return passed && kept ? VCPULAT_EXIT_PASS : VCPULAT_EXIT_FAILED;
}

const struct command *command_compare(void)
{
	static const struct command command = {
		.name = "compare",
		.summary = "put arms side by side, with a verdict",
		.help = {
			.usage = "compare [OPTION...] RESULT...",
			.purpose =
				"Compares arms: per scenario, cause and arm the hits of primers, the native gap, the guest penalty\n"
				"and the amplification, then a verdict on each cause that was provoked or claimed to be removed.\n"
				"A RESULT is a BUNDLE.result.json, or the bundle beside which it lies. Exits with 2 when an\n"
				"expectation is not met.",
			.examples = "  vcpulat compare bundles/*.result.json -o comparison.json\n"
				    "  vcpulat compare --aa --simulate 1000 bundles/stock-*/\n"
				    "  vcpulat compare --bound 0.1/h lab/*/*/*.result.json\n"
				    "  vcpulat compare --exact --budget 'host/kworker/vmstat_update<=12000' lab/*/*/*.result.json",
		},
		.rows = rows,
		.options_bytes = sizeof(struct compare_options),
		.run = run,
	};

	return &command;
}
