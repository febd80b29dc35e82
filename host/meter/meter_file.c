// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/meter/meter_file.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/meter/meter_cpu.h"

#define POLL_NS 5000000L /* at most METER_DETAILS gaps in this time keep their steps */
#define NO_FILE_ID UINT32_MAX
#define STEP_BYTES_MAX 10

struct meter_file {
	struct meter *meter;
	FILE *out;
	uint64_t bytes;
	uint64_t limit_bytes;
	uint32_t *file_id; /* by block id; NO_FILE_ID: not written yet */
	uint32_t file_ids; /* size of file_id */
	uint32_t next_id;
	uint8_t *buffer; /* encoded steps of one gap */
	int status;	 /* first -errno of writing */
	bool started;
	_Atomic bool stop;
	pthread_t thread;
};

/* One gap's steps on their way into file->buffer. */
struct encoder {
	struct meter_file *file;
	size_t bytes;
	uint32_t last;	  /* word of the step before, while it may still repeat */
	uint32_t repeats; /* of it, not written yet */
	uint32_t written; /* steps in the buffer */
};

static void put_bytes(struct meter_file *file, const void *data, size_t len)
{
	if (file->status || !len)
		return;
	if (fwrite(data, 1, len, file->out) != len)
		file->status = errno ? -errno : -EIO;
	file->bytes += len;
}

static void put_record(struct meter_file *file, struct meter_record *head, size_t len, const void *more,
		       size_t more_len)
{
	static const uint8_t zero[8];
	size_t pad = -(len + more_len) & 7;

	head->bytes = (uint32_t)(len + more_len + pad);
	put_bytes(file, head, len);
	put_bytes(file, more, more_len);
	put_bytes(file, zero, pad);
}

static int make_room(struct meter_file *file, uint32_t id)
{
	uint32_t wanted = file->file_ids;

	if (id < wanted)
		return 0;
	while (wanted <= id)
		wanted = wanted ? wanted * 2 : 1U << 16;

	uint32_t *ids = realloc(file->file_id, wanted * sizeof(*ids));

	if (!ids)
		return -ENOMEM;
	memset(ids + file->file_ids, 0xff, (wanted - file->file_ids) * sizeof(*ids));
	file->file_id = ids;
	file->file_ids = wanted;
	return 0;
}

static void put_block(struct meter_file *file, const struct meter_block *block)
{
	struct meter_block_record record = {
		.head.type = METER_BLOCK,
		.pc = block->pc,
		.id = file->next_id,
		.insns = block->insns,
		.bytes = (uint32_t)(block->next - block->pc),
		.flags = atomic_load_explicit(&block->flags, memory_order_relaxed),
	};

	if (record.flags & METER_BLOCK_ANONYMOUS)
		record.bytes = 0;
	file->file_id[block->id] = file->next_id++;
	put_record(file, &record.head, sizeof(record), NULL, 0);
}

static uint32_t file_id_of(struct meter_file *file, uint32_t id)
{
	const struct meter_block *block = meter_table_get(meter_get_table(file->meter), id);

	if (!block || make_room(file, id)) {
		file->status = file->status ? file->status : -ENOMEM;
		return 0;
	}
	if (file->file_id[id] == NO_FILE_ID)
		put_block(file, block);
	return file->file_id[id];
}

static void put_step(struct encoder *enc, uint32_t layer, enum meter_step kind, uint32_t value)
{
	uint64_t word = (uint64_t)value << 3 | (uint64_t)kind << 1 | layer;

	for (; word >= 0x80; word >>= 7)
		enc->file->buffer[enc->bytes++] = (uint8_t)(word | 0x80);
	enc->file->buffer[enc->bytes++] = (uint8_t)word;
	enc->written++;
}

static void flush_repeats(struct encoder *enc)
{
	if (enc->repeats)
		put_step(enc, enc->last >> 31, METER_STEP_REPEAT, enc->repeats);
	enc->repeats = 0;
}

static void encode(struct encoder *enc, uint32_t word)
{
	enum meter_step kind = word >> 29 & 3;
	uint32_t value = word & METER_STEP_VALUE_MAX;

	if (kind == METER_STEP_BLOCK && enc->written && word == enc->last) {
		enc->repeats++;
		return;
	}
	flush_repeats(enc);
	put_step(enc, word >> 31, kind, kind == METER_STEP_BLOCK ? file_id_of(enc->file, value) : value);
	enc->last = word;
}

