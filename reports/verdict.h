/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One sentence about one cause on one arm: the figures, the confidence, the state. Zero
 * is never "none": it is an upper bound, and where the run was too short to tell it from
 * the other arm's rate the state says so and how long it would have had to be.
 */
#ifndef VCPULAT_VERDICT_H
#define VCPULAT_VERDICT_H

#include <stdbool.h>

#include "reports/difference.h"
#include "reports/pool.h"

enum verdict_state {
	VERDICT_REMOVED,   /* claimed, and gone within the bound */
	VERDICT_REDUCED,   /* claimed to be gone, but only rarer */
	VERDICT_REMAINS,   /* claimed to be gone, but there */
	VERDICT_UNDECIDED, /* the evidence does not carry an answer */
	VERDICT_AS_EXPECTED,
	VERDICT_UNEXPECTED, /* nobody claimed it */
	VERDICT_STATE_MAX
};

/* One side of the comparison, borrowed. */
struct verdict_side {
	const char *arm;
	const struct pool *pool; /* all kinds of guest together */
	unsigned int log_lines;	 /* findings in its kernel logs, of this scenario */
	unsigned int partial;	 /* runs that were cut short */
};

struct verdict_case {
	const char *cause;
	bool provoked; /* by the scenario */
	bool removes;  /* the arm says so */
	bool adds;     /* the arm says so */
	struct verdict_side arm;
	struct verdict_side base;     /* arm NULL: there is nothing to compare with */
	struct difference difference; /* between the two, p corrected where many causes were looked at */
};

struct verdict {
	enum verdict_state state;
	bool decisive; /* false: worth reading, but the arms are not judged by it */
	char text[768];
};

/**
 * verdict_decide - judge one cause on one arm
 * @question: the evidence
 * @ret: state and sentence
 *
 * Return: true when there is something to say; false for a cause that was neither provoked
 * nor claimed and does not occur more often than on the other arm.
 */
bool verdict_decide(const struct verdict_case *question, struct verdict *ret);

/**
 * verdict_decide_aa - judge one cause on two halves of the same arm
 * @question: the evidence; provoked and removes do not matter
 * @ret: AS_EXPECTED, or UNEXPECTED where the halves differ
 */
void verdict_decide_aa(const struct verdict_case *question, struct verdict *ret);

/**
 * verdict_good - does a state let the comparison pass?
 * @state: as it stands in comparison.json
 */
bool verdict_good(const char *state);

/**
 * verdict_state_name - as it stands in comparison.json
 * @state: a state
 */
const char *verdict_state_name(enum verdict_state state);

/**
 * verdict_format_rate - a rate in few digits
 * @per_minute: events per minute
 * @up: round up, for an upper bound
 * @ret: at least 16 bytes
 */
void verdict_format_rate(double per_minute, bool up, char ret[static 16]);

#endif
