// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/exact/meter_context.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fs.h"

#define MAX_FRAMES 8
#define NO_SEGMENT UINT32_MAX
#define PLACEHOLDER 0x80000000U /* with the number of a segment */

enum frame_kind { FRAME_IRQ, FRAME_WORK, FRAME_SOFTIRQ, FRAME_THROTTLE, FRAME_FLUSH };

struct frame {
	enum frame_kind kind;
	uint32_t context; /* name */
};

/* What runs outside any frame, between two interruptions. */
struct segment {
	uint32_t stint;
	bool from_exit; /* begins with #VMEXIT */
	bool to_vmrun;	/* ends with VMRUN */
};

/* One task's time on the CPU, from one change of tasks to the next. */
struct stint {
	uint32_t layer;
	bool vcpu;
	bool worker;
	bool user;
	bool idle;
	bool outer;	 /* the first or last of the gap in its layer */
	uint32_t thread; /* name of a main function seen; 0: none */
	uint32_t call;	 /* context of what it called itself; 0: nothing that counts */
	uint32_t calls;
};

struct layer_state {
	struct frame frame[MAX_FRAMES];
	uint32_t frames;
	uint32_t segment; /* index; NO_SEGMENT: begins with the next block */
	uint32_t stint;
	bool any;	     /* something ran */
	bool from_exit;	     /* the next segment begins with #VMEXIT */
	uint32_t last_flags; /* of the block before */
	enum meter_class last_class;
	enum meter_class caller_class; /* of the block before a retpoline */
};

struct meter_contexts {
	struct names *names;
	enum meter_layer probe_layer;
	enum meter_layer layer;
	bool begun;
	struct layer_state state[METER_LAYERS];
	struct segment *segment;
	uint32_t segments;
	struct stint *stint;
	uint32_t stints;
	struct meter_root *root;
	uint32_t roots;
	int status;
};

struct meter_contexts *meter_contexts_new(struct names *names, enum meter_layer probe_layer)
{
	struct meter_contexts *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->names = names;
	c->probe_layer = probe_layer;
	return c;
}

void meter_contexts_free(struct meter_contexts *contexts)
{
	if (!contexts)
		return;
	free(contexts->segment);
	free(contexts->stint);
	free(contexts->root);
	free(contexts);
}

static uint32_t plain_name(struct meter_contexts *c, const char *name)
{
	return names_intern(c->names, name, SIZE_MAX);
}

/* "prefix/name" as a context. */
static uint32_t make_name(struct meter_contexts *c, const char *prefix, const char *name)
{
	_cleanup_free_ char *text = str_printf("%s/%s", prefix, name);
	uint32_t id = text ? plain_name(c, text) : 0;

	if (!id)
		c->status = -ENOMEM;
	return id;
}

static void *grow(struct meter_contexts *c, void *array, uint32_t count, size_t bytes)
{
	/* Powers of two from 8 on: full whenever the count is one. */
	if (count && (count < 8 || count & (count - 1)))
		return array;

	void *more = realloc(array, (count ? (size_t)count * 2 : 8) * bytes);

	if (!more)
		c->status = -ENOMEM;
	return more ? more : array;
}

static uint32_t new_stint(struct meter_contexts *c)
{
	c->stint = grow(c, c->stint, c->stints, sizeof(*c->stint));
	if (c->status)
		return 0;
	c->stint[c->stints] = (struct stint){ .layer = c->layer };
	return c->stints++;
}

static uint32_t new_segment(struct meter_contexts *c, struct layer_state *state)
{
	c->segment = grow(c, c->segment, c->segments, sizeof(*c->segment));
	if (c->status)
		return 0;
	c->segment[c->segments] = (struct segment){ .stint = state->stint, .from_exit = state->from_exit };
	state->from_exit = false;
	return c->segments++;
}

static void add_root(struct meter_contexts *c, const char *context)
{
	uint32_t cause = make_name(c, c->layer == METER_HOST ? "host" : "guest", context);

	for (uint32_t i = 0; i < c->roots; i++) {
		if (c->root[i].cause == cause) {
			c->root[i].count++;
			return;
		}
	}
	c->root = grow(c, c->root, c->roots, sizeof(*c->root));
	if (!c->status)
		c->root[c->roots++] = (struct meter_root){ .cause = cause, .count = 1 };
}

