// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/exact/meter_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RECORD_BYTES (64U << 20)

struct meter_reader {
	char *path;
	FILE *in;
	uint64_t offset; /* of the record being read */
	struct meter_header header;
	uint8_t *buffer; /* the record */
	size_t room;
};

static int read_header(struct meter_reader *reader, struct err *err)
{
	struct meter_header *header = &reader->header;

	if (fread(header, 1, sizeof(*header), reader->in) != sizeof(*header) ||
	    memcmp(header->magic, METER_MAGIC, sizeof(header->magic)))
		return err_set(err, -EINVAL, "'%s' was not written by the instruction meter", reader->path);
	if (header->version != METER_VERSION || header->header_bytes != sizeof(*header))
		return err_set(err, -EINVAL, "'%s' has version %u; version %u can be read", reader->path,
			       header->version, METER_VERSION);
	reader->offset = sizeof(*header);
	return 0;
}

int meter_reader_open(const char *path, struct meter_reader **ret, struct err *err)
{
	_cleanup_meter_reader_ struct meter_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return err_sys(err, -ENOMEM, "cannot read '%s'", path);
	reader->path = strdup(path);
	reader->in = fopen(path, "rbe");
	if (!reader->in || !reader->path)
		return err_sys(err, -errno, "cannot read '%s'", path);

	int rc = read_header(reader, err);

	if (rc)
		return rc;
	*ret = TAKE_PTR(reader);
	return 0;
}

void meter_reader_free(struct meter_reader *reader)
{
	if (!reader)
		return;
	if (reader->in)
		fclose(reader->in);
	free(reader->path);
	free(reader->buffer);
	free(reader);
}

const struct meter_header *meter_reader_header(const struct meter_reader *reader)
{
	return &reader->header;
}

static size_t least_bytes(uint32_t type)
{
	switch (type) {
	case METER_RUN:
	case METER_RUN_END:
		return sizeof(struct meter_run_record);
	case METER_BLOCK:
		return sizeof(struct meter_block_record);
	case METER_GAP:
		return sizeof(struct meter_gap_record);
	case METER_MARK:
		return sizeof(struct meter_mark_record);
	case METER_END:
		return sizeof(struct meter_end_record);
	}
	return 0;
}

static int make_room(struct meter_reader *reader, size_t bytes)
{
	if (bytes <= reader->room)
		return 0;

	uint8_t *buffer = realloc(reader->buffer, bytes);

	if (!buffer)
		return -ENOMEM;
	reader->buffer = buffer;
	reader->room = bytes;
	return 0;
}

static int check_record(const struct meter_reader *reader, const struct meter_record *head, struct err *err)
{
	size_t least = least_bytes(head->type);

	if (least && head->bytes >= least && head->bytes <= MAX_RECORD_BYTES && !(head->bytes & 7))
		return 0;
	return err_set(err, -EINVAL, "'%s': no record at offset %llu (type %u, %u bytes)", reader->path,
		       (unsigned long long)reader->offset, head->type, head->bytes);
}

static int check_gap(const struct meter_reader *reader, const struct meter_gap_record *gap, struct err *err)
{
	if (gap->step_bytes <= gap->head.bytes - sizeof(*gap))
		return 0;
	return err_set(err, -EINVAL, "'%s': the gap at offset %llu says it has %u bytes of steps", reader->path,
		       (unsigned long long)reader->offset, gap->step_bytes);
}

int meter_reader_next(struct meter_reader *reader, struct meter_entry *ret, struct err *err)
{
	struct meter_record head;

	if (fread(&head, 1, sizeof(head), reader->in) != sizeof(head))
		return ferror(reader->in) ? err_sys(err, -EIO, "cannot read '%s'", reader->path) : 0;

	int rc = check_record(reader, &head, err);

	if (rc)
		return rc;
	if (make_room(reader, head.bytes))
		return err_sys(err, -ENOMEM, "cannot read '%s'", reader->path);
	memcpy(reader->buffer, &head, sizeof(head));
	if (fread(reader->buffer + sizeof(head), 1, head.bytes - sizeof(head), reader->in) != head.bytes - sizeof(head))
		return ferror(reader->in) ? err_sys(err, -EIO, "cannot read '%s'", reader->path) : 0;
	ret->head = (const struct meter_record *)(const void *)reader->buffer;
	ret->steps = reader->buffer + sizeof(struct meter_gap_record);
	if (head.type == METER_GAP)
		rc = check_gap(reader, ret->gap, err);
	reader->offset += head.bytes;
	return rc ? rc : 1;
}

bool meter_step_next(const uint8_t **at, const uint8_t *end, struct meter_step_value *ret)
{
	uint64_t word = 0;

	for (unsigned int shift = 0; *at < end && shift < 42; shift += 7) {
		uint8_t byte = *(*at)++;

		word |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (word >> 3 > UINT32_MAX)
			return false;
		ret->layer = word & 1;
		ret->kind = word >> 1 & 3;
		ret->value = (uint32_t)(word >> 3);
		return true;
	}
	return false;
}
