// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/meter/meter.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/marks.h"
#include "host/meter/meter_cpu.h"

#define SCRATCH_HALF 2 /* steps of a CPU without a probe are not wanted */

/* Owned by the probe's thread, which executes its marks one after another, on whatever CPU. */
struct run {
	struct run *next;
	uint32_t id;
	uint32_t layer;
	_Atomic uint32_t cpu; /* where the probe turned last */
	uint32_t home;
	_Atomic uint64_t turns; /* read by marks of other CPUs */
	uint64_t gaps;
	uint64_t turn_insns;
	uint64_t lost;
	uint64_t lost_steps;
	uint64_t migrations;
	bool active; /* under the meter's lock */
};

struct cpu {
	struct meter_cpu count;
	uint32_t scratch[2 * SCRATCH_HALF];
	struct meter_detail *detail;	     /* what count.step points into; NULL: scratch */
	_Atomic(struct meter_queue *) queue; /* made at the first mark */
	struct run *run;		     /* that turned here last; NULL: none */
	struct meter_item *held;   /* reserved for the interval that ended last, until the next mark says more */
	struct meter_counts ended; /* of the interval that ended last */
	uint32_t ended_slack;
	bool ended_whole; /* it began and ended here */
	bool interval;	  /* meter_cpu_begin() was called for the run */
	bool migrated;	  /* the run came here in this interval */
} __attribute__((aligned(128)));

struct meter {
	struct meter_options options;
	struct meter_table *table;
	struct cpu *cpu;
	pthread_mutex_t lock; /* list of runs: start, end and migration */
	struct run *runs;     /* newest first; never shortened */
	uint32_t run_count;
	_Atomic(struct run *) latest; /* what marks of other CPUs refer to */
	_Atomic uint64_t lost;
	_Atomic uint64_t stray;
	bool counting; /* changes only while no CPU executes */
};

struct meter *meter_new(const struct meter_options *options)
{
	struct meter *meter = calloc(1, sizeof(*meter));

	if (!meter)
		return NULL;
	meter->options = *options;
	meter->counting = true;
	pthread_mutex_init(&meter->lock, NULL);
	meter->table = meter_table_new(options->block_limit);
	meter->cpu = aligned_alloc(128, options->cpus * sizeof(struct cpu));
	if (!meter->table || !meter->cpu) {
		meter->options.cpus = 0;
		meter_free(meter);
		return NULL;
	}
	memset(meter->cpu, 0, options->cpus * sizeof(struct cpu));
	for (uint32_t i = 0; i < options->cpus; i++)
		meter_cpu_init(&meter->cpu[i].count, meter->cpu[i].scratch, SCRATCH_HALF);
	return meter;
}

void meter_free(struct meter *meter)
{
	if (!meter)
		return;
	for (uint32_t i = 0; i < meter->options.cpus; i++)
		meter_queue_free(meter->cpu[i].queue);
	for (struct run *run = meter->runs; run;) {
		struct run *next = run->next;

		free(run);
		run = next;
	}
	free(meter->cpu);
	meter_table_free(meter->table);
	pthread_mutex_destroy(&meter->lock);
	free(meter);
}

const struct meter_options *meter_get_options(const struct meter *meter)
{
	return &meter->options;
}

struct meter_table *meter_get_table(struct meter *meter)
{
	return meter->table;
}

struct meter_queue *meter_get_queue(struct meter *meter, uint32_t cpu)
{
	/* Pairs with the release in own_queue(). */
	return atomic_load_explicit(&meter->cpu[cpu].queue, memory_order_acquire);
}

void meter_get_losses(struct meter *meter, uint64_t *ret_lost, uint64_t *ret_stray)
{
	*ret_lost = atomic_load_explicit(&meter->lost, memory_order_relaxed);
	*ret_stray = atomic_load_explicit(&meter->stray, memory_order_relaxed);
}

void meter_block(struct meter *meter, uint32_t cpu, struct meter_block *block)
{
	if (cpu < meter->options.cpus)
		meter_cpu_block(&meter->cpu[cpu].count, block);
}

void meter_skim(struct meter *meter, uint32_t cpu, const struct meter_block *block)
{
	if (cpu < meter->options.cpus)
		meter_cpu_skim(&meter->cpu[cpu].count, block);
}

