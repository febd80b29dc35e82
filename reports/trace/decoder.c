// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/trace/decoder.h"

#include <errno.h>
#include <string.h>

#include "common/fs.h"
#include "common/kprobes.h"
#include "reports/trace/event_format.h"

#define COMMON_BYTES 8 /* u16 event, u8 flags, u8 preemption depth, s32 pid: the same on every kernel with tracefs */
#define FUNCTION_SLOTS 1024
#define SYMBOL_SLOTS 2048 /* exit reasons and softirqs; SVM's reasons end at 0x404 */
#define STACK_FRAMES 16
#define KVM_ISA_VMX 1

enum naming { NAMED_NOT, NAMED_BY_TEXT, NAMED_BY_FUNCTION, NAMED_BY_VALUE, NAMED_BY_EVENT, NAMED_BY_STACK };

/* What is wanted of an event; the fields' names are the kernel's. */
struct wanted {
	const char *system;
	const char *event;
	enum trace_type type;
	enum naming naming;
	const char *name; /* field that @naming reads; NULL: none */
	const char *peer;
	const char *arg;
};

static const struct wanted wanted_events[] = {
	{ "sched", "sched_switch", TRACE_SWITCH, NAMED_BY_TEXT, "next_comm", "next_pid", "prev_state" },
	{ "sched", "sched_wakeup", TRACE_WAKEUP, NAMED_BY_TEXT, "comm", "pid", "target_cpu" },
	{ "sched", "sched_wakeup_new", TRACE_WAKEUP, NAMED_BY_TEXT, "comm", "pid", "target_cpu" },
	{ "workqueue", "workqueue_queue_work", TRACE_WORK_QUEUE, NAMED_BY_FUNCTION, "function", "cpu", "work" },
	{ "workqueue", "workqueue_execute_start", TRACE_WORK_START, NAMED_BY_FUNCTION, "function", NULL, "work" },
	{ "workqueue", "workqueue_execute_end", TRACE_WORK_END, NAMED_BY_FUNCTION, "function", NULL, "work" },
	{ "irq", "irq_handler_entry", TRACE_IRQ_ENTRY, NAMED_BY_TEXT, "name", "irq", NULL },
	{ "irq", "irq_handler_exit", TRACE_IRQ_EXIT, NAMED_NOT, NULL, "irq", NULL },
	{ "irq", "softirq_entry", TRACE_SOFTIRQ_ENTRY, NAMED_BY_VALUE, "vec", "vec", NULL },
	{ "irq", "softirq_exit", TRACE_SOFTIRQ_EXIT, NAMED_BY_VALUE, "vec", "vec", NULL },
	{ "nmi", "nmi_handler", TRACE_NMI, NAMED_BY_FUNCTION, "handler", NULL, "delta_ns" },
	{ "power", "cpu_idle", TRACE_CPU_IDLE, NAMED_NOT, NULL, NULL, "state" },
	{ "kvm", "kvm_exit", TRACE_KVM_EXIT, NAMED_BY_VALUE, "exit_reason", "vcpu_id", "guest_rip" },
	{ "kvm", "kvm_entry", TRACE_KVM_ENTRY, NAMED_NOT, NULL, "vcpu_id", "rip" },
	{ "kvm", "kvm_write_tsc_offset", TRACE_TSC_OFFSET, NAMED_NOT, NULL, "vcpu_id", "next_tsc_offset" },
	{ "ftrace", "kernel_stack", TRACE_STACK, NAMED_BY_STACK, "caller", "size", NULL },
	{ "timer", "timer_expire_entry", TRACE_OTHER, NAMED_BY_FUNCTION, "function", NULL, NULL },
	{ "timer", "hrtimer_expire_entry", TRACE_OTHER, NAMED_BY_FUNCTION, "function", NULL, NULL },
};

struct event_kind {
	enum trace_type type;
	enum naming naming;
	uint32_t event;
	uint32_t fixed_name; /* NAMED_BY_EVENT */
	struct event_field name;
	struct event_field isa; /* of kvm_exit: which processor's reasons */
	struct event_field peer;
	struct event_field arg;
	char *text;	  /* NAMED_BY_VALUE: the description, with the names of values */
	uint32_t *symbol; /* names by isa and value, 0: not looked up yet */
};

struct function_slot {
	uint64_t address;
	uint32_t name;
};

struct decoder {
	enum trace_layer layer;
	struct names *names;
	decoder_find_fn *find;
	void *find_ctx;
	struct event_kind **kind; /* by event number; NULL: unknown */
	struct function_slot function[FUNCTION_SLOTS];
};

