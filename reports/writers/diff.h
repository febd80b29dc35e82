/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs between two set-ups, on a terminal: 100 columns at most. */
#ifndef VCPULAT_DIFF_H
#define VCPULAT_DIFF_H

#include <jansson.h>
#include <stdio.h>

#define DIFF_COLUMNS 100

/**
 * diff_print - print a difference
 * @out: where
 * @diff: from setup_diff()
 *
 * Short values stand side by side, longer ones below each other; of sets, words and lines only what the other side
 * has not is shown.
 */
void diff_print(FILE *out, const json_t *diff);

#endif
