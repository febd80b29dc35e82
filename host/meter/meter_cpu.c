// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/meter/meter_cpu.h"

#include <string.h>

static const struct meter_block before_all = {
	.pc = METER_NOWHERE,
	.next = METER_NOWHERE,
	.target = METER_NOWHERE,
	.flags = METER_BLOCK_INDIRECT | METER_BLOCK_ANONYMOUS,
};

static uint8_t flags_of(const struct meter_block *block)
{
	return atomic_load_explicit(&block->flags, memory_order_relaxed);
}

static uint64_t executed(const struct meter_cpu *cpu, enum meter_layer layer)
{
	return atomic_load_explicit(&cpu->insns[layer], memory_order_relaxed);
}

static void push(struct meter_cpu *cpu, enum meter_step kind, uint32_t value)
{
	meter_cpu_push(cpu, METER_STEP_WORD(cpu->layer, kind, value));
}

static void set_layer(struct meter_cpu *cpu, enum meter_layer layer)
{
	cpu->layer = layer;
	cpu->layer_word = METER_STEP_WORD(layer, METER_STEP_BLOCK, 0);
}

static uint32_t *last_step(const struct meter_cpu *cpu)
{
	if (!meter_cpu_steps(cpu))
		return NULL;
	return cpu->wraps && cpu->at == cpu->step + cpu->half ? cpu->end - 1 : cpu->at - 1;
}

static void count_cut(struct meter_cpu *cpu, uint32_t insns)
{
	atomic_store_explicit(&cpu->insns[cpu->layer], executed(cpu, cpu->layer) - insns, memory_order_relaxed);
	push(cpu, METER_STEP_CUT, insns);
}

static void count_rep(struct meter_cpu *cpu)
{
	uint32_t *last = last_step(cpu);
	uint32_t first = METER_STEP_WORD(cpu->layer, METER_STEP_REP, 0);

	cpu->now.rep[cpu->layer]++;
	if (last && (*last & ~METER_STEP_VALUE_MAX) == first && (*last & METER_STEP_VALUE_MAX) < METER_STEP_VALUE_MAX)
		++*last;
	else
		push(cpu, METER_STEP_REP, 1);
}

static bool is_natural(const struct meter_block *from, uint64_t pc)
{
	return pc == from->next || pc == from->target;
}

static bool repeats(const struct meter_block *from, uint64_t pc)
{
	return flags_of(from) & METER_BLOCK_REP && pc == from->next - from->last_bytes;
}

static void set_aside(struct meter_cpu *cpu, const struct meter_block *block)
{
	uint32_t at = cpu->aside_next[cpu->layer]++ % METER_ASIDE;

	cpu->aside[cpu->layer][at] = (struct meter_aside){ .block = block, .interval = cpu->interval };
	cpu->slack += block->insns;
}

/* The fate of an interrupted block is known: it leaves the slack, if this interval put it there. */
static void settle(struct meter_cpu *cpu, struct meter_aside *aside)
{
	if (aside->interval == cpu->interval)
		cpu->slack -= aside->block->insns;
	aside->block = NULL;
}

static struct meter_aside *aside_at(struct meter_cpu *cpu, uint32_t age)
{
	return &cpu->aside[cpu->layer][(cpu->aside_next[cpu->layer] - 1 - age) % METER_ASIDE];
}

static struct meter_aside *find_aside(struct meter_cpu *cpu, uint64_t pc)
{
	for (uint32_t age = 0; age < METER_ASIDE; age++) {
		struct meter_aside *aside = aside_at(cpu, age);

		if (aside->block && (is_natural(aside->block, pc) || meter_block_rest(aside->block, pc)))
			return aside;
	}
	return NULL;
}

/*
 * A block that may lead to its own beginning has been complete, or was cut at its first
 * instruction: it is taken for complete and stays in the slack.
 */
static bool is_ambiguous(const struct meter_block *block, uint64_t pc, uint32_t rest)
{
	return rest && (is_natural(block, pc) || (flags_of(block) & METER_BLOCK_INDIRECT && rest == block->insns));
}

/* A layer goes on after an interruption. Return: true when @block repeats a `rep` instruction. */
static bool resume(struct meter_cpu *cpu, const struct meter_block *block)
{
	struct meter_aside *aside = find_aside(cpu, block->pc);

	if (!aside) {
		struct meter_aside *newest = aside_at(cpu, 0);

		if (newest->block && flags_of(newest->block) & METER_BLOCK_INDIRECT)
			newest->block = NULL;
		return false;
	}

	bool same_interval = aside->interval == cpu->interval;
	bool repeat = repeats(aside->block, block->pc);
	uint32_t rest = meter_block_rest(aside->block, block->pc);

	if (!repeat && is_ambiguous(aside->block, block->pc, rest)) {
		aside->block = NULL;
		return false;
	}
	settle(cpu, aside);
	if (rest && !repeat && same_interval)
		count_cut(cpu, rest);
	return repeat;
}

static void resume_and_count(struct meter_cpu *cpu, const struct meter_block *block)
{
	if (resume(cpu, block))
		count_rep(cpu);
	else
		meter_cpu_count(cpu, block);
}

static void leave_guest(struct meter_cpu *cpu)
{
	set_layer(cpu, METER_HOST);
	cpu->vmexit_pc = METER_NOWHERE;
	cpu->now.exits++;
	cpu->exit_at = executed(cpu, METER_HOST);
	cpu->exit_open = true;
}

