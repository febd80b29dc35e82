/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the evidence of one bundle to its analysis: gaps with causes, figures per cause,
 * typical gaps, findings in kernel logs. A pure function of the bundle: the same one gives
 * the same result. How it is written down: result.h.
 */
#ifndef VCPULAT_ANALYZE_H
#define VCPULAT_ANALYZE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "reports/attribute.h"
#include "reports/bundle.h"
#include "reports/causes.h"
#include "reports/clock_check.h"
#include "reports/example.h"
#include "reports/figures.h"
#include "reports/exact/meter.h"
#include "reports/kernel_log.h"
#include "reports/names.h"
#include "reports/queue.h"

/* A work item that ran in a gap, and who queued it. */
struct queuing {
	size_t gap;
	uint32_t cause;
	uint32_t task; /* name; 0: not known */
	enum trace_layer layer;
	struct queued_work by;
};

struct analysis {
	struct bundle *bundle;
	struct names *names;
	struct causes *causes;
	struct gap *gaps;
	size_t n_gaps;
	struct figures *figures;
	struct clock_check clock;
	struct queuing *queuing; /* ascending by gap */
	size_t n_queuing;
	struct kernel_log kernel_log;
	json_t *tsc;	/* findings about the TSC of both layers */
	json_t *debug;	/* kernels whose lengths mean nothing: they check themselves */
	json_t *facts;	/* of each layer that recorded them: layer -> object */
	size_t *chosen; /* gaps whose course is kept, ascending: the typical ones and more */
	size_t n_chosen;
	size_t *typical; /* one gap per cause */
	size_t n_typical;
	struct example *example; /* of the chosen ones */
	struct meter_data meter; /* empty without has_meter */
	bool has_meter;
	char *meter_error; /* why the meter's file was of no use; NULL: it was, or there is none */
	bool has_host_trace;
	bool has_guest_trace;
	uint64_t events; /* read from both traces, in one pass */
};

/**
 * analyze_open - analyse a bundle
 * @dir: its directory
 * @ret: for analysis_free()
 * @err: names the file and what is wrong
 *
 * A trace that is missing leaves gaps unexplained; one that is malformed is an error.
 * Return: 0 or -errno.
 */
int analyze_open(const char *dir, struct analysis **ret, struct err *err);

/**
 * analysis_clock_error - how far the map between the guest's and the host's clock may be off
 * @analysis: after the first pass
 *
 * The better of what the run measured and what the events say, but never below what an event contradicts.
 * Return: cycles; 0 without a guest, UINT64_MAX when nothing says.
 */
uint64_t analysis_clock_error(const struct analysis *analysis);

/** analysis_free - drop it; NULL is fine */
void analysis_free(struct analysis *analysis);
DEFINE_CLEANUP(struct analysis *, analysis_free)

/**
 * analyze_result_path - where a bundle's result goes unless told otherwise
 * @dir: the bundle's directory
 *
 * Return: "<bundle>.result.json", which the caller frees, or NULL with errno ENOMEM.
 */
char *analyze_result_path(const char *dir);

/**
 * analyze_write - analyse a bundle, write its result and hand it out
 * @dir: the bundle's directory; never written to
 * @result_path: the result, replaced atomically; NULL: analyze_result_path()
 * @ret: the result, a new reference; NULL: not wanted
 * @err: names the file and what is wrong
 *
 * Return: 0 whatever the verdict is, or -errno.
 */
int analyze_write(const char *dir, const char *result_path, json_t **ret, struct err *err);

#endif
