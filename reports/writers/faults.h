/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page faults by number of threads, as a table. */
#ifndef VCPULAT_WRITERS_FAULTS_H
#define VCPULAT_WRITERS_FAULTS_H

#include <jansson.h>
#include <stdio.h>

/**
 * faults_print - the table of each scenario and arm
 * @out: where
 * @comparison: of compare_results(); nothing is printed when no run measured page faults
 */
void faults_print(FILE *out, const json_t *comparison);

#endif
