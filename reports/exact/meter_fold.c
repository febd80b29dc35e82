// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/exact/meter_fold.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "reports/exact/meter_class.h"
#include "reports/exact/meter_context.h"
#include "reports/exact/meter_cost.h"

#define USER_END (1ULL << 47)
#define MAX_BLOCKS (1U << 26)
#define MAX_INSNS 4096 /* of a block; QEMU's own limit is lower */

/* A block as one layer sees it. */
#define FNV_BASIS 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL

struct view {
	struct meter_place place; /* function 0: not looked up yet */
	bool tracer;
	uint64_t hash; /* of layer and name: the same in every run, as the name's number is not */
};

struct known_block {
	uint64_t pc;
	uint32_t insns;
	uint32_t flags;
	struct view view[METER_LAYERS];
};

struct meter_folder {
	struct names *names;
	struct kallsyms *const *syms;
	struct known_block *block; /* by file id */
	uint32_t blocks;
	uint32_t room;
	uint64_t *bound; /* positions of calibration marks: begin, end, begin, end ... */
	size_t bounds;
	uint32_t user; /* names */
	uint32_t calibrated;
	uint32_t kernel;
};

struct fold {
	struct meter_folder *folder;
	struct meter_contexts *contexts;
	struct meter_costs costs;
	struct known_block *block; /* that began last */
	enum meter_layer layer;
	uint32_t context;
	uint32_t cut; /* instructions to be taken off the next block */
	uint64_t tracer[METER_LAYERS];
	uint64_t insns[METER_LAYERS];
	uint64_t calibrated_rep;
	uint64_t position; /* instructions its CPU had executed */
	uint64_t path;
	uint64_t path_last;
};

struct meter_folder *meter_folder_new(struct names *names, struct kallsyms *const syms[METER_LAYERS])
{
	struct meter_folder *folder = calloc(1, sizeof(*folder));

	if (!folder)
		return NULL;
	folder->names = names;
	folder->syms = syms;
	folder->user = names_intern(names, "[user]", SIZE_MAX);
	folder->kernel = names_intern(names, "[kernel]", SIZE_MAX);
	folder->calibrated = names_intern(names, METER_CALIBRATED, SIZE_MAX);
	return folder;
}

void meter_folder_free(struct meter_folder *folder)
{
	if (!folder)
		return;
	free(folder->block);
	free(folder->bound);
	free(folder);
}

int meter_folder_calibrate(struct meter_folder *folder, uint64_t position)
{
	uint64_t *bound = realloc(folder->bound, (folder->bounds + 1) * sizeof(*bound));

	if (!bound)
		return -ENOMEM;
	folder->bound = bound;
	bound[folder->bounds++] = position;
	return 0;
}

static int make_room(struct meter_folder *folder)
{
	uint32_t room = folder->room ? folder->room * 2 : 4096;
	struct known_block *block;

	if (folder->blocks < folder->room)
		return 0;
	if (room > MAX_BLOCKS)
		return -EINVAL;
	block = realloc(folder->block, room * sizeof(*block));
	if (!block)
		return -ENOMEM;
	folder->block = block;
	folder->room = room;
	return 0;
}

int meter_folder_block(struct meter_folder *folder, const struct meter_block_record *record)
{
	bool fits = record->id == folder->blocks && record->insns <= MAX_INSNS;
	int rc = fits ? make_room(folder) : -EINVAL;

	if (rc)
		return rc;
	folder->block[folder->blocks++] = (struct known_block){
		.pc = record->pc,
		.insns = record->insns,
		.flags = record->flags,
	};
	return 0;
}

/* FNV-1a */
static uint64_t hash_of(const char *name, enum meter_layer layer)
{
	uint64_t hash = (FNV_BASIS ^ layer) * FNV_PRIME;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * FNV_PRIME;
	return hash;
}

static void look_up(const struct meter_folder *folder, const struct known_block *block, enum meter_layer layer,
		    struct view *ret)
{
	struct kallsyms_symbol symbol;
	const char *name;

	*ret = (struct view){ .place = { .function = folder->user, .class = METER_CLASS_USER, .flags = block->flags } };
	if (block->pc < USER_END)
		return;
	ret->place.function = folder->kernel;
	ret->place.class = METER_CLASS_PLAIN;
	if (!kallsyms_find(folder->syms[layer], block->pc, &symbol))
		return;
	ret->place.function = names_intern(folder->names, symbol.name, SIZE_MAX);
	ret->place.start = symbol.start == block->pc;
	name = names_text(folder->names, ret->place.function);
	ret->place.class = meter_class_of(name);
	ret->tracer = meter_class_is_tracer(name);
}

static const struct view *view_of(const struct meter_folder *folder, struct known_block *block, enum meter_layer layer)
{
	struct view *view = &block->view[layer];

	if (!view->place.function) {
		look_up(folder, block, layer, view);
		view->hash = hash_of(names_text(folder->names, view->place.function), layer);
	}
	return view;
}

static void follow_path(struct fold *fold, const struct view *view)
{
	if (fold->path_last == view->hash)
		return;
	fold->path_last = view->hash;
	fold->path = (fold->path ^ view->hash) * FNV_PRIME;
}

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high)
{
	if (value < low)
		return low;
	return value > high ? high : value;
}

/* Of the calibration marks only the latest can matter: gaps come in order. */
static size_t latest_bounds(const struct meter_folder *folder)
{
	return folder->bounds > 8 ? (folder->bounds - 8) & ~(size_t)1 : 0;
}

