/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stimuli say of their actions in figures, each arm beside the others, as a table. */
#ifndef VCPULAT_WRITERS_STIMULUS_FIGURES_H
#define VCPULAT_WRITERS_STIMULUS_FIGURES_H

#include <jansson.h>
#include <stdio.h>

/**
 * stimulus_figures_print - the tables of each scenario and kind
 * @out: where; TABLE_COLUMNS wide
 * @comparison: of compare_results(); nothing is printed when no stimulus gave figures
 */
void stimulus_figures_print(FILE *out, const json_t *comparison);

#endif
