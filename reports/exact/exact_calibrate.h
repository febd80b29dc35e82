/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The check of the meter by interruptions of known length (stimulus kind "calibrate"). */
#ifndef VCPULAT_EXACT_CALIBRATE_H
#define VCPULAT_EXACT_CALIBRATE_H

#include <jansson.h>

#include "reports/exact/meter.h"

/**
 * exact_calibration - what the meter counted of each known interruption
 * @data: what the meter says
 *
 * Return: new reference to an array of {"insns": executed in user space between its
 * marks, "rep": iterations, "slack": of which so many may be counted twice, "gaps": into how
 * many the interruption was cut, "whole": whether all their steps were kept}; NULL when there
 * was no such interruption, or no memory.
 */
json_t *exact_calibration(const struct meter_data *data);

#endif
