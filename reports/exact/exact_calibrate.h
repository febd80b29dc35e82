/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The check of the meter by interruptions of known length (stimulus kind "calibrate"). */
#ifndef VCPULAT_EXACT_CALIBRATE_H
#define VCPULAT_EXACT_CALIBRATE_H

#include <jansson.h>
#include <stdio.h>

#include "reports/exact/meter.h"

/**
 * exact_calibration - what the meter counted of each known interruption
 * @data: what the meter says
 * @result: document of schema vcpulat-result-1, whose actions say what was known; NULL: nobody does
 *
 * Return: new reference to an array of {"payload", "known": instructions it executes beside a
 * constant, "insns": counted between its marks, or of payload irq in the interrupt; "rep":
 * iterations of the payload, which are what is known of payload rep; "slack": of which so many
 * may be counted twice, "gaps": into how many the interruption was cut, "whole": whether all
 * their steps were kept}; NULL when there was no such interruption, or no memory.
 */
json_t *exact_calibration(const struct meter_data *data, const json_t *result);

/**
 * exact_print_calibration - one line for each payload and known number: what was counted beyond it
 * @out: where
 * @calibration: of exact_calibration(); NULL: nothing is printed
 *
 * Interruptions of which steps were not kept are left out, and counted.
 */
void exact_print_calibration(FILE *out, const json_t *calibration);

#endif
