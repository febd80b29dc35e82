// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/schema.h"

#include <string.h>

#include "common/schema_value.h"

static const char *type_words(const struct schema_field *field)
{
	static const char *const words[SCHEMA_TYPE_MAX] = {
		[SCHEMA_STRING] = "text",
		[SCHEMA_BOOL] = "bool",
		[SCHEMA_UINT] = "number",
		[SCHEMA_DURATION] = "duration",
		[SCHEMA_SIZE] = "size",
		[SCHEMA_ENUM] = "one word",
		[SCHEMA_FLAGS] = "one word or a list",
		[SCHEMA_STRINGS] = "text or a list of texts",
		[SCHEMA_STRUCT] = "mapping",
		[SCHEMA_LIST] = "list of mappings",
	};

	return words[field->type];
}

static void print_help(FILE *out, const char *help, int indent)
{
	for (const char *end; *help; help = *end ? end + 1 : end) {
		end = strchrnul(help, '\n');
		fprintf(out, "%*s%.*s\n", indent, "", (int)(end - help), help);
	}
}

static void print_field(FILE *out, const struct schema_field *field, int indent)
{
	char allowed[SCHEMA_ALLOWED_CHARS];

	schema_allowed(field, allowed);
	fprintf(out, "%*s%s: %s%s%s", indent, "", field->key, type_words(field), allowed[0] ? ", " : "", allowed);
	if (field->required)
		fputs(" (required)", out);
	if (field->fallback && field->fallback[0])
		fprintf(out, " (default: %s)", field->fallback);
	fputc('\n', out);
	if (field->help)
		print_help(out, field->help, indent + 4);
}

static void print_fields(FILE *out, const struct schema_field *fields, int indent)
{
	for (; fields->key; fields++) {
		print_field(out, fields, indent);
		if (fields->type == SCHEMA_STRUCT || fields->type == SCHEMA_LIST)
			print_fields(out, fields->fields, indent + 4);
	}
}

void schema_print_reference(FILE *out, const struct schema_field *fields)
{
	print_fields(out, fields, 0);
}
