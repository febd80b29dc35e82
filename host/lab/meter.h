/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The instruction meter's file covers a whole boot; each bundle gets its own run of it. */
#ifndef VCPULAT_LAB_METER_H
#define VCPULAT_LAB_METER_H

#include <jansson.h>

#include "common/err.h"

/**
 * lab_meter_share_out - cut a boot's meter.bin into its bundles
 * @meter: the boot's file; a missing one is no error: the boot was not metered
 * @bundles: array of bundle directories of that boot, in any order
 * @err: names the file and what is wrong
 *
 * A bundle whose manifest says that its probe was the n-th of the boot gets the n-th run of the file.
 * Return: 0 or -errno.
 */
int lab_meter_share_out(const char *meter, const json_t *bundles, struct err *err);

#endif
