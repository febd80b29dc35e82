/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The join: gaps of the probe against the timelines of the host's CPU and, where there is a
 * guest, of its vCPU, all in host TSC cycles. Streamed: events come in the order of time, each
 * gap is closed when time has passed it. Each cycle of a gap is given to exactly one cause.
 * Pure but for memory.
 */
#ifndef VCPULAT_ATTRIBUTE_H
#define VCPULAT_ATTRIBUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "reports/causes.h"
#include "reports/timeline.h"
#include "reports/trace/trace_event.h"

struct gap_part {
	uint32_t cause;
	uint64_t cycles;
};

struct gap_root {
	uint32_t cause;
	uint32_t count;
};

struct gap {
	uint64_t t0; /* host TSC, [t0, t1); ascending, not overlapping */
	uint64_t t1;
	uint64_t turn; /* of the probe, see probe_format.h */
	/* Something outside confirms that the probe's CPU executed nothing else while no layer shows anything. */
	bool quiet;
	/* The rest is filled by the attribution. */
	struct gap_part *part; /* sums to t1 - t0; largest first, then by text */
	size_t n_parts;
	struct gap_root *root; /* never empty; largest own part first, then by text */
	size_t n_roots;
	uint64_t guest_cycles; /* in guest mode; the rest passed on the host */
	uint32_t exits;
	uint32_t cause; /* of the first root, unless the gap is lost or mostly unexplained */
	bool single;	/* exactly one root, once, and claimed */
	bool lost;	/* events were dropped inside: nothing is claimed */
	bool vague;	/* shorter than the clock's error: nothing is claimed, see gap_disclaim() */
};

struct attribute_observer {
	/* A cause begins on one of the two CPUs, in a gap or not. */
	void (*started)(void *ctx, uint32_t cause, uint64_t tsc);
	/* A piece of a gap; may be renamed later by renamed(). */
	void (*segment)(void *ctx, size_t gap, enum trace_layer lane, uint64_t t0, uint64_t t1, uint32_t cause);
	/* The time given to @from in a gap turns out to be @to's. */
	void (*renamed)(void *ctx, size_t gap, uint32_t from, uint32_t to);
	void *ctx;
};

struct attribute_params {
	struct gap *gaps; /* t0, t1, turn given; must outlive the attribution */
	size_t n_gaps;
	struct names *names;
	struct causes *causes;
	struct timeline_params host;
	uint16_t host_cpu;
	bool has_guest; /* the probe runs on a vCPU, and guest describes its CPU */
	struct timeline_params guest;
	uint16_t guest_cpu;
	uint64_t cycles_per_second;
	bool emulated;			    /* see gap_claim() */
	struct attribute_observer observer; /* members may be NULL */
};

struct attribution;

/**
 * attribution_new - begin a join
 * @params: copied
 *
 * Return: the join, or NULL with errno ENOMEM.
 */
struct attribution *attribution_new(const struct attribute_params *params);

/** attribution_free - drop the join; the gaps stay. NULL is fine */
void attribution_free(struct attribution *join);
DEFINE_CLEANUP(struct attribution *, attribution_free)

/**
 * attribution_feed - take in the next event
 * @join: the join
 * @event: mapped to host TSC; one that goes back in time counts as of now; other CPUs' are ignored
 *
 * Return: 0 or -ENOMEM.
 */
int attribution_feed(struct attribution *join, const struct trace_event *event);

/**
 * attribution_lost - events were dropped, so nothing is claimed for gaps that touch this interval
 * @join: the join
 * @t0: host TSC
 * @t1: host TSC
 */
void attribution_lost(struct attribution *join, uint64_t t0, uint64_t t1);

/**
 * attribution_finish - after the last event: close the remaining gaps
 * @join: the join
 *
 * Return: 0 or -ENOMEM.
 */
int attribution_finish(struct attribution *join);

/**
 * gap_claim - decide the cause of a gap from its parts, roots and flags
 * @gap: attributed
 * @causes: their table
 * @emulated: the host under test is emulated
 *
 * More than half unexplained, or below the host: the gap is. But an emulated CPU loses time to its emulator
 * whenever anything happens, so there a work item claims its gap whatever the shares are, and only its count
 * is to be believed.
 */
void gap_claim(struct gap *gap, const struct causes *causes, bool emulated);

/**
 * gap_is_explained - has at least half of a gap a cause in one of the two layers?
 * @gap: attributed
 * @causes: their table
 */
bool gap_is_explained(const struct gap *gap, const struct causes *causes);

/**
 * gap_disclaim - give all of a gap to "unexplained"
 * @gap: attributed
 *
 * For a gap that is shorter than the error of the map between both clocks: which events lie in it is not known.
 */
void gap_disclaim(struct gap *gap);

/** gap_done - free what an attribution put into a gap; the gap itself is the caller's */
void gap_done(struct gap *gap);

#endif
