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

PAYLOAD static uint64_t number_in(const struct memory *memory, uint64_t page)
{
	return *(volatile uint64_t *)(memory->at + page * memory->page_bytes);
}

PAYLOAD static int64_t touch_next(struct memory *memory)
{
	uint64_t page = memory->next;

	if (page >= memory->pages)
		return -ENOSPC;
	memory->next++;
	return number_in(memory, page) == page ? 0 : -EIO;
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
	if (word != PROBE_SHAM)
		ring->act_result = touch_next(memory);
	else
		ring->act_result = memory->pages && number_in(memory, 0) == 0 ? 0 : -EIO;
	ring->act_t1 = tsc_read();
	MARK(MARK_ACTED);
	probe_acted(ring, word);
	return last;
}

PAYLOAD void payload_spin(struct probe_ring *ring, uint64_t at, uint64_t pages, uint64_t page_bytes)
{
	struct memory memory = { .ring = ring, .at = at, .pages = pages, .page_bytes = page_bytes, .next = 1 };

	if (pages)
		number_in(&memory, 0);
	probe_ring_spin(ring, obey, &memory);
}