bool meter_wanted(struct meter *meter)
{
	bool wanted = false;

	pthread_mutex_lock(&meter->lock);
	for (const struct run *run = meter->runs; run; run = run->next)
		wanted |= run->active;
	pthread_mutex_unlock(&meter->lock);
	return wanted;
}

void meter_set_counting(struct meter *meter, bool counting)
{
	for (uint32_t i = 0; i < meter->options.cpus; i++) {
		meter_cpu_resync(&meter->cpu[i].count);
		meter->cpu[i].interval = false;
	}
	meter->counting = counting;
}

static void add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static struct meter_queue *own_queue(struct cpu *cpu)
{
	struct meter_queue *queue = atomic_load_explicit(&cpu->queue, memory_order_relaxed);

	if (!queue) {
		queue = meter_queue_new();
		/* Pairs with the acquire in meter_get_queue(): the ring is initialised. */
		atomic_store_explicit(&cpu->queue, queue, memory_order_release);
	}
	return queue;
}

static void commit_held(struct cpu *cpu)
{
	if (cpu->held)
		meter_queue_commit(cpu->queue);
	cpu->held = NULL;
}

static struct meter_item *reserve(struct meter *meter, struct cpu *cpu, enum meter_type type, size_t bytes)
{
	commit_held(cpu);

	struct meter_queue *queue = own_queue(cpu);
	struct meter_item *item = queue ? meter_queue_reserve(queue) : NULL;

	if (!item) {
		add(&meter->lost, 1);
		return NULL;
	}
	item->head = (struct meter_record){ .type = type, .bytes = (uint32_t)bytes };
	return item;
}

static void use_detail(struct cpu *cpu, struct meter_detail *detail, uint32_t half)
{
	cpu->detail = detail;
	meter_cpu_set_steps(&cpu->count, detail ? detail->step : cpu->scratch, detail ? half : SCRATCH_HALF);
}

static void provide(struct meter *meter, struct cpu *cpu)
{
	uint32_t half = meter->options.steps_max / 2;
	struct meter_queue *queue = own_queue(cpu);

	if (!queue || cpu->detail)
		return;
	meter_queue_provide(queue, half);
	use_detail(cpu, meter_queue_take(queue), half);
}

static void fill_run(const struct run *run, const struct cpu *cpu, struct meter_run_record *ret)
{
	ret->run = run->id;
	ret->cpu = run->home;
	ret->layer = run->layer;
	ret->position = meter_cpu_executed(&cpu->count);
	ret->turns = atomic_load_explicit(&run->turns, memory_order_relaxed);
	ret->gaps = run->gaps;
	ret->turn_insns = run->turn_insns == UINT64_MAX ? 0 : run->turn_insns;
	ret->lost = run->lost;
	ret->lost_steps = run->lost_steps;
	ret->migrations = run->migrations;
}

static void put_run(struct meter *meter, struct cpu *cpu, const struct run *run, enum meter_type type)
{
	struct meter_item *item = reserve(meter, cpu, type, sizeof(item->run));

	if (!item)
		return;
	fill_run(run, cpu, &item->run);
	meter_queue_commit(cpu->queue);
}

/* A probe that was killed executed no MARK_PROBE_STOP: its run ends when the next begins on that CPU. */
static void end_run(struct meter *meter, struct cpu *cpu, struct run *run)
{
	put_run(meter, cpu, run, METER_RUN_END);
	cpu->run = NULL;
	cpu->ended_whole = false;
	cpu->interval = false;
	pthread_mutex_lock(&meter->lock);
	run->active = false;
	pthread_mutex_unlock(&meter->lock);
}

static void start_run(struct meter *meter, uint32_t at)
{
	struct cpu *cpu = &meter->cpu[at];
	struct run *run = calloc(1, sizeof(*run));

	if (cpu->run && cpu->run->cpu == at && cpu->run->active)
		end_run(meter, cpu, cpu->run);
	if (!run) {
		add(&meter->lost, 1);
		return;
	}
	provide(meter, cpu);
	run->home = at;
	run->cpu = at;
	run->layer = cpu->count.layer;
	run->turn_insns = UINT64_MAX;
	run->active = true;
	pthread_mutex_lock(&meter->lock);
	run->id = meter->run_count++;
	run->next = meter->runs;
	meter->runs = run;
	pthread_mutex_unlock(&meter->lock);
	/* Pairs with the acquire in put_mark(): the run is initialised. */
	atomic_store_explicit(&meter->latest, run, memory_order_release);
	cpu->run = run;
	cpu->interval = false;
	cpu->ended_whole = false;
	cpu->migrated = false;
	put_run(meter, cpu, run, METER_RUN);
}

