/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Statistics of rare events and tails: exact intervals, distribution-free quantiles,
 * permutation. No figure here assumes a normal distribution, and none is given where the
 * sample does not carry it. Pure functions: no allocation kept, no clock, no global state;
 * what is random is seeded by the caller and repeats.
 *
 * Confidence is two-sided unless the name says "upper". The tail beyond the sample is in tail.h.
 */
#ifndef VCPULAT_STATISTICS_H
#define VCPULAT_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STAT_CONFIDENCE 0.95

struct stat_interval {
	double lo;
	double hi;
};

struct stat_quantile {
	bool has; /* false: the sample is too small for it, the rest is 0 */
	double value;
	double lo;
	double hi;
};

struct stat_dispersion {
	bool has;     /* false: fewer than two units, or less than half an event a unit */
	double index; /* variance over mean; 1 for a Poisson process */
	double p;     /* probability of at least this index when events are independent */
};

/* One thing whose label is exchangeable: a window of a boot, or a boot of an arm. */
struct stat_unit {
	double value;
	unsigned int block; /* labels are only exchanged inside a block; below STAT_MAX_BLOCKS */
	bool treated;	    /* armed and not control, or this arm and not the other */
};

#define STAT_MAX_BLOCKS 1024

struct stat_permutation {
	double difference; /* mean of the treated minus mean of the others */
	double p;	   /* two-sided; never 0 */
	double smallest_p; /* the least p that so few units can give; above 0.05 the test cannot decide */
};

/**
 * stat_binomial_interval - share of successes, exact
 * @hits: successes, at most @trials
 * @trials: 0 gives [0, 1]
 * @confidence: e.g. 0.95
 *
 * Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case
 * of the binomial", Biometrika 26 (1934), through the beta distribution.
 * Return: shares between 0 and 1.
 */
struct stat_interval stat_binomial_interval(unsigned int hits, unsigned int trials, double confidence);

/**
 * stat_poisson_interval - rate of events, exact
 * @events: counted
 * @exposure: observed time, any unit, above 0
 * @confidence: e.g. 0.95
 *
 * Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28 (1936), through
 * the chi-square distribution. Return: events per unit of @exposure.
 */
struct stat_interval stat_poisson_interval(unsigned int events, double exposure, double confidence);

/**
 * stat_poisson_upper - the rate that is exceeded at most with this confidence
 * @events: counted; 0 is the case it is for
 * @exposure: observed time, above 0
 * @confidence: one-sided, e.g. 0.95: no event in 40 s is less than 4.5 a minute
 *
 * As stat_poisson_interval(); for 0 events it is -ln(1 - confidence) / exposure (Hanley and
 * Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA 249 (1983)).
 * Return: events per unit of @exposure.
 */
double stat_poisson_upper(unsigned int events, double exposure, double confidence);

/**
 * stat_fisher - do two shares differ?
 * @hits_a: successes of the first
 * @trials_a: of so many
 * @hits_b: successes of the second
 * @trials_b: of so many
 *
 * Fisher's exact test, two-sided by summing what is no more probable than the seen table
 * (Agresti, "Categorical data analysis", section 3.5). Return: p; 1 without trials on a side.
 */
double stat_fisher(unsigned int hits_a, unsigned int trials_a, unsigned int hits_b, unsigned int trials_b);

/**
 * stat_poisson_compare - do two rates differ?
 * @events_a: events of the first
 * @exposure_a: its observed time
 * @events_b: events of the second
 * @exposure_b: its observed time, same unit
 *
 * Given their sum the events are binomial: Przyborowski and Wilenski, "Homogeneity of
 * results in testing samples from Poisson series", Biometrika 31 (1940). Two-sided by
 * doubling the smaller tail. Return: p; 1 without events.
 */
double stat_poisson_compare(unsigned int events_a, double exposure_a, unsigned int events_b, double exposure_b);

/**
 * stat_rate_ratio - how many times one rate is another
 * @events_a: events of the first
 * @exposure_a: its observed time, above 0
 * @events_b: events of the second
 * @exposure_b: its observed time, same unit, above 0
 * @confidence: of the interval
 *
 * The same conditional argument as stat_poisson_compare(), with Clopper and Pearson's interval of the share. hi is
 * HUGE_VAL without events of the second, and there is no ratio without events of either. Return: the ratio and its
 * interval.
 */
struct stat_quantile stat_rate_ratio(unsigned int events_a, double exposure_a, unsigned int events_b, double exposure_b,
				     double confidence);

