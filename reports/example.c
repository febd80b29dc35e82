// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/example.h"

#include <errno.h>
#include <string.h>

#include "common/fs.h"
#include "common/tsc.h"

#define BEFORE_NS 5000000 /* what was queued so long before the gap still is shown with it */
#define BEFORE_EVENTS 8

static const char *const lanes[TRACE_LAYER_MAX] = { "host", "guest" };

struct segment {
	enum trace_layer lane;
	uint64_t t0;
	uint64_t t1;
	uint32_t cause;
};

struct kept_event {
	struct trace_event event;
	uint32_t previous; /* name of the task that was switched out */
};

struct recording {
	struct segment *segment;
	size_t n_segments;
	struct kept_event *event;
	size_t n_events;
	size_t cut; /* events for which there was no room */
};

struct example {
	struct example_params params;
	struct recording *recording; /* one per chosen gap */
	size_t events;		     /* of all recordings */
	size_t segments;
	size_t current;				  /* chosen gap that is open or comes next */
	uint32_t task[TRACE_LAYER_MAX];		  /* name of the current task on the measured CPU */
	struct trace_event before[BEFORE_EVENTS]; /* what lately was asked of a measured CPU */
	unsigned int n_before;
};

struct example *example_new(const struct example_params *params)
{
	struct example *example = calloc(1, sizeof(*example));

	if (example)
		example->recording = calloc(params->n_chosen + 1, sizeof(*example->recording));
	if (!example || !example->recording) {
		free(example);
		errno = ENOMEM;
		return NULL;
	}
	example->params = *params;
	return example;
}

void example_free(struct example *example)
{
	if (!example)
		return;
	for (size_t i = 0; i < example->params.n_chosen; i++) {
		free(example->recording[i].segment);
		free(example->recording[i].event);
	}
	free(example->recording);
	free(example);
}

static const struct gap *gap_of(const struct example *example, size_t index)
{
	return &example->params.gaps[example->params.chosen[index]];
}

/* Room for one element more; what was there is freed when there is none. */
static void *make_room(void *list, size_t n, size_t bytes)
{
	void *bigger;

	if (n & (n - 1))
		return list;
	bigger = reallocarray(list, n ? 2 * n : 1, bytes);
	if (!bigger)
		free(list);
	return bigger;
}

static int keep_event(struct example *example, struct recording *r, const struct trace_event *event)
{
	if (r->n_events == EXAMPLE_MAX_EVENTS || example->events == EXAMPLE_MAX_TOTAL) {
		r->cut++;
		return 0;
	}
	r->event = make_room(r->event, r->n_events, sizeof(*r->event));
	if (!r->event)
		return -ENOMEM;
	example->events++;
	r->event[r->n_events++] = (struct kept_event){ *event, example->task[event->layer] };
	return 0;
}

static bool asks_for_cpu(const struct example *example, const struct trace_event *event)
{
	uint16_t cpu = example->params.cpu[event->layer];

	if (event->type == TRACE_WORK_QUEUE)
		return event->peer == cpu;
	return event->type == TRACE_WAKEUP && event->arg == cpu;
}

/* The gap's first event is about to be kept: what led to it comes before. */
static int keep_before(struct example *example, struct recording *r, const struct gap *gap)
{
	uint64_t reach = tsc_from_ns(BEFORE_NS, example->params.cycles_per_second);
	unsigned int n = example->n_before;
	int ret = 0;

	for (unsigned int i = n > BEFORE_EVENTS ? n - BEFORE_EVENTS : 0; i < n && ret == 0; i++) {
		const struct trace_event *event = &example->before[i % BEFORE_EVENTS];

		if (event->tsc < gap->t0 && gap->t0 - event->tsc < reach)
			ret = keep_event(example, r, event);
	}
	return ret;
}

int example_event(struct example *example, const struct trace_event *event)
{
	bool is_measured = event->cpu == example->params.cpu[event->layer];
	int ret = 0;

	while (example->current < example->params.n_chosen && gap_of(example, example->current)->t1 <= event->tsc)
		example->current++;
	if (example->current < example->params.n_chosen && gap_of(example, example->current)->t0 <= event->tsc &&
	    (is_measured || asks_for_cpu(example, event))) {
		struct recording *r = &example->recording[example->current];

		if (!r->n_events)
			ret = keep_before(example, r, gap_of(example, example->current));
		if (ret == 0)
			ret = keep_event(example, r, event);
	}
	if (asks_for_cpu(example, event))
		example->before[example->n_before++ % BEFORE_EVENTS] = *event;
	if (is_measured && event->type == TRACE_SWITCH)
		example->task[event->layer] = event->name;
	return ret;
}

