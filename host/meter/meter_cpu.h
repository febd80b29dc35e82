/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one CPU of the emulated host executes: how many instructions, in which layer, through
 * which blocks since the probe's last turn. Pure: driven by "this block begins", in the order
 * of execution, by one thread a CPU. No locks, no allocation, no system calls.
 *
 * Layers. VMRUN ends a block; what begins next is the guest, until the instruction after that
 * VMRUN begins: #VMEXIT resumes there and nowhere else. Each CPU remembers its own VMRUN, so
 * any number of VMRUN sites, vCPUs and CPUs is right. Guests of guests are not told apart.
 *
 * Blocks cut short. A block that does not end where it leads was interrupted. It is kept aside
 * until its layer resumes (after an iret, or VMRUN) at an address inside it: then the rest is
 * executed again under another block and is taken off the count; or at its natural successor:
 * then it was complete. What can be proved neither way stays in the slack.
 *
 * `rep` string instructions. QEMU jumps from the end of an iteration to the instruction
 * itself: the block that consists of it begins again. Such beginnings are iterations, not
 * instructions.
 */
#ifndef VCPULAT_METER_CPU_H
#define VCPULAT_METER_CPU_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/meter/meter_block.h"

#define METER_ASIDE 16 /* interrupted blocks remembered a layer; older ones stay in the slack */

/* A step in memory: layer << 31 | enum meter_step << 29 | value. */
#define METER_STEP_VALUE_MAX 0x1fffffffU
#define METER_STEP_WORD(layer, kind, value) ((uint32_t)(layer) << 31 | (uint32_t)(kind) << 29 | (uint32_t)(value))

/* Monotonic counters of one CPU; a gap is the difference of two. */
struct meter_counts {
	uint64_t insns[METER_LAYERS];
	uint64_t rep[METER_LAYERS];
	uint64_t exit_insns; /* see struct meter_gap_record */
	uint64_t entry_insns;
	uint64_t exits;
	uint64_t entries;
};

struct meter_aside {
	const struct meter_block *block; /* NULL: free */
	uint64_t interval;		 /* of the probe, in which it began */
};

/* The first members are all that most blocks touch. */
struct meter_cpu {
	const struct meter_block *last;	      /* never NULL */
	uint64_t vmexit_pc;		      /* where #VMEXIT will resume; METER_NOWHERE in the host */
	uint32_t *at;			      /* where the next step goes */
	uint32_t *end;			      /* behind the ring */
	uint32_t layer;			      /* enum meter_layer */
	uint32_t layer_word;		      /* the layer as in a step */
	_Atomic uint64_t insns[METER_LAYERS]; /* executed so far; may be read by other threads */
	uint32_t *step;			      /* 2 * half words, borrowed; the second half is a ring */
	uint32_t half;			      /* steps kept from the beginning, and as many from the end */
	uint64_t wraps;			      /* of the ring, since the interval began */
	struct meter_counts now;	      /* all but insns */
	struct meter_counts base;	      /* when the interval began */
	uint64_t interval;		      /* counts meter_cpu_begin() */
	uint32_t slack;			      /* instructions of this interval that may have been counted twice */
	uint16_t head_skip;
	bool exit_open;	     /* since the last #VMEXIT no interrupt was taken */
	uint64_t exit_at;    /* host instructions at the last #VMEXIT */
	uint64_t resumed_at; /* host instructions when the last interrupt returned */
	struct meter_aside aside[METER_LAYERS][METER_ASIDE];
	uint32_t aside_next[METER_LAYERS];
} __attribute__((aligned(128))); /* two cache lines: adjacent ones are fetched in pairs */

/**
 * meter_cpu_init - a CPU that has executed nothing
 * @cpu: the CPU
 * @step: as meter_cpu_set_steps()
 * @half: as meter_cpu_set_steps()
 */
void meter_cpu_init(struct meter_cpu *cpu, uint32_t *step, uint32_t half);

/**
 * meter_cpu_set_steps - write steps somewhere else from now on
 * @cpu: the CPU
 * @step: room for 2 * @half steps, borrowed
 * @half: at least 1
 */
void meter_cpu_set_steps(struct meter_cpu *cpu, uint32_t *step, uint32_t half);

