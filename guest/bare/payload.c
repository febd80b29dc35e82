// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest/bare/payload.h"

#include <errno.h>

#define PAYLOAD __attribute__((section("bare_payload")))
#define PAGE 4096

struct memory {
	struct probe_ring *ring;
	uint64_t at;
	uint64_t pages;
	uint64_t page_bytes;
	bool numbered;
	uint64_t next;
};

__asm__(".pushsection bare_payload, \"ax\", @progbits\n"
	".global payload_return\n"
	"payload_return:\n"
	"	out %al, $0x10\n" /* PAYLOAD_PORT */
	"	hlt\n"
	".popsection\n");

PAYLOAD void payload_calibrate(struct probe_ring *ring, uint64_t turns)
{
	volatile char *byte = (volatile char *)ring;
	uint64_t bytes = sizeof(*ring) + ring->capacity * sizeof(ring->record[0]);

	for (uint64_t at = sizeof(*ring); at < bytes; at += PAGE)
		byte[at] = 0;
	probe_ring_calibrate(ring, turns);
}

PAYLOAD static volatile uint64_t *word_of(const struct memory *memory, uint64_t page)
{
	return (volatile uint64_t *)(memory->at + page * memory->page_bytes);
}

PAYLOAD static int64_t sham(const struct memory *memory)
{
	return memory->numbered && *word_of(memory, 0) != 0 ? -EIO : 0;
}

PAYLOAD static int64_t touch_next(struct memory *memory)
{
	uint64_t page = memory->next;

	if (!memory->pages || (memory->numbered && page == memory->pages))
		return -ENOSPC;
	memory->next++;
	if (memory->numbered)
		return *word_of(memory, page) == page ? 0 : -EIO;
	*word_of(memory, page % memory->pages) = 1;
	return 0;
}

PAYLOAD static uint64_t obey(void *ctx, int word, uint64_t last)
{
	struct memory *memory = ctx;
	struct probe_ring *ring = memory->ring;

	if (word == PROBE_SHAM)
		MARK(MARK_SHAM);
	else
		MARK(MARK_PRIMER);
	ring->act_t0 = tsc_read();
	ring->act_result = word == PROBE_SHAM ? sham(memory) : touch_next(memory);
	ring->act_t1 = tsc_read();
	MARK(MARK_ACTED);
	probe_acted(ring, word);
	return last;
}

PAYLOAD void payload_spin(struct probe_ring *ring, uint64_t at, uint64_t pages, uint64_t page_bytes, bool numbered)
{
	struct memory memory = {
		.ring = ring, .at = at, .pages = pages, .page_bytes = page_bytes, .numbered = numbered, .next = numbered
	};

	sham(&memory);
	probe_ring_spin(ring, obey, &memory);
}
