// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/meter_fold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fs.h"
#include "reports/meter_class.h"
#include "reports/meter_cost.h"

#define USER_END (1ULL << 47)
#define MAX_FRAMES 8
#define NO_SEGMENT UINT32_MAX
#define SEGMENT_CONTEXT 0x80000000U /* a context that is still the number of a segment */
#define MAX_BLOCKS (1U << 26)

/* A block as one layer sees it. */
struct view {
	uint32_t function; /* name; 0: not looked up yet */
	uint8_t class;     /* enum meter_class */
	bool tracer;
	bool start;        /* the block begins where the function begins */
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
	uint32_t user;   /* names */
	uint32_t kernel;
};

enum frame_kind { FRAME_IRQ, FRAME_WORK, FRAME_SOFTIRQ };

struct frame {
	enum frame_kind kind;
	uint32_t context;
};

/*
 * What runs outside any frame, between two interruptions: named when the gap is over, by
 * what else the task did while it ran.
 */
struct segment {
	uint32_t layer;
	uint32_t stint;
	bool from_exit; /* begins with #VMEXIT */
	bool to_vmrun;  /* ends with VMRUN */
};

/* One task's time on the CPU, from one change of tasks to the next. */
struct stint {
	uint32_t layer;
	bool vcpu;
	bool worker;
	bool user;
	bool idle;
	bool outer;      /* the first or last of the gap in its layer */
	uint32_t thread; /* name of a main function seen; 0: none */
};

struct layer_state {
	struct frame frame[MAX_FRAMES];
	uint32_t frames;
	uint32_t segment; /* index; NO_SEGMENT: begins with the next block */
	uint32_t stint;
	bool any;         /* something ran */
	const struct known_block *last;
	uint32_t last_class;
	uint32_t caller_class; /* of the block before a retpoline */
	bool caller_indirect;
	bool from_exit;   /* the next segment begins with #VMEXIT */
};

struct fold {
	struct meter_folder *folder;
	struct layer_state state[METER_LAYERS];
	enum meter_layer layer;
	enum meter_layer probe_layer;
	bool begun;
	struct segment *segment;
	uint32_t segments;
	struct stint *stint;
	uint32_t stints;
	struct meter_costs costs;
	struct meter_root *root;
	uint32_t roots;
	uint64_t tracer[METER_LAYERS];
	uint64_t path;
	uint32_t path_last;
	uint64_t insns[METER_LAYERS];
	int status;
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
	return folder;
}

void meter_folder_free(struct meter_folder *folder)
{
	if (!folder)
		return;
	free(folder->block);
	free(folder);
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
	int rc = record->id == folder->blocks ? make_room(folder) : -EINVAL;

	if (rc)
		return rc;
	folder->block[folder->blocks++] = (struct known_block){
		.pc = record->pc,
		.insns = record->insns,
		.flags = record->flags,
	};
	return 0;
}

static void look_up(const struct meter_folder *folder, const struct known_block *block, enum meter_layer layer,
		    struct view *ret)
{
	struct kallsyms_symbol symbol;
	const char *name;

	*ret = (struct view){ .function = folder->user, .class = METER_CLASS_USER };
	if (block->pc < USER_END)
		return;
	ret->function = folder->kernel;
	ret->class = METER_CLASS_PLAIN;
	if (!kallsyms_find(folder->syms[layer], block->pc, &symbol))
		return;
	ret->function = names_intern(folder->names, symbol.name, SIZE_MAX);
	name = names_text(folder->names, ret->function);
	ret->class = (uint8_t)meter_class_of(name);
	ret->tracer = meter_class_is_tracer(name);
	ret->start = symbol.start == block->pc;
}

static struct view *view_of(const struct meter_folder *folder, struct known_block *block, enum meter_layer layer)
{
	if (!block->view[layer].function)
		look_up(folder, block, layer, &block->view[layer]);
	return &block->view[layer];
}

