// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/commands.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/log.h"
#include "host/paths.h"
#include "reports/compare.h"
#include "reports/load.h"
#include "reports/writers/table.h"
#include "reports/writers/writer.h"

struct report_options {
	char *html;
	char *junit;
	char *tap;
	char *perfetto;
	bool excerpt;
	bool all;
	char *cause;
	struct schema_strings gaps;
};

#define FIELD(name, member, kind) OPTION_FIELD(struct report_options, name, member, kind)

static const struct option_row rows[] = {
	{ .field = { FIELD("html", html, SCHEMA_STRING), .help = "write one page that needs no network" },
	  .argument = "FILE" },
	{ .field = { FIELD("junit", junit, SCHEMA_STRING), .help = "write JUnit XML for a CI server" },
	  .argument = "FILE" },
	{ .field = { FIELD("tap", tap, SCHEMA_STRING), .help = "write TAP for prove or a CI server" },
	  .argument = "FILE" },
	{ .field = { FIELD("perfetto", perfetto, SCHEMA_STRING), .help = "write gaps for ui.perfetto.dev" },
	  .argument = "FILE" },
	{ .field = { FIELD("gap", gaps, SCHEMA_STRINGS),
		     .help = "with --perfetto: the gap of this number, once a gap; else the typical hits" },
	  .argument = "N" },
	{ .field = { FIELD("excerpt", excerpt, SCHEMA_BOOL),
		     .help = "print one hit in both layers, 72 columns, for a mailing list" } },
	{ .field = { FIELD("cause", cause, SCHEMA_STRING),
		     .help = "with --excerpt: a hit of this cause, else of a provoked one" },
	  .argument = "CAUSE" },
	{ .field = { FIELD("all", all, SCHEMA_BOOL),
		     .help = "show all causes in the table, not only the provoked and the worst" } },
	{ .field = { .key = NULL } },
};

struct material {
	struct load_results results;
	json_t *comparison;
	uint64_t *gap;
};

static void material_done(struct material *material)
{
	load_results_done(&material->results);
	json_decref(material->comparison);
	free(material->gap);
}

static int load_one(const char *path, struct material *material, bool alone, struct err *err)
{
	json_t *document = NULL;
	int r = load_file(path, &document, err);

	if (r < 0)
		return r;
	if (!load_is_comparison(document)) {
		r = load_results_add(&material->results, document);
		return r < 0 ? err_sys(err, r, "cannot read '%s'", path) : 0;
	}
	material->comparison = document;
	if (!alone)
		return err_set(err, -EINVAL, "%s is a comparison: give it alone", path);
	return load_results_of(document, &material->results, err);
}

static int load_all(const struct command_line *line, struct material *material, struct err *err)
{
	if (line->operands == 0)
		return err_set(err, -EINVAL, "no COMPARISON or RESULT given; 'vcpulat report --help' explains");
	for (int i = 0; i < line->operands; i++) {
		int r = load_one(line->operand[i], material, line->operands == 1, err);

		if (r < 0)
			return r;
	}
	if (material->comparison)
		return 0;
	return compare_results(material->results.result, material->results.count, NULL, &material->comparison, err);
}

static int parse_gaps(const struct schema_strings *gaps, struct material *material, struct err *err)
{
	material->gap = calloc(gaps->count + 1, sizeof(*material->gap));
	if (!material->gap)
		return err_sys(err, -ENOMEM, "cannot report");
	for (size_t i = 0; i < gaps->count; i++) {
		char *end;

		errno = 0;
		material->gap[i] = strtoull(gaps->item[i], &end, 10);
		if (errno || *end || end == gaps->item[i] || gaps->item[i][0] == '-')
			return err_set(err, -EINVAL, "--gap %s: not the number of a gap", gaps->item[i]);
	}
	return 0;
}

static int write_file(const char *name, const struct writer_input *input, const char *path, struct err *err)
{
	int r;

	if (!path)
		return 0;
	r = writer_to_file(writer_find(name), input, path, err);
	if (r == 0)
		log_info("%s: %s", name, path);
	return r;
}

static bool wants_other_form(const struct report_options *options)
{
	return options->html || options->junit || options->tap || options->perfetto || options->excerpt;
}

static int write_all(const struct report_options *options, const struct writer_input *input, struct err *err)
{
	struct table_params table = { .colour = table_wants_colour(stdout), .all_causes = options->all };
	int r = write_file("html", input, options->html, err);

	if (r == 0)
		r = write_file("junit", input, options->junit, err);
	if (r == 0)
		r = write_file("tap", input, options->tap, err);
	if (r == 0)
		r = write_file("perfetto", input, options->perfetto, err);
	if (r == 0 && options->excerpt)
		r = writer_find("excerpt")->write(input, stdout, err);
	if (r == 0 && !wants_other_form(options))
		table_print(stdout, input->comparison, &table);
	if (r == 0 && fflush(stdout) != 0)
		r = err_sys(err, -errno, "cannot write the report");
	return r;
}

static int run(const void *object, const struct command_line *line, struct err *err)
{
	const struct report_options *options = object;
	_cleanup_(material_done) struct material material = { 0 };
	_cleanup_free_ char *assets = paths_html_assets();
	struct writer_input input = { .cause = options->cause, .assets_dir = assets };
	int r;

	if (!assets)
		return err_sys(err, -ENOMEM, "cannot report");
	r = load_all(line, &material, err);
	if (r == 0)
		r = parse_gaps(&options->gaps, &material, err);
	if (r < 0)
		return r;
	input.comparison = material.comparison;
	input.results = material.results.result;
	input.count = material.results.count;
	input.gap = material.gap;
	input.gaps = options->gaps.count;
	return write_all(options, &input, err);
}

const struct command *command_report(void)
{
	static const struct command command = {
		.name = "report",
		.summary = "render a comparison: page, JUnit, TAP, excerpt, Perfetto",
		.help = {
			.usage = "report [OPTION...] COMPARISON\n       vcpulat report [OPTION...] RESULT...",
			.purpose = "Renders a comparison, or results as they are: the table on the terminal, unless another form is\n"
				   "asked for. A RESULT is a BUNDLE.result.json, or the bundle beside which it lies.",
			.examples = "  vcpulat report comparison.json --html report.html --junit junit.xml\n"
				    "  vcpulat report bundles/stock-vmstat-host --excerpt\n"
				    "  vcpulat report bundles/stock-vmstat-host --perfetto trace.json --gap 17",
		},
		.rows = rows,
		.options_bytes = sizeof(struct report_options),
		.run = run,
	};

	return &command;
}