/* The recording of a gap; NULL: it is not chosen. What is told at an event may be of a gap that was passed before. */
static struct recording *recording_of(struct example *example, size_t gap)
{
	size_t i = example->current;

	while (i && example->params.chosen[i - 1] >= gap)
		i--;
	return i < example->params.n_chosen && example->params.chosen[i] == gap ? &example->recording[i] : NULL;
}

void example_segment(void *ctx, size_t gap, enum trace_layer lane, uint64_t t0, uint64_t t1, uint32_t cause)
{
	struct example *example = ctx;
	struct recording *r = recording_of(example, gap);

	if (!r || r->n_segments == EXAMPLE_MAX_SEGMENTS || example->segments == EXAMPLE_MAX_TOTAL)
		return;
	r->segment = make_room(r->segment, r->n_segments, sizeof(*r->segment));
	if (!r->segment) {
		r->n_segments = 0;
		return;
	}
	example->segments++;
	r->segment[r->n_segments++] = (struct segment){ lane, t0, t1, cause };
}

void example_renamed(void *ctx, size_t gap, uint32_t from, uint32_t to)
{
	struct recording *r = recording_of(ctx, gap);

	for (size_t i = 0; r && i < r->n_segments; i++)
		if (r->segment[i].cause == from)
			r->segment[i].cause = to;
}

static json_int_t ns_from(const struct example *example, uint64_t begin, uint64_t tsc)
{
	uint64_t hz = example->params.cycles_per_second;

	return tsc >= begin ? (json_int_t)tsc_to_ns(tsc - begin, hz) : -(json_int_t)tsc_to_ns(begin - tsc, hz);
}

static json_t *segments_json(const struct example *example, const struct recording *r, uint64_t begin)
{
	json_t *list = json_array();

	for (size_t i = 0, j; i < r->n_segments; i = j) {
		const struct segment *s = &r->segment[i];

		for (j = i + 1; j < r->n_segments && r->segment[j].cause == s->cause && r->segment[j].lane == s->lane &&
				r->segment[j].t0 == r->segment[j - 1].t1;)
			j++;
		json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:s}", "lane", lanes[s->lane], "t0_ns",
						      ns_from(example, begin, s->t0), "t1_ns",
						      ns_from(example, begin, r->segment[j - 1].t1), "what",
						      causes_text(example->params.causes, s->cause)));
	}
	return list;
}

static char *event_text(const struct example *example, const struct trace_event *event, uint32_t previous)
{
	const struct names *names = example->params.names;
	const char *name = names_text(names, event->name);
	const char *kind = names_text(names, event->event);

	if (event->type == TRACE_LOST)
		return strdup("events lost");
	if (event->type == TRACE_SWITCH && !event->pid)
		return str_printf("%s idle => %s", kind, name);
	if (event->type == TRACE_SWITCH && previous)
		return str_printf("%s %s => %s", kind, names_text(names, previous), event->peer ? name : "idle");
	if (event->type == TRACE_SWITCH)
		return str_printf("%s %d => %s", kind, event->pid, event->peer ? name : "idle");
	if (event->cpu != example->params.cpu[event->layer])
		return str_printf("%s %s (on CPU %u)", kind, name, event->cpu);
	if (*name && event->type != TRACE_VECTOR_ENTRY && event->type != TRACE_VECTOR_EXIT)
		return str_printf("%s %s", kind, name);
	return strdup(kind);
}

static json_t *events_json(const struct example *example, const struct recording *r, uint64_t begin)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_events; i++) {
		const struct trace_event *event = &r->event[i].event;
		_cleanup_free_ char *text = event_text(example, event, r->event[i].previous);

		json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "lane", lanes[event->layer], "t_ns",
						      ns_from(example, begin, event->tsc), "text", text ? text : ""));
	}
	return list;
}

json_t *example_json(const struct example *example, size_t index)
{
	const struct gap *gap = gap_of(example, index);
	const struct recording *r = &example->recording[index];
	json_t *object = json_pack("{s:I, s:s, s:o, s:o}", "gap", (json_int_t)example->params.chosen[index], "cause",
				   causes_text(example->params.causes, gap->cause), "segments",
				   segments_json(example, r, gap->t0), "events", events_json(example, r, gap->t0));

	if (object && r->cut)
		json_object_set_new(object, "events_cut", json_integer((json_int_t)r->cut));
	return object;
}