static void close_exit_path(struct meter_cpu *cpu)
{
	if (!cpu->exit_open || cpu->layer != METER_HOST)
		return;
	cpu->now.exit_insns += executed(cpu, METER_HOST) - cpu->exit_at;
	cpu->exit_open = false;
}

static void enter_guest(struct meter_cpu *cpu, uint64_t vmexit_pc)
{
	if (!cpu->exit_open && cpu->now.exits)
		cpu->now.entry_insns += executed(cpu, METER_HOST) - cpu->resumed_at;
	close_exit_path(cpu);
	set_layer(cpu, METER_GUEST);
	cpu->vmexit_pc = vmexit_pc;
	cpu->now.entries++;
}

static void after_vmrun(struct meter_cpu *cpu, const struct meter_block *vmrun, const struct meter_block *block)
{
	enter_guest(cpu, vmrun->next);
	if (block->pc == vmrun->next) {
		leave_guest(cpu);
		meter_cpu_count(cpu, block);
	} else if (flags_of(block) & METER_BLOCK_ENTRY) {
		meter_cpu_count(cpu, block);
	} else {
		resume_and_count(cpu, block);
	}
}

static void after_iret(struct meter_cpu *cpu, const struct meter_block *block)
{
	if (cpu->layer == METER_HOST)
		cpu->resumed_at = executed(cpu, METER_HOST);
	if (flags_of(block) & METER_BLOCK_ENTRY)
		meter_cpu_count(cpu, block);
	else
		resume_and_count(cpu, block);
}

static void interrupted(struct meter_cpu *cpu, const struct meter_block *last, const struct meter_block *block)
{
	close_exit_path(cpu);
	set_aside(cpu, last);
	meter_cpu_count(cpu, block);
}

/* The last block leads elsewhere: it was cut and starts again in its middle, or something interrupted it. */
static void unnatural(struct meter_cpu *cpu, const struct meter_block *last, struct meter_block *block)
{
	uint32_t rest = meter_block_rest(last, block->pc);

	if (rest) {
		count_cut(cpu, rest);
		meter_cpu_count(cpu, block);
		return;
	}
	if (!(flags_of(block) & METER_BLOCK_ANONYMOUS))
		atomic_fetch_or_explicit(&block->flags, METER_BLOCK_ENTRY, memory_order_relaxed);
	interrupted(cpu, last, block);
}

void meter_cpu_rare(struct meter_cpu *cpu, const struct meter_block *last, struct meter_block *block)
{
	uint8_t end = flags_of(last);

	if (block->pc == cpu->vmexit_pc) {
		set_aside(cpu, last);
		leave_guest(cpu);
		meter_cpu_count(cpu, block);
	} else if (end & METER_BLOCK_VMRUN) {
		after_vmrun(cpu, last, block);
	} else if (repeats(last, block->pc)) {
		count_rep(cpu);
	} else if (end & METER_BLOCK_IRET) {
		after_iret(cpu, block);
	} else if (is_natural(last, block->pc)) {
		meter_cpu_count(cpu, block);
	} else if (end & METER_BLOCK_INDIRECT) {
		if (flags_of(block) & METER_BLOCK_ENTRY)
			interrupted(cpu, last, block);
		else
			meter_cpu_count(cpu, block);
	} else {
		unnatural(cpu, last, block);
	}
}

void meter_cpu_resync(struct meter_cpu *cpu)
{
	if (flags_of(cpu->last) & METER_BLOCK_VMRUN)
		enter_guest(cpu, cpu->last->next);
	cpu->last = &before_all;
}

void meter_cpu_skim(struct meter_cpu *cpu, const struct meter_block *block)
{
	if (cpu->layer == METER_GUEST)
		leave_guest(cpu);
	cpu->last = flags_of(block) & METER_BLOCK_VMRUN ? block : &before_all;
}

void meter_cpu_set_steps(struct meter_cpu *cpu, uint32_t *step, uint32_t half)
{
	cpu->step = step;
	cpu->half = half;
	cpu->at = step;
	cpu->end = step + 2 * (size_t)half;
	cpu->wraps = 0;
}

void meter_cpu_init(struct meter_cpu *cpu, uint32_t *step, uint32_t half)
{
	memset(cpu, 0, sizeof(*cpu));
	cpu->last = &before_all;
	cpu->vmexit_pc = METER_NOWHERE;
	meter_cpu_set_steps(cpu, step, half);
}

static void read_counts(const struct meter_cpu *cpu, uint32_t tail, struct meter_counts *ret)
{
	*ret = cpu->now;
	for (int i = 0; i < METER_LAYERS; i++)
		ret->insns[i] = executed(cpu, i);
	ret->insns[cpu->layer] -= tail;
}

void meter_cpu_begin(struct meter_cpu *cpu, uint32_t tail)
{
	read_counts(cpu, tail, &cpu->base);
	cpu->interval++;
	cpu->slack = 0;
	cpu->at = cpu->step;
	cpu->wraps = 0;
	cpu->head_skip = (uint16_t)(cpu->last->insns - tail);
	push(cpu, METER_STEP_BLOCK, cpu->last->id);
}

void meter_cpu_since(const struct meter_cpu *cpu, uint32_t tail, struct meter_counts *ret)
{
	const struct meter_counts *base = &cpu->base;

	read_counts(cpu, tail, ret);
	for (int i = 0; i < METER_LAYERS; i++) {
		ret->insns[i] -= base->insns[i];
		ret->rep[i] -= base->rep[i];
	}
	ret->exit_insns -= base->exit_insns;
	ret->entry_insns -= base->entry_insns;
	ret->exits -= base->exits;
	ret->entries -= base->entries;
}
