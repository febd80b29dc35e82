// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/commands.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/log.h"
#include "common/options.h"
#include "host/exit.h"
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

static const struct command_help help = {
	.usage = "diff [OPTION...] A B",
	.purpose =
		"Says what differs between two set-ups: arm, kernels, command lines, facts of both layers, scenario,\n"
		"domain, settings, retries. A and B are bundles, or directories with bundles below them, or results,\n"
		"which hold no facts. It is no test: it exits with 0 whether or not something differs.",
	.examples = "  vcpulat diff lab/stock lab/mine\n"
		    "  vcpulat diff monday/vmstat-host-libvirt friday/vmstat-host-libvirt --json",
};

static int print(const json_t *diff, bool json, struct err *err)
{
	if (json) {
		json_dumpf(diff, stdout, JSON_INDENT(1));
		putchar('\n');
	} else {
		diff_print(stdout, diff);
	}
	return fflush(stdout) == 0 ? 0 : err_sys(err, -errno, "cannot write the difference");
}

static int run(int argc, char *argv[], int first, const struct diff_options *options, struct err *err)
{
	_cleanup_(setup_done) struct setup a = { 0 };
	_cleanup_(setup_done) struct setup b = { 0 };
	_cleanup_json_ json_t *diff = NULL;
	int r;

	if (argc - first != 2)
		return err_set(err, -EINVAL, "give two set-ups, A and B; 'vcpulat diff --help' explains");
	r = setup_load(argv[first], &a, err);
	r = r < 0 ? r : setup_load(argv[first + 1], &b, err);
	if (r < 0)
		return r;
	diff = setup_diff(&a, &b);
	return diff ? print(diff, options->json, err) : err_sys(err, -ENOMEM, "cannot compare");
}

int cmd_diff(int argc, char *argv[])
{
	struct diff_options options = { 0 };
	struct err err = { 0 };
	int first;
	int r = options_parse(argc, argv, rows, &options, &first, &err);

	if (r == 1)
		options_help(stdout, &help, rows);
	if (r == 0)
		r = run(argc, argv, first, &options, &err);
	options_clear(rows, &options);
	if (r < 0) {
		log_error("%s", err.msg);
		return VCPULAT_EXIT_ERROR;
	}
	return VCPULAT_EXIT_PASS;
}