struct decoder *decoder_new(enum trace_layer layer, struct names *names)
{
	struct decoder *decoder = calloc(1, sizeof(*decoder));

	if (!decoder)
		return NULL;
	decoder->layer = layer;
	decoder->names = names;
	decoder->kind = calloc(UINT16_MAX + 1, sizeof(*decoder->kind));
	if (decoder->kind)
		return decoder;
	free(decoder);
	errno = ENOMEM;
	return NULL;
}

static void kind_free(struct event_kind *kind)
{
	if (!kind)
		return;
	free(kind->text);
	free(kind->symbol);
	free(kind);
}
DEFINE_CLEANUP(struct event_kind *, kind_free)

void decoder_free(struct decoder *decoder)
{
	if (!decoder)
		return;
	for (size_t i = 0; i <= UINT16_MAX; i++)
		kind_free(decoder->kind[i]);
	free(decoder->kind);
	free(decoder);
}

/* The agent probes functions by events of their names. */
static void want_function(struct event_kind *kind, enum trace_type type)
{
	kind->type = type;
	kind->naming = NAMED_BY_EVENT;
	kind->fixed_name = kind->event;
}

/* Both ends of a call have one name: the event's is what it says of it. */
static void want_call(struct decoder *decoder, struct event_kind *kind, enum trace_type type, const char *what)
{
	want_function(kind, type);
	kind->event = names_intern(decoder->names, what, strlen(what));
}

/* The vectors of irq_vectors differ between kernels; only their _entry and _exit pairs are of use. */
static void want_vector(struct decoder *decoder, struct event_kind *kind, const char *name)
{
	bool is_entry = str_ends_with(name, "_entry");

	if (!is_entry && !str_ends_with(name, "_exit"))
		return;
	kind->type = is_entry ? TRACE_VECTOR_ENTRY : TRACE_VECTOR_EXIT;
	kind->naming = NAMED_BY_EVENT;
	kind->fixed_name = names_intern(decoder->names, name, strlen(name) - strlen(is_entry ? "_entry" : "_exit"));
}

static int want_symbols(struct event_kind *kind, const char *text)
{
	kind->text = strdup(text);
	kind->symbol = calloc(2 * SYMBOL_SLOTS, sizeof(*kind->symbol));
	return kind->text && kind->symbol ? 0 : -ENOMEM;
}

static int want_fields(struct event_kind *kind, const struct wanted *wanted, const char *text)
{
	kind->type = wanted->type;
	kind->naming = wanted->naming;
	if (wanted->name)
		event_format_field(text, wanted->name, &kind->name);
	if (wanted->peer)
		event_format_field(text, wanted->peer, &kind->peer);
	if (wanted->arg)
		event_format_field(text, wanted->arg, &kind->arg);
	if (kind->naming != NAMED_BY_VALUE)
		return 0;
	event_format_field(text, "isa", &kind->isa);
	return want_symbols(kind, text);
}

/* Any other event is shown with the value that it prints by name, as rss_stat with its kind of page. */
static int want_other(struct event_kind *kind, const char *text)
{
	if (kind->type != TRACE_OTHER || kind->naming != NAMED_NOT || !event_format_symbol_field(text, &kind->name))
		return 0;
	kind->naming = NAMED_BY_VALUE;
	return want_symbols(kind, text);
}
int decoder_add(struct decoder *decoder, const char *system, const char *text)
{
	_cleanup_(kind_freep) struct event_kind *kind = NULL;
	char name[128];
	int id = event_format_id(text, name, sizeof(name));
	int r = 0;

	if (id < 0)
		return 0;
	kind = calloc(1, sizeof(*kind));
	if (!kind)
		return -ENOMEM;
	kind->event = names_intern(decoder->names, name, sizeof(name));
	if (strcmp(system, "irq_vectors") == 0)
		want_vector(decoder, kind, name);
	if (strcmp(system, KPROBE_SYSTEM) == 0)
		want_function(kind, TRACE_FUNCTION);
	if (strcmp(system, KPROBE_CALL) == 0)
		want_call(decoder, kind, TRACE_CALL, "call");
	if (strcmp(system, KPROBE_RETURN) == 0)
		want_call(decoder, kind, TRACE_RETURN, "return");
	for (size_t i = 0; i < ARRAY_SIZE(wanted_events); i++)
		if (strcmp(wanted_events[i].event, name) == 0 && strcmp(wanted_events[i].system, system) == 0)
			r = want_fields(kind, &wanted_events[i], text);
	r = r < 0 ? r : want_other(kind, text);
	if (r < 0)
		return r;
	kind_free(decoder->kind[id]);
	decoder->kind[id] = TAKE_PTR(kind);
	return 0;
}

