/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Causes of a run without a trace: what the instructions of each gap show. A gap's time goes to
 * its first root as a whole, since only instructions are known of the others; when in the gap a
 * cause began is not known either: its primer counts as hit when the whole gap lies behind it.
 */
#ifndef VCPULAT_EXACT_ATTRIBUTE_H
#define VCPULAT_EXACT_ATTRIBUTE_H

#include <stddef.h>

#include "reports/attribute.h"
#include "reports/bundle.h"
#include "reports/exact/meter.h"
#include "reports/figures.h"

struct exact_attribute_params {
	const struct meter_data *data;
	const struct bundle *bundle; /* its actions are the stimulus */
	struct causes *causes;	     /* grows */
	struct figures *figures;     /* gets what began */
	struct gap *gaps;	     /* closed by an attribution that was fed nothing */
	size_t n_gaps;
};

/**
 * exact_attribute - give gaps the causes that the meter saw
 * @params: borrowed
 *
 * Gaps in which the emulated host executed nothing of note keep what they have.
 * Return: 0 or -ENOMEM.
 */
int exact_attribute(const struct exact_attribute_params *params);

#endif