/* "prefix/name" as a context. */
static uint32_t make_name(struct fold *fold, const char *prefix, const char *name)
{
	_cleanup_free_ char *text = str_printf("%s/%s", prefix, name);
	uint32_t id = text ? names_intern(fold->folder->names, text, SIZE_MAX) : 0;

	if (!id)
		fold->status = -ENOMEM;
	return id;
}

static uint32_t plain_name(struct fold *fold, const char *name)
{
	return names_intern(fold->folder->names, name, SIZE_MAX);
}

static void *grow(struct fold *fold, void *array, uint32_t count, size_t bytes)
{
	/* Powers of two from 8 on: full whenever the count is one. */
	if (count && (count < 8 || count & (count - 1)))
		return array;

	void *more = realloc(array, (count ? (size_t)count * 2 : 8) * bytes);

	if (!more)
		fold->status = -ENOMEM;
	return more ? more : array;
}

static uint32_t new_stint(struct fold *fold, enum meter_layer layer)
{
	fold->stint = grow(fold, fold->stint, fold->stints, sizeof(*fold->stint));
	if (fold->status)
		return 0;
	fold->stint[fold->stints] = (struct stint){ .layer = layer };
	return fold->stints++;
}

static uint32_t new_segment(struct fold *fold, struct layer_state *state)
{
	fold->segment = grow(fold, fold->segment, fold->segments, sizeof(*fold->segment));
	if (fold->status)
		return 0;
	fold->segment[fold->segments] = (struct segment){
		.layer = fold->layer,
		.stint = state->stint,
		.from_exit = state->from_exit,
	};
	state->from_exit = false;
	return fold->segments++;
}

static void add_root(struct fold *fold, const char *context)
{
	uint32_t cause = make_name(fold, fold->layer == METER_HOST ? "host" : "guest", context);

	for (uint32_t i = 0; i < fold->roots; i++) {
		if (fold->root[i].cause == cause) {
			fold->root[i].count++;
			return;
		}
	}
	fold->root = grow(fold, fold->root, fold->roots, sizeof(*fold->root));
	if (!fold->status)
		fold->root[fold->roots++] = (struct meter_root){ .cause = cause, .count = 1 };
}

static void push_frame(struct fold *fold, struct layer_state *state, enum frame_kind kind, uint32_t context)
{
	if (state->frames < MAX_FRAMES)
		state->frame[state->frames++] = (struct frame){ .kind = kind, .context = context };
	state->segment = NO_SEGMENT;
	add_root(fold, names_text(fold->folder->names, context));
}

/* Ends the innermost frame of a kind, and what is inside it. */
static void pop_frame(struct layer_state *state, enum frame_kind kind)
{
	for (uint32_t i = state->frames; i-- > 0;) {
		if (state->frame[i].kind == kind) {
			state->frames = i;
			state->segment = NO_SEGMENT;
			return;
		}
	}
}

static bool inside(const struct layer_state *state, enum frame_kind kind)
{
	for (uint32_t i = 0; i < state->frames; i++) {
		if (state->frame[i].kind == kind)
			return true;
	}
	return false;
}

static void switch_task(struct fold *fold, struct layer_state *state)
{
	state->frames = 0;
	state->segment = NO_SEGMENT;
	state->stint = new_stint(fold, fold->layer);
}

static void enter(struct fold *fold, struct layer_state *state, const struct view *view)
{
	_cleanup_free_ char *context = meter_class_entry(names_text(fold->folder->names, view->function));
	uint32_t name = context ? plain_name(fold, context) : 0;

	if (!name)
		fold->status = -ENOMEM;
	push_frame(fold, state, FRAME_IRQ, name);
}

/* Does the block begin a function that was called through a pointer, by a function of this class? */
static bool called_by(const struct layer_state *state, const struct view *view, enum meter_class class)
{
	if (!view->start || view->class == METER_CLASS_NOISE || view->class == METER_CLASS_THUNK || !state->last)
		return false;
	if (state->last_class == METER_CLASS_THUNK)
		return state->caller_class == class;
	return state->last_class == class && state->last->flags & METER_BLOCK_INDIRECT &&
	       state->last->flags & METER_BLOCK_CALL;
}

