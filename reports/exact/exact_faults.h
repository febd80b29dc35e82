/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions of page faults: what threads execute between two MARK_FAULTS (stimulus kind fault_rate). */
#ifndef VCPULAT_EXACT_FAULTS_H
#define VCPULAT_EXACT_FAULTS_H

#include <jansson.h>

#include "reports/exact/meter.h"

/**
 * exact_faults - what the meter counted of each thread and round
 * @data: what the meter says
 * @result: document of schema vcpulat-result-1, whose actions say how many threads and faults there were; NULL: nobody
 *          does
 *
 * All that the thread's CPU executed is counted, interrupts included; iterations of string instructions are not.
 * Return: new reference to an array of {"threads", "pages": touched by a thread in a round, "insns": of a thread in a
 * round, as exact_values()}; NULL when there is nothing of it, or no memory.
 */
json_t *exact_faults(const struct meter_data *data, const json_t *result);

#endif
