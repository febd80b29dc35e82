/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page faults of 1, 2, 3 ... threads (stimulus kind fault_rate): what a run measured. Arms: compare_faults.c. */
#ifndef VCPULAT_REPORTS_FAULT_RATE_H
#define VCPULAT_REPORTS_FAULT_RATE_H

#include <jansson.h>

#include "reports/bundle.h"

/**
 * fault_rate_json - what a run measured, by number of threads
 * @bundle: of the run
 *
 * Return: new reference to an array of {"threads", "actions", "faults", "wall_ns", "cpu_ns", "ipis": sums over the
 * actions in armed windows; "per_s", "per_cpu_s", "ipis_per_1000": arithmetic means over them}; NULL when there was
 * none, or no memory.
 */
json_t *fault_rate_json(const struct bundle *bundle);

#endif