static void note_task(struct fold *fold, const struct layer_state *state, const struct view *view)
{
	struct stint *stint = &fold->stint[state->stint];

	switch ((enum meter_class)view->class) {
	case METER_CLASS_USER:
		stint->user = true;
		break;
	case METER_CLASS_WORK:
	case METER_CLASS_WORKER:
		stint->worker = true;
		break;
	case METER_CLASS_KVM:
		stint->vcpu |= fold->layer == METER_HOST;
		break;
	case METER_CLASS_IDLE:
		stint->idle = true;
		stint->thread = view->function;
		break;
	case METER_CLASS_THREAD:
		stint->thread = view->function;
		break;
	case METER_CLASS_PLAIN:
	case METER_CLASS_ENTRY:
	case METER_CLASS_STUB:
	case METER_CLASS_SOFTIRQ:
	case METER_CLASS_SWITCH:
	case METER_CLASS_THUNK:
	case METER_CLASS_NOISE:
	case METER_CLASS_MAX:
		break;
	}
}

static void leave_frames(struct layer_state *state, const struct view *view)
{
	if (state->last && state->last->flags & METER_BLOCK_IRET)
		pop_frame(state, FRAME_IRQ);
	if (view->class == METER_CLASS_WORK)
		pop_frame(state, FRAME_WORK);
	if (view->class == METER_CLASS_SOFTIRQ)
		pop_frame(state, FRAME_SOFTIRQ);
}

static void enter_frames(struct fold *fold, struct layer_state *state, const struct view *view)
{
	const char *name = names_text(fold->folder->names, view->function);

	if (view->class == METER_CLASS_ENTRY && view->start)
		enter(fold, state, view);
	else if (called_by(state, view, METER_CLASS_WORK))
		push_frame(fold, state, FRAME_WORK, make_name(fold, "kworker", name));
	else if (called_by(state, view, METER_CLASS_SOFTIRQ) && !inside(state, FRAME_SOFTIRQ))
		push_frame(fold, state, FRAME_SOFTIRQ, make_name(fold, "softirq", meter_class_softirq(name)));
	else if (view->class == METER_CLASS_SWITCH && view->start)
		switch_task(fold, state);
}

static uint32_t context_of(struct fold *fold, struct layer_state *state)
{
	if (state->frames)
		return state->frame[state->frames - 1].context;
	if (state->segment == NO_SEGMENT)
		state->segment = new_segment(fold, state);
	return SEGMENT_CONTEXT | state->segment;
}

static void charge(struct fold *fold, const struct meter_cost *key, uint64_t insns)
{
	if (meter_costs_add(&fold->costs, key, insns))
		fold->status = -ENOMEM;
}

static void follow_path(struct fold *fold, uint32_t function)
{
	uint32_t step = function << 1 | fold->layer;

	if (fold->path_last == step)
		return;
	fold->path_last = step;
	fold->path = (fold->path ^ step) * 0x100000001b3ULL;
}

static void change_layer(struct fold *fold, enum meter_layer layer)
{
	struct layer_state *host = &fold->state[METER_HOST];

	if (fold->begun && layer == METER_GUEST && host->any) {
		if (host->segment != NO_SEGMENT && host->segment < fold->segments)
			fold->segment[host->segment].to_vmrun = true;
		fold->stint[host->stint].vcpu = true;
	}
	if (fold->begun && layer == METER_HOST) {
		host->from_exit = true;
		host->segment = NO_SEGMENT;
	}
	fold->layer = layer;
}

static void begin_layer(struct fold *fold, struct layer_state *state)
{
	if (state->any)
		return;
	state->any = true;
	state->segment = NO_SEGMENT;
	state->stint = new_stint(fold, fold->layer);
	if (!fold->status)
		fold->stint[state->stint].outer = true;
}

