// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <tracefs.h>

#include "common/log.h"
#include "common/options.h"
#include "common/zram_swap.h"
#include "host/commands.h"
#include "host/domain.h"
#include "host/exit.h"
#include "host/settings.h"

#define INSTANCE_PREFIX "vcpulat-"

struct args {
	bool unused; /* the command has no options but --help */
};

static const struct option_row rows[] = {
	{ .field = { .key = NULL } },
};

static const struct command_help help = {
	.usage = "recover",
	.purpose = "Undoes what a killed 'vcpulat run' left on this host: changed settings, a guest, trace instances.",
};

static int remove_instance(const char *name, void *ctx)
{
	unsigned int *count = ctx;
	struct tracefs_instance *instance;

	if (strncmp(name, INSTANCE_PREFIX, strlen(INSTANCE_PREFIX)) != 0)
		return 0;
	instance = tracefs_instance_create(name); /* opens the one that exists */
	if (!instance)
		return 0;
	if (tracefs_instance_destroy(instance) == 0)
		(*count)++;
	tracefs_instance_free(instance);
	return 0;
}

static unsigned int remove_instances(void)
{
	unsigned int count = 0;

	tracefs_set_loglevel(TEP_LOG_NONE);
	if (tracefs_tracing_dir())
		tracefs_instances_walk(remove_instance, &count);
	return count;
}

/* libvirt itself destroys a guest whose run is gone; one that is left needs a libvirt that hung. */
static unsigned int remove_guests(void)
{
	struct err err = { "" };
	unsigned int count = 0;

	if (domain_destroy_leftovers(&count, &err) < 0)
		log_debug("%s", err.msg);
	return count;
}

static int recover(void)
{
	_cleanup_free_ char *dir = settings_dir();
	struct err err = { "" };
	size_t settings = 0;
	int ret = dir ? settings_recover(dir, &settings, &err) : -ENOMEM;

	if (ret < 0) {
		log_error("%s", err.msg[0] ? err.msg : strerror(-ret));
		return VCPULAT_EXIT_ERROR;
	}
	if (zram_swap_off(&err) < 0)
		log_error("%s", err.msg);
	log_info("undone: %zu settings, %u guests, %u trace instances", settings, remove_guests(), remove_instances());
	return VCPULAT_EXIT_PASS;
}

int cmd_recover(int argc, char *argv[])
{
	struct args args = { 0 };
	struct err err = { "" };
	int first;
	int ret = options_parse(argc, argv, rows, &args, &first, &err);

	if (ret > 0) {
		options_help(stdout, &help, rows);
		return VCPULAT_EXIT_PASS;
	}
	if (ret == 0 && first < argc)
		ret = err_set(&err, -EINVAL, "'%s': recover takes no operands", argv[first]);
	if (ret < 0) {
		log_error("%s", err.msg);
		return VCPULAT_EXIT_ERROR;
	}
	return recover();
}
