/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Figures that stimuli of any kind give of their actions (common/stimulus_figures.h), by name, over a run. */
#ifndef VCPULAT_REPORTS_STIMULUS_FIGURES_H
#define VCPULAT_REPORTS_STIMULUS_FIGURES_H

#include <jansson.h>
#include <stdbool.h>

#include "common/stimulus_figures.h"
#include "reports/bundle.h"

struct stimulus_figure {
	char name[STIMULUS_FIGURE_NAME_BYTES];
	char unit[STIMULUS_FIGURE_UNIT_BYTES];
	json_int_t value;
};

/**
 * stimulus_figure_next - the next figure in an action's words
 * @at: in the words; moved behind the figure, or to the end
 * @ret: the figure
 *
 * Return: false when there is none left; @ret is then untouched.
 */
bool stimulus_figure_next(const char **at, struct stimulus_figure *ret);

/**
 * stimulus_figure_is_word - could a text be a figure's name?
 * @text: of anybody
 *
 * One that could moves no cursor.
 */
bool stimulus_figure_is_word(const char *text);

/**
 * stimulus_figures_side - a summary of values
 * @values: sorted in place, whole numbers
 * @n: how many, at least 1
 *
 * Return: a new reference to {"n", "min", "median", "max"}, or NULL. Of two in the middle, the median is the lesser.
 */
json_t *stimulus_figures_side(double *values, size_t n);

/**
 * stimulus_figures_json - all figures of a run
 * @bundle: of the run
 * @with_times: also those in seconds and parts of them, which are worth nothing where a kernel checks itself
 *
 * Return: a new reference to an array of {"kind", "figure", "unit", "armed", "control"}, of which the last two are as
 * stimulus_figures_side() and have "values" in order of time, or null; NULL when there is no figure, or no memory.
 */
json_t *stimulus_figures_json(const struct bundle *bundle, bool with_times);

#endif