static void remember(struct layer_state *state, const struct known_block *block, const struct view *view)
{
	if (view->class == METER_CLASS_THUNK && state->last_class != METER_CLASS_THUNK)
		state->caller_class = state->last_class;
	state->last = block;
	state->last_class = view->class;
}

static void execute(struct fold *fold, struct known_block *block, enum meter_layer layer, int64_t insns)
{
	struct layer_state *state = &fold->state[layer];
	const struct view *view = view_of(fold->folder, block, layer);

	if (!fold->begun || layer != fold->layer)
		change_layer(fold, layer);
	fold->begun = true;
	begin_layer(fold, state);
	if (fold->status)
		return;
	leave_frames(state, view);
	enter_frames(fold, state, view);
	if (fold->status)
		return;
	note_task(fold, state, view);
	if (layer == METER_HOST && state->from_exit)
		fold->stint[state->stint].vcpu = true;

	const struct meter_cost key = { .layer = layer, .context = context_of(fold, state), .function = view->function };

	charge(fold, &key, (uint64_t)insns);
	fold->insns[layer] += (uint64_t)insns;
	fold->tracer[layer] += view->tracer ? (uint64_t)insns : 0;
	follow_path(fold, view->function);
	remember(state, block, view);
}

struct cursor {
	struct known_block *block; /* that began last */
	enum meter_layer layer;
	uint32_t cut; /* to be taken off the next block */
};

static int apply(struct fold *fold, struct cursor *cursor, const struct meter_step_value *step)
{
	switch (step->kind) {
	case METER_STEP_BLOCK:
		if (step->value >= fold->folder->blocks)
			return -EINVAL;
		cursor->block = &fold->folder->block[step->value];
		cursor->layer = step->layer;
		execute(fold, cursor->block, step->layer, (int64_t)cursor->block->insns - cursor->cut);
		cursor->cut = 0;
		return fold->status;
	case METER_STEP_CUT:
		cursor->cut += step->value;
		return 0;
	case METER_STEP_REP:
		return 0;
	case METER_STEP_REPEAT:
		if (!cursor->block)
			return -EINVAL;
		execute(fold, cursor->block, cursor->layer, (int64_t)cursor->block->insns * step->value);
		return fold->status;
	}
	return -EINVAL;
}

static int take_steps(struct fold *fold, const struct meter_gap_record *record, const uint8_t *steps,
		      struct cursor *cursor)
{
	const uint8_t *end = steps + record->step_bytes;
	struct meter_step_value step;

	cursor->cut = record->head_skip;
	while (steps < end) {
		int rc = meter_step_next(&steps, end, &step) ? apply(fold, cursor, &step) : -EINVAL;

		if (rc)
			return rc;
	}
	return 0;
}

/* The last block goes on behind the mark that ended the gap. */
static void cut_tail(struct fold *fold, const struct cursor *cursor, uint32_t tail_skip)
{
	struct layer_state *state;
	struct meter_cost key;

	if (!cursor->block)
		return;
	state = &fold->state[cursor->layer];
	key = (struct meter_cost){ .layer = cursor->layer,
				   .context = context_of(fold, state),
				   .function = cursor->block->view[cursor->layer].function };
	if (fold->status)
		return;
	charge(fold, &key, -(uint64_t)tail_skip);
	fold->insns[cursor->layer] -= tail_skip;
}

static uint32_t name_of_stint(struct fold *fold, const struct stint *stint, const struct segment *segment)
{
	if (stint->vcpu && segment->from_exit)
		return plain_name(fold, "kvm_exit");
	if (stint->vcpu && segment->to_vmrun)
		return plain_name(fold, "kvm_entry");
	if (stint->vcpu)
		return plain_name(fold, "kvm");
	if (stint->worker)
		return plain_name(fold, "kworker");
	if (stint->outer && stint->layer == fold->probe_layer)
		return plain_name(fold, "probe");
	if (stint->thread)
		return make_name(fold, "task", meter_class_thread(names_text(fold->folder->names, stint->thread)));
	return plain_name(fold, "task");
}

