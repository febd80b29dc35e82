/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scenario's settings, in both layers. Those of the host are journaled (host/settings.h); a guest
 * does not outlive its run, so that what stood there before is only kept in memory.
 */
#ifndef VCPULAT_APPLY_H
#define VCPULAT_APPLY_H

#include <jansson.h>

#include "host/agent.h"
#include "host/scenario.h"
#include "host/settings.h"

/**
 * apply_settings - change what a scenario says, to be undone later
 * @scenario: its settings
 * @settings: of the host
 * @guest: agent of the guest; NULL: there is none, and no setting is for it
 * @guest_old: array; gets what stood in the guest before
 * @err: the file that is missing, or what failed
 *
 * After a failure some are changed: apply_undo() all the same.
 * Return: 0, -ENOTSUP where a file that is not optional is missing, or another -errno.
 */
int apply_settings(const struct scenario *scenario, struct settings *settings, struct agent *guest, json_t *guest_old,
		   struct err *err);

/**
 * apply_undo - undo all of it, in both layers
 * @settings: of the host
 * @guest: agent of the guest; NULL: there is none any more
 * @guest_old: as apply_settings() left it
 * @ret_guest_changed: the guest keeps some of its settings, which is no failure: it can be given up
 * @err: as settings_restore()
 *
 * Return: 0 or -errno.
 */
int apply_undo(struct settings *settings, struct agent *guest, const json_t *guest_old, bool *ret_guest_changed,
	       struct err *err);

#endif
