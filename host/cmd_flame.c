// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/commands.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/fs.h"
#include "common/json.h"
#include "host/paths.h"
#include "reports/exact/flame.h"
#include "reports/load.h"

#define TEMPLATE_MAX_BYTES (1U << 20)

struct flame_options {
	char *cause;
	char *output;
	uint64_t gap;
	bool gap_given;
	bool folded;
};

#define FIELD(name, member, kind) OPTION_FIELD(struct flame_options, name, member, kind)

static const struct option_row rows[] = {
	{ .field = { FIELD("cause", cause, SCHEMA_STRING),
		     .help = "show the gap of median length that has this cause alone" },
	  .letter = 'c',
	  .argument = "CAUSE" },
	{ .field = { FIELD("gap", gap, SCHEMA_UINT), .has_offset = offsetof(struct flame_options, gap_given),
		     .max = UINT32_MAX - 1, .help = "show the gap of this number, counted from 0 as in the result" },
	  .argument = "N" },
	{ .field = { FIELD("folded", folded, SCHEMA_BOOL),
		     .help = "print folded stacks, which flame graph tools read, instead of a page" } },
	{ .field = { FIELD("output", output, SCHEMA_STRING), .help = "write here instead of to the standard output" },
	  .letter = 'o',
	  .argument = "FILE" },
	{ .field = { .key = NULL } },
};

/* The bundle lies where the result lies, or where the result says. */
static int find_bundle(const char *operand, const json_t *result, char **ret_dir, struct err *err)
{
	const char *slash = strrchr(operand, '/');
	_cleanup_free_ char *beside = str_printf("%.*s", slash ? (int)(slash - operand) : 1, slash ? operand : ".");
	const char *const place[] = { operand, beside, json_get_string(result, "bundle") };

	for (size_t i = 0; i < ARRAY_SIZE(place); i++) {
		_cleanup_free_ char *meter = str_printf("%s/meter.bin", place[i] ? place[i] : "");

		if (!meter || !fs_exists(meter))
			continue;
		*ret_dir = strdup(place[i]);
		return *ret_dir ? 0 : err_sys(err, -ENOMEM, "cannot read '%s'", operand);
	}
	return err_set(err, -ENOENT, "'%s' has no meter.bin: only runs in a lab with the instruction meter do",
		       operand);
}

/* A bundle that was not analyzed has no result: causes are then what the instructions show. */
static int load_result(const char *operand, json_t **ret, struct err *err)
{
	_cleanup_free_ char *path = load_result_path(operand);
	_cleanup_free_ char *bundle = str_printf("%s/meter.bin", operand);

	if (!path || !bundle)
		return err_sys(err, -ENOMEM, "cannot read '%s'", operand);
	if (fs_exists(bundle) && !fs_exists(path))
		return 0;
	return load_file(operand, ret, err);
}

static int pick(const struct meter_data *data, const json_t *result, const struct flame_options *options,
		const struct meter_gap **ret, struct err *err)
{
	if (options->gap_given) {
		*ret = meter_find(data, (uint32_t)options->gap);
		if (!*ret)
			return err_set(err, -ENOENT, "the meter has no gap %llu", (unsigned long long)options->gap);
		if (!(*ret)->costs)
			return err_set(err, -ENODATA,
				       "gap %llu has no profile: %llu instructions lie between its turns, so nothing "
				       "was executed",
				       (unsigned long long)options->gap,
				       (unsigned long long)((*ret)->insns[METER_HOST] + (*ret)->insns[METER_GUEST]));
		return 0;
	}
	if (!options->cause)
		return err_set(err, -EINVAL, "give --cause or --gap; 'vcpulat flame --help' explains");
	return flame_pick(data, result, options->cause, ret, err);
}

static int write_page(FILE *out, const struct flame_options *options, const struct meter_data *data,
		      const struct meter_gap *gap, struct err *err)
{
	_cleanup_free_ char *assets = paths_html_assets();
	_cleanup_free_ char *path = assets ? str_printf("%s/flame.html", assets) : NULL;
	_cleanup_free_ char *title = options->cause ? str_printf("%s", options->cause) : str_printf("gap %u", gap->gap);
	_cleanup_free_ char *template = NULL;
	int rc = path && title ? fs_read(path, TEMPLATE_MAX_BYTES, &template, NULL, err) : -ENOMEM;

	if (rc)
		return rc;
	rc = flame_write_page(out, template, title, data, gap);
	return rc ? err_sys(err, rc, "cannot write the page") : 0;
}

static int write_output(const struct flame_options *options, const struct meter_data *data, const struct meter_gap *gap,
			struct err *err)
{
	_cleanup_fclose_ FILE *file = options->output ? fopen(options->output, "we") : NULL;
	FILE *out = options->output ? file : stdout;
	int rc;

	if (!out)
		return err_sys(err, -errno, "cannot write '%s'", options->output);
	rc = options->folded ? flame_write_folded(out, data, gap) : write_page(out, options, data, gap, err);
	if (!rc && fflush(out))
		rc = -errno;
	return rc && !err->msg[0] ? err_sys(err, rc, "cannot write '%s'", options->output ? options->output : "-") : rc;
}

static int run(const void *object, const struct command_line *line, struct err *err)
{
	const struct flame_options *options = object;
	_cleanup_meter_ struct meter_data data = { 0 };
	_cleanup_json_ json_t *result = NULL;
	_cleanup_free_ char *dir = NULL;
	const struct meter_gap *gap = NULL;
	int rc;

	if (line->operands != 1)
		return err_set(err, -EINVAL, "one result or bundle is wanted; 'vcpulat flame --help' explains");
	rc = load_result(line->operand[0], &result, err);
	if (!rc)
		rc = find_bundle(line->operand[0], result, &dir, err);
	if (!rc)
		rc = meter_load_bundle(dir, &data, err);
	if (!rc)
		rc = pick(&data, result, options, &gap, err);
	return rc ? rc : write_output(options, &data, gap, err);
}

const struct command *command_flame(void)
{
	static const struct command command = {
		.name = "flame",
		.summary = "show where the instructions of a cause went",
		.help = {
			.usage = "flame [OPTION...] RESULT_OR_BUNDLE",
			.purpose =
				"Shows where the instructions of a gap went, by layer, context and function, as the instruction meter\n"
				"of a lab counted them: an interactive page that needs no network, or folded stacks.",
			.examples = "  vcpulat flame bundles/vmstat-host-none --cause host/kworker/vmstat_update -o vmstat.html\n"
				    "  vcpulat flame bundles/vmstat-host-none.result.json --gap 17 --folded",
		},
		.rows = rows,
		.options_bytes = sizeof(struct flame_options),
		.run = run,
	};

	return &command;
}