static void name_segments(struct fold *fold)
{
	for (int i = 0; i < METER_LAYERS; i++) {
		if (fold->state[i].any)
			fold->stint[fold->state[i].stint].outer = true;
	}
	for (uint32_t i = 0; i < fold->costs.slots; i++) {
		struct meter_cost *cost = &fold->costs.slot[i];

		if (cost->function && cost->context & SEGMENT_CONTEXT) {
			const struct segment *segment = &fold->segment[cost->context & ~SEGMENT_CONTEXT];

			cost->context = name_of_stint(fold, &fold->stint[segment->stint], segment);
		}
	}
}

/* Other programs and kernel threads that ran, once each. */
static void add_task_roots(struct fold *fold)
{
	for (uint32_t i = 0; i < fold->stints && !fold->status; i++) {
		const struct stint *stint = &fold->stint[i];
		const char *thread = names_text(fold->folder->names, stint->thread);

		if (stint->vcpu || stint->worker || stint->idle || stint->outer || !(stint->user || stint->thread))
			continue;
		fold->layer = stint->layer;
		if (stint->user) {
			add_root(fold, "task");
		} else {
			_cleanup_free_ char *context = str_printf("task/%s", meter_class_thread(thread));

			if (context)
				add_root(fold, context);
		}
	}
}

/* Work items before tasks before interrupts: the rank that is present decides what the roots are. */
static int rank_of(const char *cause)
{
	const char *class = strchr(cause, '/') + 1;

	if (!strncmp(class, "kworker/", 8))
		return 4;
	if (!strncmp(class, "task", 4))
		return 3;
	if (!strncmp(class, "irq/", 4) || !strncmp(class, "nmi", 3))
		return 2;
	return !strncmp(class, "softirq/", 8) ? 1 : 0;
}

static void keep_highest_roots(struct fold *fold)
{
	int highest = 0;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < fold->roots; i++) {
		int rank = rank_of(names_text(fold->folder->names, fold->root[i].cause));

		highest = rank > highest ? rank : highest;
	}
	for (uint32_t i = 0; i < fold->roots; i++) {
		if (rank_of(names_text(fold->folder->names, fold->root[i].cause)) == highest)
			fold->root[kept++] = fold->root[i];
	}
	fold->roots = kept;
}

static void finish(struct fold *fold, const struct meter_gap_record *record, struct meter_gap *gap)
{
	name_segments(fold);
	add_task_roots(fold);
	keep_highest_roots(fold);
	gap->whole = record->steps_head + (uint64_t)record->steps_tail == record->steps && record->steps &&
		     fold->insns[METER_HOST] == record->insns[METER_HOST] &&
		     fold->insns[METER_GUEST] == record->insns[METER_GUEST];
	for (int i = 0; i < METER_LAYERS; i++)
		gap->tracer[i] = fold->tracer[i];
	gap->path = fold->path;
	gap->costs = meter_costs_take(&fold->costs, &gap->cost);
	gap->roots = fold->roots;
	gap->root = TAKE_PTR(fold->root);
}

int meter_folder_gap(struct meter_folder *folder, const struct meter_gap_record *record, const uint8_t *steps,
		     enum meter_layer probe_layer, struct meter_gap *gap)
{
	struct fold fold = { .folder = folder, .probe_layer = probe_layer, .path = 0xcbf29ce484222325ULL };
	struct cursor cursor = { 0 };
	int rc = take_steps(&fold, record, steps, &cursor);

	if (!rc) {
		cut_tail(&fold, &cursor, record->tail_skip);
		finish(&fold, record, gap);
		rc = fold.status;
	}
	free(fold.segment);
	free(fold.stint);
	meter_costs_done(&fold.costs);
	free(fold.root);
	return rc;
}