/* The only active run, or NULL when there is none or more than one. */
static struct run *only_active(struct meter *meter)
{
	struct run *found = NULL;

	for (struct run *run = meter->runs; run; run = run->next) {
		if (run->active && found)
			return NULL;
		if (run->active)
			found = run;
	}
	return found;
}

static struct run *arrive(struct meter *meter, uint32_t at)
{
	struct cpu *cpu = &meter->cpu[at];

	pthread_mutex_lock(&meter->lock);
	struct run *run = only_active(meter);

	if (run)
		run->cpu = at;
	pthread_mutex_unlock(&meter->lock);
	if (!run) {
		add(&meter->stray, 1);
		return NULL;
	}
	provide(meter, cpu);
	run->migrations++;
	cpu->run = run;
	cpu->interval = false;
	cpu->ended_whole = false;
	cpu->migrated = true;
	return run;
}

static struct run *run_here(struct meter *meter, uint32_t at)
{
	struct run *run = meter->cpu[at].run;

	if (run && atomic_load_explicit(&run->cpu, memory_order_relaxed) == at)
		return run;
	return arrive(meter, at);
}

static uint64_t insns_of(const struct meter_counts *counts)
{
	return counts->insns[METER_HOST] + counts->insns[METER_GUEST];
}

static void fill_counts(const struct meter_counts *counts, struct meter_gap_record *ret)
{
	for (int i = 0; i < METER_LAYERS; i++) {
		ret->insns[i] = counts->insns[i];
		ret->rep[i] = counts->rep[i];
	}
	ret->exit_insns = counts->exit_insns;
	ret->entry_insns = counts->entry_insns;
	ret->exits = (uint32_t)counts->exits;
	ret->entries = (uint32_t)counts->entries;
}

static void fill_steps(const struct meter_cpu *count, uint32_t tail, struct meter_gap_record *ret)
{
	uint64_t steps = meter_cpu_steps(count);
	uint64_t after_head = steps > count->half ? steps - count->half : 0;

	ret->steps = steps;
	ret->head_skip = count->head_skip;
	ret->tail_skip = (uint16_t)tail;
	ret->slack = count->slack;
	ret->steps_head = (uint32_t)(steps - after_head);
	ret->steps_tail = (uint32_t)(after_head < count->half ? after_head : count->half);
}

/* The steps leave with the record; counting goes on in a fresh buffer, or in the same one when none is free. */
static void hand_over_steps(struct meter *meter, struct cpu *cpu, struct run *run, struct meter_item *item)
{
	struct meter_detail *fresh = cpu->detail ? meter_queue_take(cpu->queue) : NULL;

	if (!fresh) {
		item->gap.flags |= METER_GAP_DETAIL_LOST;
		item->gap.steps_head = 0;
		item->gap.steps_tail = 0;
		run->lost_steps++;
		return;
	}
	item->detail = cpu->detail;
	use_detail(cpu, fresh, meter->options.steps_max / 2);
}

/* The interval that ended last: held back until it is known whether the probe recorded it too. */
static struct meter_gap_record *hold_gap(struct meter *meter, struct cpu *cpu, struct run *run, uint32_t tail)
{
	struct meter_item *item = reserve(meter, cpu, METER_GAP, sizeof(item->gap));

	if (!item) {
		run->lost++;
		return NULL;
	}
	cpu->held = item;
	item->gap.run = run->id;
	item->gap.gap = METER_NO_GAP;
	item->gap.turn = atomic_load_explicit(&run->turns, memory_order_relaxed);
	item->gap.cpu = run->cpu;
	item->gap.position = meter_cpu_executed(&cpu->count) - tail;
	item->gap.slack = cpu->ended_slack;
	if (cpu->ended_whole)
		fill_counts(&cpu->ended, &item->gap);
	else
		item->gap.flags = cpu->migrated ? METER_GAP_MIGRATED : METER_GAP_UNCOUNTED;
	return &item->gap;
}

