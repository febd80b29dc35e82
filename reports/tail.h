/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tail beyond the sample: peaks over a threshold follow a generalized Pareto
 * distribution, from which the length that is exceeded once in a longer time follows.
 * It extrapolates, so it comes with an interval and is refused on thin evidence.
 *
 * It says nothing about causes that did not occur in the sample.
 */
#ifndef VCPULAT_TAIL_H
#define VCPULAT_TAIL_H

#include <stddef.h>

#define TAIL_MIN_EXCEEDANCES 50

struct tail_params {
	double threshold;  /* unit of the values */
	double exposure;   /* observed time, any unit */
	double period;	   /* same unit: the level is exceeded once in it, on average */
	double confidence; /* of the level's interval, e.g. 0.95 */
};

struct tail {
	size_t exceedances;
	double shape;	 /* xi: 0 exponential, above 0 heavier, below 0 bounded */
	double scale;	 /* sigma, unit of the values */
	double level;	 /* return level, unit of the values */
	double level_lo; /* from the profile likelihood */
	double level_hi; /* HUGE_VAL: the sample does not bound it */
};

/**
 * tail_fit - fit peaks over a threshold and give the return level
 * @values: any order
 * @n: how many
 * @params: threshold, times, confidence
 * @ret: the fit
 *
 * Maximum likelihood as Grimshaw, "Computing maximum likelihood estimates for the
 * generalized Pareto distribution", Technometrics 35 (1993); return level and its profile
 * likelihood as Coles, "An introduction to statistical modeling of extreme values" (2001),
 * sections 4.3.3 and 4.3.4. The rate of exceedances is taken as known.
 * Return: 0, -ERANGE under TAIL_MIN_EXCEEDANCES values above the threshold, -EDOM when less
 * than one is expected in the period, -ENOMEM.
 */
int tail_fit(const double *values, size_t n, const struct tail_params *params, struct tail *ret);

#endif
