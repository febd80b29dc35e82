/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures that an action of any stimulus kind gives in its detail: items NAME=NUMBER UNIT, apart by commas or
 * semicolons, as in "held back=48 pages, throttled=-1 times". Written by the agent, read by the analysis. What is
 * otherwise between two separators is prose, and left alone.
 */
#ifndef VCPULAT_STIMULUS_FIGURES_H
#define VCPULAT_STIMULUS_FIGURES_H

#define STIMULUS_FIGURE_NAME_BYTES 32	    /* letters, digits, blanks and hyphens, beginning with a letter */
#define STIMULUS_FIGURE_UNIT_BYTES 16	    /* letters */
#define STIMULUS_FIGURE_MAX 1000000000000LL /* as far from 0 as a number may be */

#endif
