// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/commands.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "reports/setup.h"
#include "reports/writers/diff.h"

struct diff_options {
	bool json;
};

static const struct option_row rows[] = {
	{ .field = { .key = "json",
		     .type = SCHEMA_BOOL,
		     .offset = offsetof(struct diff_options, json),
		     .help = "print JSON" } },
	{ .field = { .key = NULL } },
};

static int print(const json_t *diff, bool json, struct err *err)
{
	if (json)
		return json_print(stdout, diff, err);
	diff_print(stdout, diff);
	return fflush(stdout) == 0 ? 0 : err_sys(err, -errno, "cannot write the difference");
}

static int run(const void *object, const struct command_line *line, struct err *err)
{
	const struct diff_options *options = object;
	_cleanup_(setup_done) struct setup a = { 0 };
	_cleanup_(setup_done) struct setup b = { 0 };
	_cleanup_json_ json_t *diff = NULL;
	int r;

	if (line->operands != 2)
		return err_set(err, -EINVAL, "give two set-ups, A and B; 'vcpulat diff --help' explains");
	r = setup_load(line->operand[0], &a, err);
	r = r < 0 ? r : setup_load(line->operand[1], &b, err);
	if (r < 0)
		return r;
	diff = setup_diff(&a, &b);
	return diff ? print(diff, options->json, err) : err_sys(err, -ENOMEM, "cannot compare");
}

const struct command *command_diff(void)
{
	static const struct command command = {
		.name = "diff",
		.summary = "say what differs between two set-ups",
		.help = {
			.usage = "diff [OPTION...] A B",
			.purpose =
				"Says what differs between two set-ups: arm, kernels, command lines, facts of both layers, scenario,\n"
				"settings, retries. A and B are bundles, or directories with bundles below them, or results,\n"
				"which hold no facts. It is no test: it exits with 0 whether or not something differs.",
			.examples = "  vcpulat diff lab/stock lab/mine\n"
				    "  vcpulat diff monday/vmstat-host-libvirt friday/vmstat-host-libvirt --json",
		},
		.rows = rows,
		.options_bytes = sizeof(struct diff_options),
		.run = run,
	};

	return &command;
}
