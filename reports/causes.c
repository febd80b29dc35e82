// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/causes.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/fs.h"

#define FIRST_SLOTS 256 /* a power of two */

/* How a class is written. */
struct spelling {
	const char *word;
	bool has_layer;
	bool has_name;
	unsigned int rank;
};

static const struct spelling spellings[CAUSE_CLASS_MAX] = {
	[CAUSE_UNEXPLAINED] = { "unexplained", false, false, 0 },
	[CAUSE_BELOW_HOST] = { "below-host", false, false, 1 },
	[CAUSE_PENDING] = { "pending", true, false, 0 },
	[CAUSE_KERNEL] = { "kernel", true, false, 2 },
	[CAUSE_IDLE] = { "idle", true, false, 2 },
	[CAUSE_CSTATE] = { "cstate", true, true, 2 },
	[CAUSE_HALTED] = { "halted", true, false, 2 },
	[CAUSE_EXIT] = { "exit", true, true, 3 },
	[CAUSE_SOFTIRQ] = { "softirq", true, true, 4 },
	[CAUSE_NMI] = { "nmi", true, true, 5 },
	[CAUSE_IRQ] = { "irq", true, true, 5 },
	[CAUSE_IPI] = { "ipi", true, true, 5 },
	[CAUSE_CALL] = { "call", true, true, 6 },
	[CAUSE_WAIT] = { "wait", true, true, 6 },
	[CAUSE_TRACER] = { "tracer", false, false, 7 },
	[CAUSE_STIMULUS] = { "stimulus", true, false, 7 },
	[CAUSE_TASK] = { "task", true, true, 7 },
	[CAUSE_VMM] = { "vmm", true, true, 7 },
	[CAUSE_KWORKER] = { "kworker", true, true, 7 },
	[CAUSE_HANG] = { "hang", true, true, 7 },
};

static const char *const layer_words[TRACE_LAYER_MAX] = { "host", "guest" };

struct cause {
	char *text;
	enum trace_layer layer;
	enum cause_class class;
	uint32_t name;
};

struct causes {
	struct names *names;
	struct cause *item;
	uint32_t count;
	uint32_t *slot;	  /* open addressing; 0: empty, else number + 1 */
	uint32_t n_slots; /* a power of two, at least twice count */
};

struct causes *causes_new(struct names *names)
{
	struct causes *causes = calloc(1, sizeof(*causes));

	if (!causes)
		return NULL;
	causes->names = names;
	causes->n_slots = FIRST_SLOTS;
	causes->slot = calloc(FIRST_SLOTS, sizeof(*causes->slot));
	causes->item = calloc(FIRST_SLOTS / 2, sizeof(*causes->item));
	if (causes->slot && causes->item) {
		causes_get(causes, TRACE_HOST, CAUSE_UNEXPLAINED, 0);
		if (causes->count == 1)
			return causes;
	}
	causes_free(causes);
	errno = ENOMEM;
	return NULL;
}

void causes_free(struct causes *causes)
{
	if (!causes)
		return;
	for (uint32_t i = 0; i < causes->count; i++)
		free(causes->item[i].text);
	free(causes->item);
	free(causes->slot);
	free(causes);
}

static uint32_t *find_slot(struct causes *causes, const struct cause *want)
{
	uint32_t i = want->name * 0x9e3779b1U + (uint32_t)want->class * 31 + (uint32_t)want->layer;

	for (i &= causes->n_slots - 1;; i = (i + 1) & (causes->n_slots - 1)) {
		const struct cause *have;

		if (!causes->slot[i])
			return &causes->slot[i];
		have = &causes->item[causes->slot[i] - 1];
		if (have->name == want->name && have->class == want->class && have->layer == want->layer)
			return &causes->slot[i];
	}
}

