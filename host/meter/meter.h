/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The instruction meter: its CPUs, the runs of probes on them, and what marks mean.
 *
 * A mark belongs to the outer CPU that executes it. MARK_PROBE_START makes that CPU the home
 * of a run. MARK_TURN ends an interval and begins the next. An interval of at least threshold
 * instructions is recorded with its steps; MARK_GAP, which the probe executes after the turn
 * that ended a gap, makes the interval the n-th gap of the run, and records it, without steps,
 * when it has fewer instructions than that: then nothing happened that this machine executed.
 * A probe that turns up on another CPU takes its run along: that interval is recorded as
 * migrated, without counts. Two probes at once are fine as long as they stay; a mark that
 * could belong to either is counted as stray.
 *
 * While no probe runs nobody needs the counts, and being told of every block makes an emulated
 * host half as fast: then only marks and world switches are told (meter_skim()).
 *
 * Threads: meter_block(), meter_skim() and meter_mark() are called by the thread of the CPU they name.
 * Turns and gaps take no lock and make no system call; starting and ending a run may.
 */
#ifndef VCPULAT_METER_H
#define VCPULAT_METER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/meter/meter_block.h"
#include "host/meter/meter_queue.h"

struct meter;

struct meter_options {
	uint64_t threshold_insns; /* see struct meter_header */
	uint32_t steps_max;	  /* a power of two, at least 4 */
	uint32_t block_limit;	  /* interned blocks at most */
	uint32_t cpus;		  /* outer CPUs */
};

/**
 * meter_new - a meter that has seen nothing
 * @options: copied
 *
 * Return: the meter, or NULL with errno ENOMEM.
 */
struct meter *meter_new(const struct meter_options *options);

/**
 * meter_free - free everything
 * @meter: may be NULL; no thread uses it any more
 */
void meter_free(struct meter *meter);

/**
 * meter_get_options - what it was made with
 * @meter: the meter
 */
const struct meter_options *meter_get_options(const struct meter *meter);

/**
 * meter_get_table - its blocks
 * @meter: the meter
 *
 * Return: borrowed.
 */
struct meter_table *meter_get_table(struct meter *meter);

/**
 * meter_get_queue - where records of a CPU wait for the writer
 * @meter: the meter
 * @cpu: outer CPU
 *
 * Return: borrowed; NULL while the CPU has executed no mark.
 */
struct meter_queue *meter_get_queue(struct meter *meter, uint32_t cpu);

/**
 * meter_get_losses - what found no place
 * @meter: the meter
 * @ret_lost: records
 * @ret_stray: marks without a run
 */
void meter_get_losses(struct meter *meter, uint64_t *ret_lost, uint64_t *ret_stray);

/**
 * meter_block - a block begins to execute
 * @meter: the meter
 * @cpu: outer CPU; one beyond options.cpus is ignored
 * @block: of meter_get_table()
 */
void meter_block(struct meter *meter, uint32_t cpu, struct meter_block *block);

/**
 * meter_skim - meter_block() while the meter does not count: blocks that end with VMRUN, or follow one
 * @meter: the meter
 * @cpu: as meter_block()
 * @block: as meter_block()
 */
void meter_skim(struct meter *meter, uint32_t cpu, const struct meter_block *block);

/**
 * meter_wanted - does a probe run?
 * @meter: the meter
 */
bool meter_wanted(struct meter *meter);

/**
 * meter_set_counting - begin or end to be told of every block; a new meter counts
 * @meter: the meter; no CPU executes meanwhile
 * @counting: whether meter_block() is called from now on, or meter_skim()
 *
 * What a probe recorded while the meter did not count has no counts (METER_GAP_UNCOUNTED).
 */
void meter_set_counting(struct meter *meter, bool counting);

/**
 * meter_mark - a mark is about to execute
 * @meter: the meter
 * @cpu: outer CPU
 * @code: MARK_* of common/marks.h; an unknown one is recorded like a window's
 * @tail: instructions of the current block from the mark on, the mark included
 */
void meter_mark(struct meter *meter, uint32_t cpu, int code, uint32_t tail);

#endif
