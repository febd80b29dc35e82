/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the instruction meter says about a run: per gap of the probe, instructions by layer,
 * by context and by function, and which path was taken.
 *
 * A profile has no call stacks: it is layer, context, function. Contexts are found by what
 * is executed: an interrupt is what runs from an entry point (asm_sysvec_*,
 * asm_common_interrupt, asm_exc_*) to its iret; a work item is the function that
 * process_one_work() calls through its pointer, a softirq handler that of __do_softirq(); throttle is what
 * throttle_direct_reclaim() executes with all that it calls, which sums up counters of all CPUs;
 * call/cgroup_rstat_flush_irqsafe what that one does, which adds up statistics of all memory groups;
 * kvm_exit is what the host executes from #VMEXIT to the first interruption, kvm_entry from
 * the last one to VMRUN, kvm what is neither; "probe" is the measured program itself, "task"
 * some other one: which, the trace knows.
 *
 * The share of tracing is what its own functions execute; helpers that they call and that
 * others call too are not in it.
 */
#ifndef VCPULAT_METER_MODEL_H
#define VCPULAT_METER_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "common/meter_format.h"
#include "reports/names.h"

/* Instructions of one function in one context of one layer. */
struct meter_cost {
	uint32_t layer;	   /* enum meter_layer */
	uint32_t context;  /* name, e.g. "kworker/vmstat_update" */
	uint32_t function; /* name */
	uint64_t insns;
};

struct meter_root {
	uint32_t cause; /* name, e.g. "host/kworker/vmstat_update" */
	uint32_t count; /* occurrences in the gap */
};

struct meter_gap {
	uint32_t gap;	   /* record of probe.bin, from 0; METER_NO_GAP: only the meter saw it */
	uint32_t flags;	   /* METER_GAP_* */
	uint64_t turn;	   /* that ended it, as in probe.bin */
	uint64_t position; /* instructions the outer CPU had executed at its end */
	uint64_t insns[METER_LAYERS];
	uint64_t rep[METER_LAYERS];
	uint64_t exit_insns;
	uint64_t entry_insns;
	uint32_t exits;		       /* world switches */
	uint32_t slack;		       /* the true number lies in [insns - slack, insns] */
	bool whole;		       /* every step was kept: cost adds up to insns */
	uint64_t tracer[METER_LAYERS]; /* of insns, spent in tracing */
	uint64_t calibrated_rep;       /* of rep, executed by the calibration payload */
	uint64_t path;		       /* equal for gaps that went through the same functions in the same order */
	struct meter_cost *cost;       /* by instructions, most first */
	size_t costs;
	struct meter_root
		*root; /* what caused it, as far as instructions tell; work items first, else tasks, else irqs */
	size_t roots;
};

struct meter_mark {
	uint32_t code;	   /* MARK_* */
	uint32_t layer;	   /* where it was executed */
	uint32_t cpu;	   /* outer CPU */
	uint64_t position; /* instructions that outer CPU had executed */
	uint64_t rep;
	uint64_t probe_turn; /* turns the probe had made */
};

struct meter_data {
	struct meter_header header;
	struct meter_run_record run; /* totals, when the run ended; else its beginning */
	bool ended;		     /* the probe executed its last mark */
	bool complete;		     /* the file has its end record */
	struct meter_end_record end; /* when complete */
	struct names *names;
	struct meter_gap *gap; /* in the order of the run */
	size_t gaps;
	struct meter_mark *mark;
	size_t marks;
};

/**
 * meter_load - read one run of a meter's file
 * @path: meter.bin
 * @kallsyms: paths of both layers' kallsyms; NULL or missing: functions stay addresses' "[kernel]"
 * @run: counted from 0; METER_NO_GAP: the first run of the file
 * @ret: to be ended with meter_done()
 * @err: names the file and what is wrong
 *
 * Return: 0, -ENODATA when there is no such run, -EINVAL for a damaged file, or another -errno.
 */
int meter_load(const char *path, const char *const kallsyms[METER_LAYERS], uint32_t run, struct meter_data *ret,
	       struct err *err);

/**
 * meter_load_bundle - meter_load() of a bundle's meter.bin and kallsyms files
 * @dir: the bundle
 * @ret: to be ended with meter_done()
 * @err: as meter_load()
 *
 * Return: as meter_load(); -ENOENT when the bundle has no meter.bin.
 */
int meter_load_bundle(const char *dir, struct meter_data *ret, struct err *err);

/**
 * meter_done - free what was loaded
 * @data: may be zeroed
 */
void meter_done(struct meter_data *data);

/**
 * meter_find - the gap that belongs to a record of probe.bin
 * @data: loaded
 * @gap: number of the record
 *
 * Return: borrowed; NULL when the meter has none.
 */
const struct meter_gap *meter_find(const struct meter_data *data, uint32_t gap);

#define _cleanup_meter_ _cleanup_(meter_done)

#endif