static void remove_root(struct meter_contexts *c, const char *context)
{
	uint32_t cause = make_name(c, c->layer == METER_HOST ? "host" : "guest", context);

	for (uint32_t i = 0; i < c->roots; i++) {
		if (c->root[i].cause != cause)
			continue;
		if (--c->root[i].count == 0)
			c->root[i] = c->root[--c->roots];
		return;
	}
}

static void push_frame(struct layer_state *state, enum frame_kind kind, uint32_t context)
{
	if (state->frames < MAX_FRAMES)
		state->frame[state->frames++] = (struct frame){ .kind = kind, .context = context };
	state->segment = NO_SEGMENT;
}

static void push_root(struct meter_contexts *c, struct layer_state *state, enum frame_kind kind, uint32_t context)
{
	push_frame(state, kind, context);
	add_root(c, names_text(c->names, context));
}

/* An interrupt without a meaning of its own is called after the first thing that it calls; others are further causes.
 */
static void name_call(struct meter_contexts *c, struct layer_state *state, const char *function)
{
	struct frame *frame = state->frames ? &state->frame[state->frames - 1] : NULL;
	const char *context = frame ? names_text(c->names, frame->context) : "";

	if (strncmp(context, "irq/call_function", strlen("irq/call_function")) == 0)
		remove_root(c, context);
	else if (strncmp(context, "ipi/", strlen("ipi/")) != 0)
		return;
	frame->context = make_name(c, "ipi", function);
	add_root(c, names_text(c->names, frame->context));
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

static void switch_task(struct meter_contexts *c, struct layer_state *state)
{
	state->frames = 0;
	state->segment = NO_SEGMENT;
	state->stint = new_stint(c);
}

static void enter(struct meter_contexts *c, struct layer_state *state, const char *function)
{
	_cleanup_free_ char *context = meter_class_entry(function);
	uint32_t name = context ? plain_name(c, context) : 0;

	if (!name)
		c->status = -ENOMEM;
	push_root(c, state, FRAME_IRQ, name);
}

static void enter_call(struct meter_contexts *c, struct layer_state *state, uint32_t context)
{
	push_frame(state, FRAME_FLUSH, context);
	c->stint[state->stint].call = context;
	c->stint[state->stint].calls++;
}

/* Does the block begin a function that was called through a pointer, by a function of this class? */
static bool called_by(const struct layer_state *state, const struct meter_place *place, enum meter_class class)
{
	const uint32_t indirect_call = METER_BLOCK_INDIRECT | METER_BLOCK_CALL;

	if (!place->start || place->class == METER_CLASS_NOISE || place->class == METER_CLASS_THUNK)
		return false;
	if (state->last_class == METER_CLASS_THUNK)
		return state->caller_class == class;
	return state->last_class == class && (state->last_flags & indirect_call) == indirect_call;
}

static void note_task(struct meter_contexts *c, const struct layer_state *state, const struct meter_place *place)
{
	struct stint *stint = &c->stint[state->stint];

	stint->vcpu |= c->layer == METER_HOST && state->from_exit;
	switch (place->class) {
	case METER_CLASS_USER:
		stint->user = true;
		break;
	case METER_CLASS_WORK:
	case METER_CLASS_WORKER:
		stint->worker = true;
		break;
	case METER_CLASS_KVM:
		stint->vcpu |= c->layer == METER_HOST;
		break;
	case METER_CLASS_IDLE:
		stint->idle = true;
		stint->thread = place->function;
		break;
	case METER_CLASS_THREAD:
		stint->thread = place->function;
		break;
	case METER_CLASS_PLAIN:
	case METER_CLASS_ENTRY:
	case METER_CLASS_STUB:
	case METER_CLASS_IPI:
	case METER_CLASS_SOFTIRQ:
	case METER_CLASS_SWITCH:
	case METER_CLASS_THROTTLE:
	case METER_CLASS_RECLAIM:
	case METER_CLASS_FLUSH:
	case METER_CLASS_FLUSHER:
	case METER_CLASS_THUNK:
	case METER_CLASS_NOISE:
	case METER_CLASS_MAX:
		break;
	}
}

static void leave_frames(struct layer_state *state, const struct meter_place *place)
{
	if (state->last_flags & METER_BLOCK_IRET)
		pop_frame(state, FRAME_IRQ);
	if (place->class == METER_CLASS_WORK)
		pop_frame(state, FRAME_WORK);
	if (place->class == METER_CLASS_SOFTIRQ)
		pop_frame(state, FRAME_SOFTIRQ);
	if (place->class == METER_CLASS_RECLAIM)
		pop_frame(state, FRAME_THROTTLE);
	if (place->class == METER_CLASS_FLUSHER)
		pop_frame(state, FRAME_FLUSH);
}

static void enter_frames(struct meter_contexts *c, struct layer_state *state, const struct meter_place *place)
{
	const char *name = names_text(c->names, place->function);

	if (place->class == METER_CLASS_ENTRY && place->start)
		enter(c, state, name);
	else if (called_by(state, place, METER_CLASS_WORK))
		push_root(c, state, FRAME_WORK, make_name(c, "kworker", name));
	else if (called_by(state, place, METER_CLASS_IPI))
		name_call(c, state, name);
	else if (called_by(state, place, METER_CLASS_SOFTIRQ) && !inside(state, FRAME_SOFTIRQ))
		push_root(c, state, FRAME_SOFTIRQ, make_name(c, "softirq", meter_class_softirq(name)));
	else if (place->class == METER_CLASS_THROTTLE && place->start)
		push_frame(state, FRAME_THROTTLE, plain_name(c, "throttle"));
	else if (place->class == METER_CLASS_FLUSH && place->start)
		enter_call(c, state, make_name(c, "call", name));
	else if (place->class == METER_CLASS_SWITCH && place->start)
		switch_task(c, state);
}

static void change_layer(struct meter_contexts *c, enum meter_layer layer)
{
	struct layer_state *host = &c->state[METER_HOST];

	if (c->begun && layer == METER_GUEST && host->any) {
		if (host->segment != NO_SEGMENT)
			c->segment[host->segment].to_vmrun = true;
		c->stint[host->stint].vcpu = true;
	}
	if (c->begun && layer == METER_HOST) {
		host->from_exit = true;
		host->segment = NO_SEGMENT;
	}
	c->layer = layer;
	c->begun = true;
}

static void begin_layer(struct meter_contexts *c, struct layer_state *state)
{
	if (state->any)
		return;
	state->segment = NO_SEGMENT;
	state->stint = new_stint(c);
	state->any = !c->status;
	if (state->any)
		c->stint[state->stint].outer = true;
}

static void remember(struct layer_state *state, const struct meter_place *place)
{
	if (place->class == METER_CLASS_THUNK && state->last_class != METER_CLASS_THUNK)
		state->caller_class = state->last_class;
	state->last_flags = place->flags;
	state->last_class = place->class;
}

static uint32_t context_of(struct meter_contexts *c, struct layer_state *state)
{
	if (state->frames)
		return state->frame[state->frames - 1].context;
	if (state->segment == NO_SEGMENT)
		state->segment = new_segment(c, state);
	return PLACEHOLDER | state->segment;
}

int meter_contexts_step(struct meter_contexts *contexts, enum meter_layer layer, const struct meter_place *place,
			uint32_t *ret)
{
	struct layer_state *state = &contexts->state[layer];

	if (!contexts->begun || layer != contexts->layer)
		change_layer(contexts, layer);
	begin_layer(contexts, state);
	if (!contexts->status) {
		leave_frames(state, place);
		enter_frames(contexts, state, place);
	}
	if (contexts->status)
		return contexts->status;
	note_task(contexts, state, place);
	*ret = context_of(contexts, state);
	remember(state, place);
	return contexts->status;
}

/* Other programs and kernel threads that ran, once each. */
static void add_task_roots(struct meter_contexts *c)
{
	for (uint32_t i = 0; i < c->stints && !c->status; i++) {
		const struct stint *stint = &c->stint[i];

		if (stint->vcpu || stint->worker || stint->idle || stint->outer || !(stint->user || stint->thread))
			continue;
		c->layer = stint->layer;
		if (stint->user)
			add_root(c, "task");
		else
			add_root(c, names_text(c->names,
					       make_name(c, "task",
							 meter_class_thread(names_text(c->names, stint->thread)))));
	}
}

/* What the measured program itself called; between two interruptions it may not have left the kernel. */
static void add_call_roots(struct meter_contexts *c)
{
	for (uint32_t i = 0; i < c->stints && !c->status; i++) {
		const struct stint *stint = &c->stint[i];

		if (stint->worker || stint->idle || stint->thread || (stint->user && !stint->outer))
			continue;
		c->layer = stint->layer;
		for (uint32_t k = 0; k < stint->calls && !c->status; k++)
			add_root(c, names_text(c->names, stint->call));
	}
}

/* Work items before tasks before interrupts: the rank that is present decides what the roots are. */
static int rank_of(const char *cause)
{
	const char *slash = strchr(cause, '/');
	const char *class = slash ? slash + 1 : cause;

	if (!strncmp(class, "kworker/", 8))
		return 4;
	if (!strncmp(class, "task", 4) || !strncmp(class, "call/", 5))
		return 3;
	if (!strncmp(class, "irq/", 4) || !strncmp(class, "ipi/", 4) || !strncmp(class, "nmi", 3))
		return 2;
	return !strncmp(class, "softirq/", 8) ? 1 : 0;
}

/* Who flushes a work item puts a barrier behind it, which the same worker runs next: one interruption. */
static bool is_barrier(const struct meter_contexts *c, const struct meter_root *root)
{
	const char *cause = names_text(c->names, root->cause);

	return rank_of(cause) == 4 && !strcmp(strrchr(cause, '/'), "/wq_barrier_func");
}

static void drop_barriers(struct meter_contexts *c)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < c->roots; i++)
		if (i == 0 || !is_barrier(c, &c->root[i]))
			c->root[kept++] = c->root[i];
	c->roots = kept;
}

