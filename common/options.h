/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: one typed table a command; parsing and --help come from the same rows.
 */
#ifndef VCPULAT_OPTIONS_H
#define VCPULAT_OPTIONS_H

#include <stddef.h>
#include <stdio.h>

#include "common/schema.h"

struct option_row {
	struct schema_field
		field; /* key: long name without "--"; STRING, BOOL, UINT, DURATION, SIZE, ENUM, FLAGS or STRINGS */
	char letter;   /* short form; 0: none */
	const char *argument; /* its name in the help, e.g. "DIR"; NULL for BOOL */
};

/* The part of a row's field that says where it goes: an option's name, and a member of the command's struct. */
#define OPTION_FIELD(object, name, member, kind) .key = (name), .offset = offsetof(object, member), .type = (kind)

struct command_help {
	const char *usage;    /* after "usage: vcpulat " */
	const char *purpose;  /* a few lines */
	const char *examples; /* may be NULL */
};

/**
 * options_parse - parse a command's arguments into its struct
 * @argc: as main(), argv[0] being the command's name
 * @argv: as main(); reordered so that the operands stand at the end
 * @rows: the table; a row with key NULL ends it
 * @object: the command's struct: defaults are filled in first; strings are heap, see options_clear()
 * @ret_operands: index in @argv of the first operand
 * @err: names the option, the value and the range
 *
 * "--help" gives 1: the caller prints options_help() and exits 0.
 * Return: 0, 1 for --help, or -EINVAL.
 */
int options_parse(int argc, char *argv[], const struct option_row *rows, void *object, int *ret_operands,
		  struct err *err);

/**
 * options_help - print usage, purpose, options and examples
 * @out: where
 * @help: the words
 * @rows: the table
 */
void options_help(FILE *out, const struct command_help *help, const struct option_row *rows);

/**
 * options_clear - free the strings that options_parse() allocated
 * @rows: the table
 * @object: the command's struct
 */
void options_clear(const struct option_row *rows, void *object);

#endif
