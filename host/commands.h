/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands, one file cmd_<name>.c each: words and options in tables, and a function
 * that does it. Only command_main() parses, helps, and prints the error that ended one.
 */
#ifndef VCPULAT_COMMANDS_H
#define VCPULAT_COMMANDS_H

#include <stddef.h>

#include "common/err.h"
#include "common/options.h"

/* What a command is given besides its options. */
struct command_line {
	int operands;
	char **operand;	  /* NULL after the last */
	const char *text; /* all of it, to be typed again */
};

struct command {
	const char *name;
	const char *summary; /* in the list of commands */
	struct command_help help;
	const struct option_row *rows; /* NULL: no options */
	size_t options_bytes;	       /* of the struct that the rows fill */
	/* Returns an exit code of host/exit.h, or -errno for "could not measure", and in @err why. */
	int (*run)(const void *options, const struct command_line *line, struct err *err);
};

/**
 * command_main - parse a command's arguments and run it
 * @command: which
 * @argc: as main(), argv[0] being the command's name
 * @argv: as main(); reordered
 *
 * Return: an exit code of host/exit.h.
 */
int command_main(const struct command *command, int argc, char *argv[]);

/** command_analyze - evidence of bundles to results */
const struct command *command_analyze(void);
/** command_compare - results to a comparison of arms */
const struct command *command_compare(void);
/** command_diff - what differs between two set-ups */
const struct command *command_diff(void);
/** command_flame - where the instructions of a cause went */
const struct command *command_flame(void);
/** command_kernel - build and list kernel arms */
const struct command *command_kernel(void);
/** command_lab - run scenarios on emulated hosts under test */
const struct command *command_lab(void);
/** command_recover - undo what a killed run left */
const struct command *command_recover(void);
/** command_report - render a comparison or results */
const struct command *command_report(void);
/** command_run - run scenarios on this host */
const struct command *command_run(void);
/** command_scenarios - list and explain scenarios */
const struct command *command_scenarios(void);

#endif