/**
 * stat_dispersion - do events come in clusters?
 * @events: per unit (window or boot)
 * @exposure: per unit, above 0
 * @n: units
 *
 * Index of dispersion with its chi-square test on n - 1 degrees of freedom: Cochran, "Some
 * methods for strengthening the common chi-square tests", Biometrics 10 (1954). Return: the index and the test's p.
 */
struct stat_dispersion stat_dispersion(const unsigned int *events, const double *exposure, size_t n);

/**
 * stat_design_effect - by how much clusters shrink the evidence
 * @dispersion: of the units that may cluster
 *
 * Rao and Scott, "A simple method for the analysis of clustered binary data", Biometrics 48
 * (1992): counts and exposure are divided by it before they are compared.
 * Return: the index of dispersion, at least 1.
 */
double stat_design_effect(const struct stat_dispersion *dispersion);

/**
 * stat_sort - ascending order, in place
 * @values: no NaN
 * @n: how many
 */
void stat_sort(double *values, size_t n);

/**
 * stat_quantile - a quantile with an interval, from order statistics
 * @sorted: ascending
 * @n: how many
 * @q: between 0 and 1, e.g. 0.99
 * @confidence: of the interval
 *
 * Distribution free: David and Nagaraja, "Order statistics", section 7.1. It is given when
 * the sample's range covers it with @confidence: from 6 values for 0.5, 299 for 0.99. Return: the quantile and its
 * interval.
 */
struct stat_quantile stat_quantile(const double *sorted, size_t n, double q, double confidence);

/**
 * stat_quantile_sample - values needed before stat_quantile() gives a quantile
 * @q: the quantile
 * @confidence: of its interval
 *
 * Wilks, "Determination of sample sizes for setting tolerance limits", Annals of
 * Mathematical Statistics 12 (1941). Return: the smallest sample.
 */
size_t stat_quantile_sample(double q, double confidence);

/**
 * stat_median_ratio - how many times the median of one sample is that of another
 * @a: ascending, positive values
 * @n_a: how many
 * @b: ascending, positive values
 * @n_b: how many
 * @confidence: of the interval
 *
 * The two medians' exact intervals, each at sqrt(@confidence), divided crosswise: the
 * samples are independent, so both hold together with @confidence. Conservative.
 */
struct stat_quantile stat_median_ratio(const double *a, size_t n_a, const double *b, size_t n_b, double confidence);

/**
 * stat_permutation - do treated units differ, whatever their distribution and clustering?
 * @units: windows (block: their boot) or boots (block: 0)
 * @n: how many
 * @rounds: random arrangements to draw
 * @seed: same seed, same p
 * @ret: the outcome
 *
 * p is (1 + as extreme) / (1 + rounds): Phipson and Smyth, "Permutation p-values should
 * never be zero", Statistical Applications in Genetics 9 (2010).
 * Return: 0, -EINVAL when no block has units of both labels, -ENOMEM.
 */
int stat_permutation(const struct stat_unit *units, size_t n, unsigned int rounds, uint64_t seed,
		     struct stat_permutation *ret);

/**
 * stat_holm - correct p-values for their number, in place
 * @p: in any order, which is kept
 * @n: how many
 *
 * Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
 * Statistics 6 (1979). Return: 0 or -ENOMEM.
 */
int stat_holm(double *p, size_t n);

/**
 * stat_exposure_needed - the run length after which so few events prove a rate bound
 * @rate: the bound to prove, events per unit of time, above 0
 * @events: events that are tolerated
 * @confidence: one-sided
 *
 * Return: the least exposure whose stat_poisson_upper() is at most @rate.
 */
double stat_exposure_needed(double rate, unsigned int events, double confidence);

/**
 * stat_exposure_at_rate - the run length after which a rate bound is likely proved in spite of events
 * @bound: the bound to prove, events per unit of time, above 0
 * @rate: at which events come; 0: none are expected
 * @confidence: one-sided
 *
 * Return: the least exposure that proves @bound with as many events as @rate lets expect, rounded up, so that more than
 * half of such runs prove it; HUGE_VAL when @rate is not below @bound, or so near it that 65,536 events would not do.
 */
double stat_exposure_at_rate(double bound, double rate, double confidence);

/**
 * stat_trials_needed - primers without a hit that prove that a share lies below a bound
 * @share: between 0 and 1, exclusive
 * @confidence: one-sided
 *
 * Return: the least number of trials with (1 - share)^trials <= 1 - confidence.
 */
double stat_trials_needed(double share, double confidence);

#endif