/**
 * meter_cpu_steps - steps since the interval began, kept or not
 * @cpu: the CPU
 */
static inline uint64_t meter_cpu_steps(const struct meter_cpu *cpu)
{
	return cpu->wraps * cpu->half + (uint64_t)(cpu->at - cpu->step);
}

/**
 * meter_cpu_rare - meter_cpu_block() where the last block does not simply lead to this one
 * @cpu: the CPU
 * @last: the block before
 * @block: the block that begins
 */
void meter_cpu_rare(struct meter_cpu *cpu, const struct meter_block *last, struct meter_block *block);

/**
 * meter_cpu_push - write a step
 * @cpu: the CPU
 * @word: METER_STEP_WORD()
 */
static inline void meter_cpu_push(struct meter_cpu *cpu, uint32_t word)
{
	*cpu->at++ = word;
	if (__builtin_expect(cpu->at == cpu->end, 0)) {
		cpu->at = cpu->step + cpu->half;
		cpu->wraps++;
	}
}

/**
 * meter_cpu_count - all instructions of a block are executed
 * @cpu: the CPU
 * @block: the block
 *
 * Only the CPU's own thread writes; others read for orientation: no order is needed.
 */
static inline void meter_cpu_count(struct meter_cpu *cpu, const struct meter_block *block)
{
	_Atomic uint64_t *insns = &cpu->insns[cpu->layer];

	atomic_store_explicit(insns, atomic_load_explicit(insns, memory_order_relaxed) + block->insns,
			      memory_order_relaxed);
	meter_cpu_push(cpu, cpu->layer_word | block->id);
}

/**
 * meter_cpu_block - a block begins
 * @cpu: the CPU that executes it
 * @block: the block; its ENTRY flag may be set here
 */
static inline void meter_cpu_block(struct meter_cpu *cpu, struct meter_block *block)
{
	const struct meter_block *last = cpu->last;
	const uint8_t special = METER_BLOCK_VMRUN | METER_BLOCK_IRET | METER_BLOCK_REP;
	uint8_t end = atomic_load_explicit(&last->flags, memory_order_relaxed);
	uint8_t begin = atomic_load_explicit(&block->flags, memory_order_relaxed);
	uint64_t pc = block->pc;
	bool leads =
		pc == last->next || pc == last->target || (end & METER_BLOCK_INDIRECT && !(begin & METER_BLOCK_ENTRY));

	cpu->last = block;
	if (__builtin_expect(leads && !(end & special) && pc != cpu->vmexit_pc, 1))
		meter_cpu_count(cpu, block);
	else
		meter_cpu_rare(cpu, last, block);
}

/**
 * meter_cpu_skim - meter_cpu_block() while only blocks that end with VMRUN, or follow one, are told
 * @cpu: the CPU that executes it
 * @block: the block
 *
 * Keeps the layer, counts nothing. meter_cpu_resync() ends it.
 */
void meter_cpu_skim(struct meter_cpu *cpu, const struct meter_block *block);

/**
 * meter_cpu_resync - blocks were, or will be, executed that nobody tells of
 * @cpu: the CPU, which stands still or is our own
 */
void meter_cpu_resync(struct meter_cpu *cpu);

/**
 * meter_cpu_begin - a turn of the probe: count from here
 * @cpu: the CPU
 * @tail: instructions of the current block from the mark on, the mark included
 */
void meter_cpu_begin(struct meter_cpu *cpu, uint32_t tail);

/**
 * meter_cpu_since - what was executed since meter_cpu_begin()
 * @cpu: the CPU
 * @tail: as meter_cpu_begin()
 * @ret: set to the difference
 */
void meter_cpu_since(const struct meter_cpu *cpu, uint32_t tail, struct meter_counts *ret);

/**
 * meter_cpu_executed - all instructions executed so far
 * @cpu: may belong to another thread: then a few blocks old
 */
static inline uint64_t meter_cpu_executed(const struct meter_cpu *cpu)
{
	return atomic_load_explicit(&cpu->insns[METER_HOST], memory_order_relaxed) +
	       atomic_load_explicit(&cpu->insns[METER_GUEST], memory_order_relaxed);
}

#endif