static bool grow(struct causes *causes)
{
	uint32_t n = causes->n_slots * 2;
	struct cause *item;
	uint32_t *slot;

	if ((causes->count + 1) * 2 <= causes->n_slots)
		return true;
	slot = calloc(n, sizeof(*slot));
	item = slot ? reallocarray(causes->item, n / 2, sizeof(*item)) : NULL;
	if (!item) {
		free(slot);
		return false;
	}
	free(causes->slot);
	causes->slot = slot;
	causes->item = item;
	causes->n_slots = n;
	for (uint32_t i = 0; i < causes->count; i++)
		*find_slot(causes, &item[i]) = i + 1;
	return true;
}

static char *spell(const struct causes *causes, const struct cause *cause)
{
	const struct spelling *s = &spellings[cause->class];
	const char *layer = layer_words[cause->layer];
	const char *name = names_text(causes->names, cause->name);

	if (!s->has_layer)
		return strdup(s->word);
	if (!s->has_name)
		return str_printf("%s/%s", layer, s->word);
	return str_printf("%s/%s/%s", layer, s->word, *name ? name : "unknown");
}

uint32_t causes_get(struct causes *causes, enum trace_layer layer, enum cause_class class, uint32_t name)
{
	struct cause want = { .class = class };
	uint32_t *slot;

	if (spellings[class].has_layer)
		want.layer = layer;
	if (spellings[class].has_name)
		want.name = name;
	slot = find_slot(causes, &want);
	if (*slot)
		return *slot - 1;
	if (!grow(causes))
		return CAUSE_ID_UNEXPLAINED;
	want.text = spell(causes, &want);
	if (!want.text)
		return CAUSE_ID_UNEXPLAINED;
	causes->item[causes->count] = want;
	*find_slot(causes, &want) = ++causes->count;
	return causes->count - 1;
}

/* The class that a word names, e.g. "kworker/vmstat_update"; sets the place of its name. */
static int parse_class(const char *text, bool has_layer, const char **ret_name)
{
	for (int i = 0; i < CAUSE_CLASS_MAX; i++) {
		size_t len = strlen(spellings[i].word);

		if (spellings[i].has_layer != has_layer || strncmp(text, spellings[i].word, len) != 0)
			continue;
		*ret_name = spellings[i].has_name ? text + len + 1 : "";
		if (spellings[i].has_name ? text[len] == '/' && text[len + 1] : !text[len])
			return i;
	}
	return -1;
}

/* The class that a text names, its layer, where it has one, and the place of its name; -1: it is no cause. */
static int parse_text(const char *text, enum trace_layer *ret_layer, const char **ret_name)
{
	int class = parse_class(text, false, ret_name);

	*ret_layer = TRACE_HOST;
	for (int i = 0; class < 0 && i < TRACE_LAYER_MAX; i++) {
		size_t len = strlen(layer_words[i]);

		if (strncmp(text, layer_words[i], len) != 0 || text[len] != '/')
			continue;
		class = parse_class(text + len + 1, true, ret_name);
		*ret_layer = (enum trace_layer)i;
	}
	return class;
}

bool causes_can_name(const char *text)
{
	enum trace_layer layer;
	const char *name;

	return parse_text(text, &layer, &name) >= 0;
}

int64_t causes_parse(struct causes *causes, const char *text)
{
	enum trace_layer layer;
	const char *name;
	int class = parse_text(text, &layer, &name);

	if (class < 0)
		return -1;
	return causes_get(causes, layer, (enum cause_class) class, names_intern(causes->names, name, NAMES_MAX_CHARS));
}

const char *causes_text(const struct causes *causes, uint32_t id)
{
	return causes->item[id < causes->count ? id : CAUSE_ID_UNEXPLAINED].text;
}

enum cause_class causes_class(const struct causes *causes, uint32_t id)
{
	return causes->item[id < causes->count ? id : CAUSE_ID_UNEXPLAINED].class;
}

uint32_t causes_count(const struct causes *causes)
{
	return causes->count;
}

unsigned int cause_rank(enum cause_class class)
{
	return spellings[class].rank;
}