/* How many of the next instructions lie between the marks of the calibration payload, by their position. */
static int64_t calibrated(const struct fold *fold, int64_t insns)
{
	const struct meter_folder *folder = fold->folder;
	uint64_t end = fold->position + (uint64_t)insns;
	uint64_t found = 0;

	for (size_t i = latest_bounds(folder); i < folder->bounds; i += 2) {
		uint64_t low = folder->bound[i];
		uint64_t high = i + 1 < folder->bounds ? folder->bound[i + 1] : UINT64_MAX;

		found += clamp(end, low, high) - clamp(fold->position, low, high);
	}
	return (int64_t)found;
}

/*
 * Iterations of the instruction that ends the block which began last; behind an iret: of the one that goes on, which
 * between the marks is the payload's.
 */
static void repeat(struct fold *fold, uint64_t iterations)
{
	const struct meter_folder *folder = fold->folder;

	if (!fold->block || fold->layer != METER_HOST ||
	    (fold->block->pc >= USER_END && !(fold->block->flags & METER_BLOCK_IRET)))
		return;
	for (size_t i = latest_bounds(folder); i < folder->bounds; i += 2)
		if (fold->position >= folder->bound[i] &&
		    (i + 1 == folder->bounds || fold->position <= folder->bound[i + 1]))
			fold->calibrated_rep += iterations;
}

/* To the account of the block that began last; a negative number takes away. */
static int charge(struct fold *fold, const struct view *view, int64_t insns)
{
	struct meter_cost key = { .layer = fold->layer, .context = fold->context, .function = view->place.function };
	bool user = view->place.class == METER_CLASS_USER && fold->layer == METER_HOST;
	int64_t known = user ? calibrated(fold, insns) : 0;
	int rc = 0;

	fold->position += (uint64_t)insns;
	fold->insns[fold->layer] += (uint64_t)insns;
	fold->tracer[fold->layer] += view->tracer ? (uint64_t)insns : 0;
	if (insns != known)
		rc = meter_costs_add(&fold->costs, &key, (uint64_t)(insns - known));
	if (rc || !known)
		return rc;
	key.function = fold->folder->calibrated;
	return meter_costs_add(&fold->costs, &key, (uint64_t)known);
}

static int execute(struct fold *fold, int64_t insns)
{
	const struct view *view = view_of(fold->folder, fold->block, fold->layer);
	int rc = meter_contexts_step(fold->contexts, fold->layer, &view->place, &fold->context);

	if (rc)
		return rc;
	follow_path(fold, view);
	return charge(fold, view, insns);
}

static int begin_block(struct fold *fold, const struct meter_step_value *step)
{
	int64_t cut = fold->cut;

	if (step->value >= fold->folder->blocks)
		return -EINVAL;
	fold->block = &fold->folder->block[step->value];
	fold->layer = step->layer;
	fold->cut = 0;
	return execute(fold, (int64_t)fold->block->insns - cut);
}

static int apply(struct fold *fold, const struct meter_step_value *step)
{
	switch (step->kind) {
	case METER_STEP_BLOCK:
		return begin_block(fold, step);
	case METER_STEP_CUT:
		fold->cut += step->value;
		return 0;
	case METER_STEP_REP:
		repeat(fold, step->value);
		return 0;
	case METER_STEP_REPEAT:
		return fold->block ? execute(fold, (int64_t)fold->block->insns * step->value) : -EINVAL;
	}
	return -EINVAL;
}

static int take_steps(struct fold *fold, const struct meter_gap_record *record, const uint8_t *steps)
{
	const uint8_t *end = steps + record->step_bytes;
	struct meter_step_value step;

	fold->cut = record->head_skip;
	while (steps < end) {
		int rc = meter_step_next(&steps, end, &step) ? apply(fold, &step) : -EINVAL;

		if (rc)
			return rc;
	}
	/* The last block goes on behind the mark that ended the gap. */
	if (!fold->block)
		return 0;
	return charge(fold, view_of(fold->folder, fold->block, fold->layer), -(int64_t)record->tail_skip);
}

static void name_contexts(struct fold *fold)
{
	for (uint32_t i = 0; i < fold->costs.slots; i++) {
		struct meter_cost *cost = &fold->costs.slot[i];

		if (cost->function)
			cost->context = meter_contexts_name(fold->contexts, cost->context);
	}
}

static int finish(struct fold *fold, const struct meter_gap_record *record, struct meter_gap *gap)
{
	int rc = meter_contexts_finish(fold->contexts);

	if (rc)
		return rc;
	name_contexts(fold);
	gap->whole = record->steps && record->steps_head + (uint64_t)record->steps_tail == record->steps &&
		     fold->insns[METER_HOST] == record->insns[METER_HOST] &&
		     fold->insns[METER_GUEST] == record->insns[METER_GUEST];
	for (int i = 0; i < METER_LAYERS; i++)
		gap->tracer[i] = fold->tracer[i];
	gap->calibrated_rep = fold->calibrated_rep;
	gap->path = fold->path;
	gap->costs = meter_costs_take(&fold->costs, &gap->cost);
	gap->roots = meter_contexts_take_roots(fold->contexts, &gap->root);
	return 0;
}

int meter_folder_gap(struct meter_folder *folder, const struct meter_gap_record *record, const uint8_t *steps,
		     enum meter_layer probe_layer, struct meter_gap *gap)
{
	struct fold fold = { .folder = folder, .path = FNV_BASIS };
	int rc;

	fold.position = record->position - record->insns[METER_HOST] - record->insns[METER_GUEST];
	fold.contexts = meter_contexts_new(folder->names, probe_layer);
	rc = fold.contexts ? take_steps(&fold, record, steps) : -ENOMEM;
	if (!rc)
		rc = finish(&fold, record, gap);
	meter_costs_done(&fold.costs);
	meter_contexts_free(fold.contexts);
	return rc;
}