/* A repetition never spans the hole between head and tail: the reader counts steps on either side. */
static void encode_steps(struct encoder *enc, const struct meter_gap_record *gap, const struct meter_detail *detail)
{
	uint64_t first = gap->steps - gap->steps_tail;

	for (uint32_t i = 0; i < gap->steps_head; i++)
		encode(enc, detail->step[i]);
	flush_repeats(enc);
	enc->last = UINT32_MAX;
	for (uint64_t i = first; i < first + gap->steps_tail; i++)
		encode(enc, detail->step[detail->half + ((i - detail->half) & (detail->half - 1))]);
	flush_repeats(enc);
}

static void put_gap(struct meter_file *file, struct meter_item *item)
{
	struct encoder enc = { .file = file, .last = UINT32_MAX };

	if (item->detail && file->bytes >= file->limit_bytes) {
		item->gap.flags |= METER_GAP_DETAIL_LOST;
		item->gap.steps_head = 0;
		item->gap.steps_tail = 0;
	} else if (item->detail) {
		encode_steps(&enc, &item->gap, item->detail);
	}
	item->gap.step_bytes = (uint32_t)enc.bytes;
	put_record(file, &item->gap.head, sizeof(item->gap), file->buffer, enc.bytes);
}

static void put_item(struct meter_file *file, struct meter_item *item)
{
	switch ((enum meter_type)item->head.type) {
	case METER_RUN:
	case METER_RUN_END:
		put_record(file, &item->head, sizeof(item->run), NULL, 0);
		break;
	case METER_GAP:
		put_gap(file, item);
		break;
	case METER_MARK:
		put_record(file, &item->head, sizeof(item->mark), NULL, 0);
		break;
	case METER_BLOCK:
	case METER_END:
		break;
	}
}

int meter_file_drain(struct meter_file *file)
{
	uint64_t before = file->bytes;

	for (uint32_t cpu = 0; cpu < meter_get_options(file->meter)->cpus; cpu++) {
		struct meter_queue *queue = meter_get_queue(file->meter, cpu);

		for (struct meter_item *item; queue && (item = meter_queue_peek(queue));) {
			put_item(file, item);
			meter_queue_release(queue);
		}
	}
	if (file->bytes != before && fflush(file->out) && !file->status)
		file->status = -errno;
	return file->status;
}

static void *writer(void *arg)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	struct meter_file *file = arg;

	while (!atomic_load(&file->stop)) {
		meter_file_drain(file);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

int meter_file_start(struct meter_file *file)
{
	sigset_t all;
	sigset_t old;

	if (file->started)
		return 0;
	/* QEMU's threads signal each other: none of that is for this one. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int err = pthread_create(&file->thread, NULL, writer, file);

	pthread_sigmask(SIG_SETMASK, &old, NULL);
	file->started = !err;
	return -err;
}

static void put_header(struct meter_file *file)
{
	const struct meter_options *options = meter_get_options(file->meter);
	struct meter_header header = {
		.magic = METER_MAGIC,
		.version = METER_VERSION,
		.header_bytes = sizeof(header),
		.threshold_insns = options->threshold_insns,
		.steps_max = options->steps_max,
		.outer_cpus = options->cpus,
	};

	put_bytes(file, &header, sizeof(header));
	fflush(file->out);
}

static void file_free(struct meter_file *file)
{
	if (file->out)
		fclose(file->out);
	free(file->buffer);
	free(file->file_id);
	free(file);
}

struct meter_file *meter_file_open(const char *path, struct meter *meter, uint64_t limit_bytes)
{
	struct meter_file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	file->meter = meter;
	file->limit_bytes = limit_bytes;
	file->buffer = malloc(((size_t)meter_get_options(meter)->steps_max + 2) * STEP_BYTES_MAX);
	file->out = fopen(path, "wbe");
	if (!file->buffer || !file->out) {
		int err = errno;

		file_free(file);
		errno = err;
		return NULL;
	}
	put_header(file);
	return file;
}

static void put_end(struct meter_file *file)
{
	struct meter_end_record end = { .head.type = METER_END };

	meter_get_losses(file->meter, &end.lost, &end.stray);
	meter_table_counts(meter_get_table(file->meter), &end.blocks, &end.anonymous);
	put_record(file, &end.head, sizeof(end), NULL, 0);
}

int meter_file_close(struct meter_file *file)
{
	if (!file)
		return 0;
	atomic_store(&file->stop, true);
	if (file->started)
		pthread_join(file->thread, NULL);
	meter_file_drain(file);
	put_end(file);
	if (fflush(file->out) && !file->status)
		file->status = -errno;

	int status = file->status;

	file_free(file);
	return status;
}