void decoder_set_functions(struct decoder *decoder, decoder_find_fn *find, void *ctx)
{
	decoder->find = find;
	decoder->find_ctx = ctx;
	memset(decoder->function, 0, sizeof(decoder->function));
}

static uint32_t intern_number(struct decoder *decoder, uint64_t value)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);

	return names_intern(decoder->names, text, (size_t)len);
}

static uint32_t name_function(struct decoder *decoder, uint64_t address)
{
	struct function_slot *slot = &decoder->function[(address >> 4 ^ address >> 14) % FUNCTION_SLOTS];
	const char *name;

	if (slot->name && slot->address == address)
		return slot->name;
	name = decoder->find ? decoder->find(decoder->find_ctx, address) : NULL;
	slot->address = address;
	slot->name = name ? names_intern(decoder->names, name, strlen(name)) : intern_number(decoder, address);
	return slot->name;
}

static uint32_t name_value(struct decoder *decoder, struct event_kind *kind, const void *data, size_t len)
{
	uint64_t value = event_field_number(&kind->name, data, len);
	bool is_svm = kind->isa.size && event_field_number(&kind->isa, data, len) != KVM_ISA_VMX;
	char text[NAMES_MAX_CHARS];
	uint32_t *slot;

	if (kind->isa.size && !is_svm)
		value &= 0xffff;
	if (value >= SYMBOL_SLOTS)
		return intern_number(decoder, value);
	slot = &kind->symbol[(is_svm ? SYMBOL_SLOTS : 0) + value];
	if (*slot)
		return *slot;
	if (event_format_symbol(kind->text, is_svm ? 1 : 0, value, text, sizeof(text)))
		*slot = names_intern(decoder->names, text, sizeof(text));
	else
		*slot = intern_number(decoder, value);
	return *slot;
}

/* "queue_work_on vmstat_shepherd process_one_work"; the record tells how many entries it has. */
static uint32_t name_stack(struct decoder *decoder, const struct event_kind *kind, const char *data, size_t len)
{
	uint64_t frames = event_field_number(&kind->peer, data, len);
	char text[NAMES_MAX_CHARS] = "";
	size_t used = 0;

	for (size_t i = 0; i < frames && i < STACK_FRAMES && used < sizeof(text); i++) {
		size_t at = kind->name.offset + i * sizeof(uint64_t);
		uint64_t address;

		if (!kind->name.offset || at + sizeof(address) > len)
			break;
		memcpy(&address, data + at, sizeof(address));
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "",
					 names_text(decoder->names, name_function(decoder, address)));
	}
	return names_intern(decoder->names, text, sizeof(text));
}

static uint32_t name_record(struct decoder *decoder, struct event_kind *kind, const void *data, size_t len)
{
	const char *text;
	size_t max;

	switch (kind->naming) {
	case NAMED_NOT:
		return 0;
	case NAMED_BY_TEXT:
		text = event_field_text(&kind->name, data, len, &max);
		return names_intern(decoder->names, text, max);
	case NAMED_BY_FUNCTION:
		return name_function(decoder, event_field_number(&kind->name, data, len));
	case NAMED_BY_VALUE:
		return name_value(decoder, kind, data, len);
	case NAMED_BY_STACK:
		return name_stack(decoder, kind, data, len);
	case NAMED_BY_EVENT:
		return kind->fixed_name;
	}
	return 0;
}

bool decoder_decode(struct decoder *decoder, const void *data, size_t len, struct trace_event *ret)
{
	struct event_kind *kind;
	uint16_t id;

	if (len < COMMON_BYTES)
		return false;
	memcpy(&id, data, sizeof(id));
	memcpy(&ret->pid, (const char *)data + 4, sizeof(ret->pid));
	ret->layer = (uint8_t)decoder->layer;
	ret->flags = ((const uint8_t *)data)[2];
	kind = decoder->kind[id];
	if (!kind) {
		ret->type = TRACE_OTHER;
		ret->event = ret->name = 0;
		ret->peer = 0;
		ret->arg = 0;
		return true;
	}
	ret->type = (uint8_t)kind->type;
	ret->event = kind->event;
	ret->name = name_record(decoder, kind, data, len);
	ret->peer = (int32_t)event_field_number(&kind->peer, data, len);
	ret->arg = event_field_number(&kind->arg, data, len);
	return true;
}
