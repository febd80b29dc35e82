// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/fs.h"
#include "common/json.h"
#include "common/log.h"
#include "host/commands.h"
#include "host/exit.h"
#include "reports/analyze.h"
#include "reports/exact/exact_agree.h"
#include "reports/exact/exact_calibrate.h"

struct args {
	char *output;
	bool json;
};

static const struct option_row rows[] = {
	{ .field = { .key = "output",
		     .type = SCHEMA_STRING,
		     .offset = offsetof(struct args, output),
		     .help = "where the result goes; only with one bundle; default: BUNDLE.result.json" },
	  .letter = 'o',
	  .argument = "FILE" },
	{ .field = { .key = "json",
		     .type = SCHEMA_BOOL,
		     .offset = offsetof(struct args, json),
		     .help = "print the result instead of a table" } },
	{ .field = { .key = NULL } },
};

/* Microseconds of a figure, or "-". */
static void print_us(const json_t *figures, const char *key)
{
	const json_t *value = json_object_get(figures, key);

	if (json_is_integer(value))
		printf(" %10.1f", (double)json_integer_value(value) / 1e3);
	else
		printf(" %10s", "-");
}

static void print_share(const json_t *counts)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu/%llu", (unsigned long long)json_get_u64(counts, "hit"),
		 (unsigned long long)json_get_u64(counts, "primers"));
	printf(" %8s", text);
}

static void print_causes(const json_t *result)
{
	json_t *entry;
	size_t i;

	printf("%-42s %8s %8s %5s %10s %10s\n", "cause", "armed", "control", "gaps", "p50 us", "max us");
	json_array_foreach (json_object_get(result, "causes"), i, entry) {
		const json_t *gaps = json_object_get(entry, "gap_ns");

		if (!json_is_true(json_object_get(entry, "provoked")) && !json_get_u64(gaps, "n"))
			continue;
		printf("%-42.42s", json_get_string(entry, "cause"));
		print_share(json_object_get(entry, "armed"));
		print_share(json_object_get(entry, "control"));
		printf(" %5llu", (unsigned long long)json_get_u64(gaps, "n"));
		print_us(gaps, "p50");
		print_us(gaps, "max");
		putchar('\n');
	}
}

static void print_result(const json_t *result, const char *path)
{
	const json_t *explained = json_object_get(result, "explained");
	const json_t *verdict = json_object_get(result, "verdict");
	json_t *reason;
	size_t i;

	printf("%s, guest %s, arm %s: %llu gaps in windows, %llu explained (%.1f%% of their time)\n",
	       json_get_string(json_object_get(result, "scenario"), "name"), json_get_string(result, "guest"),
	       json_get_string(json_object_get(result, "arm"), "name"),
	       (unsigned long long)json_get_u64(explained, "of"), (unsigned long long)json_get_u64(explained, "gaps"),
	       100 * json_number_value(json_object_get(explained, "ns_share")));
	print_causes(result);
	exact_print_agreement(stdout, json_object_get(result, "exact"));
	exact_print_calibration(stdout, json_object_get(json_object_get(result, "exact"), "calibration"));
	printf("%s: %s\n", json_get_string(verdict, "state"), path);
	json_array_foreach (json_object_get(verdict, "reasons"), i, reason)
		printf("  %s\n", json_string_value(reason));
}

static int analyze_one(const struct args *args, const char *dir, enum vcpulat_exit *ret, struct err *err)
{
	_cleanup_free_ char *path = args->output ? strdup(args->output) : analyze_result_path(dir);
	_cleanup_json_ json_t *result = NULL;
	int r = path ? analyze_write(dir, path, &result, err) : err_sys(err, -ENOMEM, "'%s'", dir);

	if (r < 0)
		return r;
	if (args->json) {
		r = json_print(stdout, result, err);
	} else {
		print_result(result, path);
		r = fflush(stdout) == 0 ? 0 : err_sys(err, -errno, "cannot print the table");
	}
	if (r < 0)
		return r;
	if (strcmp(json_get_string(json_object_get(result, "verdict"), "state"), "failed") == 0)
		*ret = VCPULAT_EXIT_FAILED;
	return 0;
}

static enum vcpulat_exit analyze_all(const struct args *args, int n, char *dirs[])
{
	enum vcpulat_exit code = VCPULAT_EXIT_PASS;
	bool failed = false;

	for (int i = 0; i < n; i++) {
		struct err err = { "" };

		if (analyze_one(args, dirs[i], &code, &err) == 0)
			continue;
		log_error("%s", err.msg);
		failed = true;
	}
	return failed ? VCPULAT_EXIT_ERROR : code;
}

static int run(const void *object, const struct command_line *line, struct err *err)
{
	const struct args *args = object;

	if (line->operands == 0)
		return err_set(err, -EINVAL, "no bundle given; 'vcpulat analyze --help' explains");
	if (args->output && line->operands > 1)
		return err_set(err, -EINVAL, "--output takes the result of one bundle, %d are given", line->operands);
	return analyze_all(args, line->operands, line->operand);
}

const struct command *command_analyze(void)
{
	static const struct command command = {
		.name = "analyze",
		.summary = "say what caused each gap of a run",
		.help = {
			.usage = "analyze [OPTION...] BUNDLE...",
			.purpose =
				"Says for each gap of a run what caused it, and writes that beside the bundle, which is not changed.",
			.examples = "  vcpulat analyze bundles/vmstat-host-libvirt\n"
				    "  vcpulat analyze --json -o result.json bundles/vmstat-host-none | jq .causes",
		},
		.rows = rows,
		.options_bytes = sizeof(struct args),
		.run = run,
	};

	return &command;
}
