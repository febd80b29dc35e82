// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "host/cmdline.h"
#include "host/commands.h"
#include "host/exit.h"

static const struct option_row no_rows[] = {
	{ .field = { .key = NULL } },
};

/* Says why a command could not do what it was asked for. */
static int exit_code(int ret, const struct err *err)
{
	if (ret >= 0)
		return ret;
	log_error("%s", err->msg[0] ? err->msg : strerror(-ret));
	return ret == -EINTR ? VCPULAT_EXIT_INTERRUPTED : VCPULAT_EXIT_ERROR;
}

int command_main(const struct command *command, int argc, char *argv[])
{
	const struct option_row *rows = command->rows ? command->rows : no_rows;
	_cleanup_free_ char *text = cmdline_join(argc, argv);
	_cleanup_free_ void *options = calloc(1, command->options_bytes + 1);
	struct err err = { "" };
	int first;
	int ret = text && options ? options_parse(argc, argv, rows, options, &first, &err) : -ENOMEM;

	if (ret == 1) {
		options_help(stdout, &command->help, rows);
		ret = VCPULAT_EXIT_PASS;
	} else if (ret == 0) {
		ret = command->run(options, &(struct command_line){ argc - first, argv + first, text }, &err);
	}
	if (options)
		options_clear(rows, options);
	return exit_code(ret, &err);
}
