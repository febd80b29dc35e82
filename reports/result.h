/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An analysis as result.json, schema vcpulat-result-1. The same analysis gives the same bytes. */
#ifndef VCPULAT_RESULT_H
#define VCPULAT_RESULT_H

#include <jansson.h>

struct analysis;

/**
 * result_make - the result of an analysis
 * @analysis: finished
 *
 * Times are nanoseconds from the start of the first window unless their key says otherwise.
 * Return: new reference, or NULL without memory.
 */
json_t *result_make(const struct analysis *analysis);

/**
 * result_verdict - passed, failed or no-verdict, with reasons
 * @analysis: finished
 *
 * "no-verdict" means that nothing can be concluded; findings in a kernel's log fail a run whatever its figures.
 * Limits, and what the TSC lacks, are judged in qualification mode only.
 * Return: {"state", "reasons"}, or NULL without memory.
 */
json_t *result_verdict(const struct analysis *analysis);

#endif