/* A long interval, with its steps. */
static void hold_long(struct meter *meter, struct cpu *cpu, struct run *run, uint32_t tail)
{
	struct meter_gap_record *gap = hold_gap(meter, cpu, run, tail);

	if (!gap)
		return;
	gap->flags = METER_GAP_BY_INSNS;
	fill_steps(&cpu->count, tail, gap);
	hand_over_steps(meter, cpu, run, cpu->held);
}

static void on_turn(struct meter *meter, uint32_t at, uint32_t tail)
{
	struct run *run = run_here(meter, at);
	struct cpu *cpu = &meter->cpu[at];

	if (!run)
		return;
	commit_held(cpu);
	atomic_store_explicit(&run->turns, atomic_load_explicit(&run->turns, memory_order_relaxed) + 1,
			      memory_order_relaxed);
	meter_cpu_since(&cpu->count, tail, &cpu->ended);
	cpu->ended_slack = cpu->count.slack;
	cpu->ended_whole = cpu->interval;
	if (cpu->migrated)
		hold_gap(meter, cpu, run, tail);
	else if (cpu->interval && insns_of(&cpu->ended) >= meter->options.threshold_insns)
		hold_long(meter, cpu, run, tail);
	else if (cpu->interval && insns_of(&cpu->ended) < run->turn_insns)
		run->turn_insns = insns_of(&cpu->ended);
	cpu->interval = meter->counting;
	cpu->migrated = false;
	meter_cpu_begin(&cpu->count, tail);
}

/* The probe found the interval long that its last turn ended. */
static void on_gap(struct meter *meter, uint32_t at, uint32_t tail)
{
	struct run *run = run_here(meter, at);
	struct cpu *cpu = &meter->cpu[at];
	uint32_t number;

	if (!run)
		return;
	number = (uint32_t)run->gaps++;
	if (!cpu->held && !hold_gap(meter, cpu, run, tail))
		return;
	cpu->held->gap.gap = number;
	cpu->held->gap.flags |= METER_GAP_BY_TIME;
	commit_held(cpu);
}

static void put_mark(struct meter *meter, uint32_t at, int code, uint32_t tail)
{
	struct cpu *cpu = &meter->cpu[at];
	struct meter_item *item = reserve(meter, cpu, METER_MARK, sizeof(item->mark));

	if (!item)
		return;

	/* Pairs with the release in start_run(). */
	struct run *run = atomic_load_explicit(&meter->latest, memory_order_acquire);

	item->mark.run = run ? run->id : METER_NO_GAP;
	item->mark.cpu = at;
	item->mark.layer = cpu->count.layer;
	item->mark.code = (uint32_t)code;
	item->mark.position = meter_cpu_executed(&cpu->count) - tail;
	item->mark.rep = cpu->count.now.rep[METER_HOST] + cpu->count.now.rep[METER_GUEST];
	if (run) {
		item->mark.probe_position = meter_cpu_executed(&meter->cpu[run->cpu].count);
		item->mark.probe_turn = atomic_load_explicit(&run->turns, memory_order_relaxed);
	}
	meter_queue_commit(cpu->queue);
}

void meter_mark(struct meter *meter, uint32_t cpu, int code, uint32_t tail)
{
	if (cpu >= meter->options.cpus)
		return;
	if (!meter->counting)
		meter_cpu_resync(&meter->cpu[cpu].count); /* the mark's layer */
	switch (code) {
	case MARK_TURN:
		on_turn(meter, cpu, tail);
		break;
	case MARK_GAP:
		on_gap(meter, cpu, tail);
		break;
	case MARK_PROBE_START:
		start_run(meter, cpu);
		break;
	case MARK_PROBE_STOP:
		if (meter->cpu[cpu].run || meter->latest) {
			struct run *run = run_here(meter, cpu);

			if (run)
				end_run(meter, &meter->cpu[cpu], run);
		}
		break;
	default:
		put_mark(meter, cpu, code, tail);
		break;
	}
}
