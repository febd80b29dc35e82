// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/stop.h"
#include "host/commands.h"
#include "host/exit.h"

static const struct command *(*const commands[])(void) = {
	command_analyze, command_compare, command_diff,	  command_flame, command_kernel,
	command_lab,	 command_recover, command_report, command_run,	 command_scenarios,
};

static void print_help(FILE *out)
{
	fputs("usage: vcpulat [-v|-q] COMMAND [ARGUMENT...]\n\n"
	      "Measures what a guest's vCPU loses when its host, or its own kernel, interrupts it;\n"
	      "says which kernel work did it; and shows whether a patched kernel removes it.\n\n",
	      out);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-10s %s\n", commands[i]()->name, commands[i]()->summary);
	fputs("\n'vcpulat COMMAND --help' explains a command.\n"
	      "Exit codes: 0 passed, 1 could not measure, 2 limit or expectation not met, 77 skipped, 130 "
	      "interrupted.\n",
	      out);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i]()->name, name) == 0)
			return commands[i]();
	return NULL;
}

/* The options before the command; returns the index of the command. */
static int parse_global(int argc, char *argv[])
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "-v") == 0 || strcmp(argv[i], "--verbose") == 0)
			log_set_level(LOG_LEVEL_DEBUG);
		else if (strcmp(argv[i], "-q") == 0 || strcmp(argv[i], "--quiet") == 0)
			log_set_level(LOG_LEVEL_QUIET);
		else
			break;
	}
	return i;
}

int main(int argc, char *argv[])
{
	const struct command *command;
	int first = parse_global(argc, argv);

	if (first >= argc) {
		print_help(stderr);
		return VCPULAT_EXIT_ERROR;
	}
	if (strcmp(argv[first], "--help") == 0 || strcmp(argv[first], "-h") == 0 || strcmp(argv[first], "help") == 0) {
		print_help(stdout);
		return VCPULAT_EXIT_PASS;
	}
	if (strcmp(argv[first], "--version") == 0) {
		puts("vcpulat " VCPULAT_VERSION);
		return VCPULAT_EXIT_PASS;
	}
	command = find_command(argv[first]);
	if (!command) {
		log_error("unknown command '%s'; 'vcpulat --help' lists them", argv[first]);
		return VCPULAT_EXIT_ERROR;
	}
	if (stop_install() < 0) {
		log_error("cannot catch signals");
		return VCPULAT_EXIT_ERROR;
	}
	return command_main(command, argc - first, argv + first);
}
