// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <tracefs.h>

#include "common/log.h"
#include "common/zram_swap.h"
#include "host/commands.h"
#include "host/domain.h"
#include "host/exit.h"
#include "host/settings.h"

#define INSTANCE_PREFIX "vcpulat-"

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

static int run(const void *none, const struct command_line *line, struct err *err)
{
	_cleanup_free_ char *dir = settings_dir();
	struct err swap = { "" };
	size_t settings = 0;
	int ret = dir ? 0 : -ENOMEM;

	(void)none;
	if (line->operands)
		return err_set(err, -EINVAL, "'%s': recover takes no operands", line->operand[0]);
	if (ret == 0)
		ret = settings_recover(dir, &settings, err);
	if (ret < 0)
		return ret;
	if (zram_swap_off(&swap) < 0)
		log_error("%s", swap.msg);
	log_info("undone: %zu settings, %u guests, %u trace instances", settings, remove_guests(), remove_instances());
	return VCPULAT_EXIT_PASS;
}

const struct command *command_recover(void)
{
	static const struct command command = {
		.name = "recover",
		.summary = "undo what a killed run left on this host",
		.help = {
			.usage = "recover",
			.purpose = "Undoes what a killed 'vcpulat run' left on this host: changed settings, a guest, trace instances.",
		},
		.run = run,
	};

	return &command;
}
