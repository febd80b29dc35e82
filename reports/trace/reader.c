// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/trace/reader.h"

#include <errno.h>
#include <string.h>

#include "reports/trace/kallsyms.h"
#include "reports/trace/trace_input.h"

#define TASK_SLOTS 256

struct stream {
	struct trace_event event; /* the next one of this CPU */
	uint64_t before;	  /* stamp of the one before; 0: there was none */
	bool is_lost;		  /* events were dropped before it */
	uint16_t cpu;
};

struct task_slot {
	int32_t pid; /* 0: empty */
	uint32_t name;
};

struct reader {
	struct trace_input *input;
	struct decoder *decoder;
	struct kallsyms *symbols; /* from params.kallsyms; may be NULL */
	struct stream *stream;	  /* those that still have events */
	size_t n_streams;
	size_t first;	/* the stream that is read from... */
	uint64_t until; /* ...while its stamps do not pass this one */
	bool is_started;
	struct names *names;
	struct task_slot task[TASK_SLOTS];
};

/* The own reader first; what it does not know goes to libtracecmd, unless a guest wrote it. */
static int open_input(const struct reader_params *params, struct reader *reader, struct err *err)
{
	int r = trace_input_open_file(params->path, reader->decoder, &reader->input, err);

	if (r != -EOPNOTSUPP || params->layer == TRACE_GUEST)
		return r;
	return trace_input_open_tracecmd(params->path, reader->decoder, &reader->input, err);
}

/* Without names functions show as addresses: no reason to fail. */
static int load_kallsyms(struct reader *reader, const char *path)
{
	int r = path ? kallsyms_load(path, &reader->symbols, NULL) : 0;

	return r == -ENOMEM ? r : 0;
}

static const char *find_function(void *ctx, uint64_t address)
{
	struct reader *reader = ctx;
	const char *name = reader->input->ops->find(reader->input, address);
	struct kallsyms_symbol symbol;

	if (!name && kallsyms_find(reader->symbols, address, &symbol))
		name = symbol.name;
	return name;
}

int reader_open(const struct reader_params *params, struct reader **ret, struct err *err)
{
	_cleanup_(reader_freep) struct reader *reader = calloc(1, sizeof(*reader));
	int r;

	if (!reader)
		return err_sys(err, -ENOMEM, "cannot read '%s'", params->path);
	reader->names = params->names;
	reader->decoder = decoder_new(params->layer, params->names);
	if (!reader->decoder)
		return err_sys(err, -ENOMEM, "cannot read '%s'", params->path);
	r = open_input(params, reader, err);
	if (r < 0)
		return r;
	reader->stream = calloc(reader->input->n_cpus + 1, sizeof(*reader->stream));
	if (!reader->stream || load_kallsyms(reader, params->kallsyms) < 0)
		return err_sys(err, -ENOMEM, "cannot read '%s'", params->path);
	decoder_set_functions(reader->decoder, find_function, reader);
	*ret = TAKE_PTR(reader);
	return 0;
}

void reader_free(struct reader *reader)
{
	if (!reader)
		return;
	if (reader->input)
		reader->input->ops->free(reader->input);
	decoder_free(reader->decoder);
	kallsyms_free(reader->symbols);
	free(reader->stream);
	free(reader);
}

/* Decode the stream's next event: 1, 0 at its end, or -errno. */
static int advance(struct reader *reader, struct stream *stream)
{
	struct ring_record record;
	bool lost;

	for (;;) {
		int r = reader->input->ops->next(reader->input, stream->cpu, &record, &lost);

		if (r <= 0)
			return r;
		stream->is_lost = stream->is_lost || lost;
		if (decoder_decode(reader->decoder, record.data, record.len, &stream->event))
			break;
	}
	stream->event.cpu = stream->cpu;
	stream->event.tsc = record.tsc > stream->before ? record.tsc : stream->before;
	return 1;
}

static int start(struct reader *reader)
{
	reader->is_started = true;
	for (size_t i = 0; i < reader->input->n_cpus; i++) {
		struct stream *stream = &reader->stream[reader->n_streams];
		int r;

		*stream = (struct stream){ .cpu = (uint16_t)i };
		r = advance(reader, stream);
		if (r < 0)
			return r;
		reader->n_streams += (size_t)r;
	}
	reader->until = 0;
	return 0;
}

/* The stream with the lowest stamp, and how long it stays so: a CPU's events come in bursts. */
static void choose(struct reader *reader)
{
	reader->first = 0;
	reader->until = UINT64_MAX;
	for (size_t i = 1; i < reader->n_streams; i++) {
		uint64_t tsc = reader->stream[i].event.tsc;
		uint64_t lowest = reader->stream[reader->first].event.tsc;

		if (tsc < lowest) {
			reader->until = lowest < reader->until ? lowest : reader->until;
			reader->first = i;
		} else if (tsc < reader->until) {
			reader->until = tsc;
		}
	}
	/* On equal stamps the lower CPU comes first, so this one only lasts up to the other's. */
	reader->until -= reader->until != UINT64_MAX && reader->until > 0;
}

static void give_lost(struct stream *stream, struct trace_event *ret)
{
	*ret = stream->event;
	ret->type = TRACE_LOST;
	ret->name = ret->event = 0;
	ret->peer = 0;
	ret->arg = stream->before;
	stream->is_lost = false;
}

int reader_next(struct reader *reader, struct trace_event *ret)
{
	struct stream *stream;
	int r = reader->is_started ? 0 : start(reader);

	if (r < 0 || !reader->n_streams)
		return r;
	if (reader->stream[reader->first].event.tsc > reader->until || !reader->until)
		choose(reader);
	stream = &reader->stream[reader->first];
	if (stream->is_lost) {
		give_lost(stream, ret);
		return 1;
	}
	*ret = stream->event;
	stream->before = ret->tsc;
	r = advance(reader, stream);
	if (r == 0) {
		/* Keep the order of CPUs: ties are broken by it. */
		reader->n_streams--;
		memmove(stream, stream + 1, (reader->n_streams - reader->first) * sizeof(*stream));
		reader->until = 0;
	}
	return r < 0 ? r : 1;
}

uint32_t reader_task(struct reader *reader, int32_t pid)
{
	struct task_slot *slot = &reader->task[(uint32_t)pid % TASK_SLOTS];
	char text[32];

	if (pid == 0)
		return names_intern(reader->names, "idle", sizeof("idle"));
	if (slot->pid != pid) {
		bool known = reader->input->ops->task(reader->input, pid, text, sizeof(text));

		*slot = (struct task_slot){ pid, known ? names_intern(reader->names, text, sizeof(text)) : 0 };
	}
	return slot->name;
}