static void keep_highest_roots(struct meter_contexts *c)
{
	int highest = 0;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < c->roots; i++) {
		int rank = rank_of(names_text(c->names, c->root[i].cause));

		highest = rank > highest ? rank : highest;
	}
	for (uint32_t i = 0; i < c->roots; i++) {
		if (rank_of(names_text(c->names, c->root[i].cause)) == highest)
			c->root[kept++] = c->root[i];
	}
	c->roots = kept;
}

int meter_contexts_finish(struct meter_contexts *contexts)
{
	for (int i = 0; i < METER_LAYERS; i++) {
		if (contexts->state[i].any)
			contexts->stint[contexts->state[i].stint].outer = true;
	}
	add_task_roots(contexts);
	add_call_roots(contexts);
	keep_highest_roots(contexts);
	drop_barriers(contexts);
	return contexts->status;
}

static uint32_t name_of_segment(struct meter_contexts *c, const struct segment *segment)
{
	const struct stint *stint = &c->stint[segment->stint];

	if (stint->vcpu && segment->from_exit)
		return plain_name(c, "kvm_exit");
	if (stint->vcpu && segment->to_vmrun)
		return plain_name(c, "kvm_entry");
	if (stint->vcpu)
		return plain_name(c, "kvm");
	if (stint->worker)
		return plain_name(c, "kworker");
	if (stint->outer && stint->layer == c->probe_layer)
		return plain_name(c, "probe");
	if (stint->thread)
		return make_name(c, "task", meter_class_thread(names_text(c->names, stint->thread)));
	return plain_name(c, "task");
}

uint32_t meter_contexts_name(struct meter_contexts *contexts, uint32_t context)
{
	if (!(context & PLACEHOLDER))
		return context;
	return name_of_segment(contexts, &contexts->segment[context & ~PLACEHOLDER]);
}

size_t meter_contexts_take_roots(struct meter_contexts *contexts, struct meter_root **ret)
{
	*ret = TAKE_PTR(contexts->root);
	return contexts->roots;
}
