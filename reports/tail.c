// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/tail.h"

#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

#include "common/cleanup.h"

/* Below -0.9 the likelihood grows without bound towards a distribution that ends at the maximum. */
#define SHAPE_MIN (-0.9)
#define SHAPE_MAX 2.0
#define GRID 60
#define REFINEMENTS 60

struct peaks {
	double *excess;
	size_t n;
	double mean;
	double max;
	double expected; /* exceedances in the period */
};

static void peaks_done(struct peaks *peaks)
{
	free(peaks->excess);
}

static int peaks_init(struct peaks *peaks, const double *values, size_t n, const struct tail_params *params)
{
	peaks->excess = calloc(n + 1, sizeof(*peaks->excess));
	if (!peaks->excess)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		double excess = values[i] - params->threshold;

		if (excess <= 0)
			continue;
		peaks->excess[peaks->n++] = excess;
		peaks->mean += excess;
		peaks->max = fmax(peaks->max, excess);
	}
	if (peaks->n < TAIL_MIN_EXCEEDANCES)
		return -ERANGE;
	peaks->mean /= (double)peaks->n;
	peaks->expected = (double)peaks->n * params->period / params->exposure;
	return peaks->expected > 1 ? 0 : -EDOM;
}

static double mean_log(const struct peaks *peaks, double factor)
{
	double sum = 0;

	for (size_t i = 0; i < peaks->n; i++)
		sum += log1p(factor * peaks->excess[i]);
	return sum / (double)peaks->n;
}

static double log_likelihood(const struct peaks *peaks, double shape, double scale)
{
	if (scale <= 0 || 1 + shape * peaks->max / scale <= 0)
		return -HUGE_VAL;
	if (fabs(shape) < 1e-9)
		return -(double)peaks->n * (log(scale) + peaks->mean / scale);
	return -(double)peaks->n * (log(scale) + (1 + 1 / shape) * mean_log(peaks, shape / scale));
}

/* (expected^shape - 1) / shape: what a level above the threshold is in units of the scale. */
static double stretch(const struct peaks *peaks, double shape)
{
	double log_expected = log(peaks->expected);

	return fabs(shape) < 1e-9 ? log_expected : expm1(shape * log_expected) / shape;
}

struct curve {
	const struct peaks *peaks;
	double level; /* excess of the return level over the threshold, for level_likelihood() */
};

static double level_likelihood(const struct curve *curve, double shape)
{
	return log_likelihood(curve->peaks, shape, curve->level / stretch(curve->peaks, shape));
}

/* Grimshaw's one parameter shape/scale, as t in [0, 1]: below 1/2 the bounded shapes, above it the others. */
static double theta(const struct peaks *peaks, double t)
{
	if (t < 0.5)
		return -(1 - pow(10, -4 + 8 * t)) / peaks->max;
	return pow(10, -3 + 10 * (t - 0.5)) / peaks->mean;
}

static double grimshaw_likelihood(const struct curve *curve, double t)
{
	double ratio = theta(curve->peaks, t);
	double shape = mean_log(curve->peaks, ratio);

	if (shape < SHAPE_MIN || shape > SHAPE_MAX)
		return -HUGE_VAL;
	return log_likelihood(curve->peaks, shape, shape / ratio);
}

struct maximum {
	double x;
	double value;
};

/* The highest point of a grid, refined by golden sections between its neighbours. */
static struct maximum maximize(double (*f)(const struct curve *curve, double x), const struct curve *curve, double lo,
			       double hi)
{
	const double golden = (sqrt(5) - 1) / 2;
	struct maximum best = { lo, -HUGE_VAL };
	double step = (hi - lo) / GRID;

	for (int i = 0; i <= GRID; i++) {
		double value = f(curve, lo + i * step);

		if (value > best.value)
			best = (struct maximum){ lo + i * step, value };
	}
	lo = fmax(lo, best.x - step);
	hi = fmin(hi, best.x + step);
	for (int i = 0; i < REFINEMENTS && hi - lo > 1e-7; i++) {
		double left = hi - golden * (hi - lo);
		double right = lo + golden * (hi - lo);

		if (f(curve, left) > f(curve, right))
			hi = right;
		else
			lo = left;
	}
	if (f(curve, (lo + hi) / 2) > best.value)
		best = (struct maximum){ (lo + hi) / 2, f(curve, (lo + hi) / 2) };
	return best;
}

static double profile(const struct peaks *peaks, double level)
{
	struct curve curve = { peaks, level };

	return maximize(level_likelihood, &curve, SHAPE_MIN, SHAPE_MAX).value;
}

/* Where the profile of the level falls below @limit, from the estimate outwards; factor below or above 1. */
static double profile_end(const struct peaks *peaks, double level, double limit, double factor)
{
	double inside = level;
	double outside = level;
	int tries = 0;

	do {
		inside = outside;
		outside *= factor;
		if (++tries > 60)
			return factor > 1 ? HUGE_VAL : 0;
	} while (profile(peaks, outside) > limit);
	for (int i = 0; i < 20; i++) {
		double middle = sqrt(inside * outside);

		if (profile(peaks, middle) > limit)
			inside = middle;
		else
			outside = middle;
	}
	return outside;
}

int tail_fit(const double *values, size_t n, const struct tail_params *params, struct tail *ret)
{
	_cleanup_(peaks_done) struct peaks peaks = { 0 };
	struct curve curve = { .peaks = &peaks };
	struct maximum best;
	double level;
	double limit;
	int err;

	err = peaks_init(&peaks, values, n, params);
	if (err < 0)
		return err;
	best = maximize(grimshaw_likelihood, &curve, 0, 1);
	ret->exceedances = peaks.n;
	ret->shape = mean_log(&peaks, theta(&peaks, best.x));
	ret->scale = ret->shape / theta(&peaks, best.x);
	level = ret->scale * stretch(&peaks, ret->shape);
	limit = best.value - gsl_cdf_chisq_Pinv(params->confidence, 1) / 2;
	ret->level = params->threshold + level;
	ret->level_lo = params->threshold + profile_end(&peaks, level, limit, 0.8);
	ret->level_hi = params->threshold + profile_end(&peaks, level, limit, 1.25);
	return 0;
}
