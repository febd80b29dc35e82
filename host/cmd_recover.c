// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <tracefs.h>
#include <unistd.h>

#include "common/log.h"
#include "common/zram_swap.h"
#include "host/commands.h"
#include "host/domain.h"
#include "host/exit.h"
#include "host/settings.h"

#define INSTANCE_PREFIX "vcpulat-"
#define BUSY_TRIES 40
#define BUSY_US 50000

/* What came of it; what could not be undone is told at once. */
struct undone {
	unsigned int guests;
	unsigned int instances;
	bool failed;
};

/* The agent of a run that was killed may still be at it, or take it away itself. */
static int remove_instance(const char *name, void *ctx)
{
	struct undone *undone = ctx;
	bool removed = false;

	if (strncmp(name, INSTANCE_PREFIX, strlen(INSTANCE_PREFIX)) != 0)
		return 0;
	for (int i = 0; i < BUSY_TRIES && !removed && tracefs_instance_exists(name); i++) {
		struct tracefs_instance *instance = tracefs_instance_create(name); /* opens the one that exists */

		removed = instance && tracefs_instance_destroy(instance) == 0;
		tracefs_instance_free(instance);
		if (!removed)
			usleep(BUSY_US);
	}
	undone->instances += removed;
	if (!removed && tracefs_instance_exists(name)) {
		log_error("cannot remove the trace instance '%s'", name);
		undone->failed = true;
	}
	return 0;
}

static void remove_instances(struct undone *undone)
{
	tracefs_set_loglevel(TEP_LOG_NONE);
	if (tracefs_tracing_dir())
		tracefs_instances_walk(remove_instance, undone);
}

/*
 * libvirt itself destroys a guest whose run is gone; one that is left needs a libvirt that hung. Where none answers,
 * there may never have been one.
 */
static void remove_guests(struct undone *undone)
{
	struct err err = { "" };
	int ret = domain_destroy_leftovers(&undone->guests, &err);

	if (ret == -ENOTSUP)
		log_debug("%s", err.msg);
	else if (ret < 0)
		log_error("%s", err.msg);
	undone->failed |= ret < 0 && ret != -ENOTSUP;
}

static void remove_swap(struct undone *undone)
{
	struct err err = { "" };

	if (zram_swap_off(&err) == 0)
		return;
	log_error("%s", err.msg);
	undone->failed = true;
}

static int run(const void *none, const struct command_line *line, struct err *err)
{
	_cleanup_free_ char *dir = settings_dir();
	struct undone undone = { 0 };
	size_t settings = 0;
	int ret = dir ? 0 : -ENOMEM;

	(void)none;
	if (line->operands)
		return err_set(err, -EINVAL, "'%s': recover takes no operands", line->operand[0]);
	if (ret == 0)
		ret = settings_recover(dir, &settings, err);
	if (ret < 0)
		return ret;
	remove_swap(&undone);
	remove_guests(&undone);
	remove_instances(&undone);
	log_info("undone: %zu settings, %u guests, %u trace instances", settings, undone.guests, undone.instances);
	return undone.failed ? VCPULAT_EXIT_ERROR : VCPULAT_EXIT_PASS;
}

const struct command *command_recover(void)
{
	static const struct command command = {
		.name = "recover",
		.summary = "undo what a killed run left on this host",
		.help = {
			.usage = "recover",
			.purpose = "Undoes what a killed 'vcpulat run' left on this host: changed settings, a guest, a swap device of\n"
				   "compressed memory, trace instances. Exits with 1 where some of it stays.",
		},
		.run = run,
	};

	return &command;
}
