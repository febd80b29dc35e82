// SPDX-License-Identifier: GPL-2.0-or-later
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/json.h"
#include "common/log.h"
#include "common/schema_strings.h"
#include "host/commands.h"
#include "host/exit.h"
#include "host/scenario.h"

struct args {
	bool reference;
	bool json;
};

static const struct option_row rows[] = {
	{ .field = { .key = "reference",
		     .type = SCHEMA_BOOL,
		     .offset = offsetof(struct args, reference),
		     .help = "explain every key of a scenario file" } },
	{ .field = { .key = "json",
		     .type = SCHEMA_BOOL,
		     .offset = offsetof(struct args, json),
		     .help = "print for programs" } },
	{ .field = { .key = NULL } },
};

static json_t *guests_json(const struct scenario *s)
{
	json_t *list = json_array();

	for (int kind = 0; kind < GUEST_MAX; kind++)
		if (s->shape.guests & 1U << kind)
			json_array_append_new(list, json_string(guest_kind_name((enum guest_kind)kind)));
	return list;
}

static json_t *host_json(const struct scenario_shape *shape)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:o}", "cpus", (json_int_t)shape->host_cpus, "isolated",
			 (json_int_t)shape->host_isolated, "memory_bytes", (json_int_t)shape->host_memory_bytes,
			 "node1_bytes", (json_int_t)shape->host_node1_bytes, "cmdline",
			 schema_strings_to_json(&shape->host_cmdline));
}

static json_t *scenario_json(const struct scenario *s)
{
	return json_pack("{s:s, s:s, s:o, s:s, s:o, s:o, s:o}", "name", s->name, "description", s->description,
			 "groups", schema_strings_to_json(&s->groups), "layer", layer_name((enum layer)s->layer),
			 "host", host_json(&s->shape), "guests", guests_json(s), "provokes",
			 schema_strings_to_json(&s->provokes));
}

static void print_line(const struct scenario *s)
{
	printf("%s\n    %s\n", s->name, s->description);
	for (size_t i = 0; i < s->provokes.count; i++)
		printf("    provokes %s\n", s->provokes.item[i]);
}

static int show(const char *name, const struct args *args, bool in_full, json_t *list, struct err *err)
{
	_cleanup_scenario_ struct scenario s = { 0 };
	int ret = scenario_load(name, &s, err);

	if (ret < 0)
		return ret;
	if (args->json)
		json_array_append_new(list, scenario_json(&s));
	else if (in_full)
		fputs(s.text, stdout);
	else
		print_line(&s);
	return 0;
}

static int show_all(const struct schema_strings *names, const struct args *args, bool in_full, struct err *err)
{
	_cleanup_json_ json_t *list = json_array();
	int ret = 0;

	for (size_t i = 0; i < names->count; i++) {
		if (show(names->item[i], args, in_full, list, err) == 0)
			continue;
		log_error("%s", err->msg);
		ret = VCPULAT_EXIT_ERROR;
	}
	return args->json && ret == 0 ? json_print(stdout, list, err) : ret;
}

static int show_known(const struct args *args, struct err *err)
{
	_cleanup_(schema_strings_clear) struct schema_strings names = { 0 };
	int ret = scenario_list(&names, err);

	return ret < 0 ? ret : show_all(&names, args, false, err);
}

static int run(const void *object, const struct command_line *line, struct err *err)
{
	const struct args *args = object;

	if (args->reference)
		schema_print_reference(stdout, scenario_fields());
	else if (line->operands)
		return show_all(&(struct schema_strings){ line->operand, (size_t)line->operands }, args, true, err);
	else
		return show_known(args, err);
	return VCPULAT_EXIT_PASS;
}

const struct command *command_scenarios(void)
{
	static const struct command command = {
		.name = "scenarios",
		.summary = "list and explain scenarios",
		.help = {
			.usage = "scenarios [--json] [NAME...] | --reference",
			.purpose = "Lists the scenarios, shows some of them in full, or explains the keys of a scenario file.",
			.examples = "  vcpulat scenarios vmstat-host",
		},
		.rows = rows,
		.options_bytes = sizeof(struct args),
		.run = run,
	};

	return &command;
}
