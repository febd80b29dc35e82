// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/trace/ring_page.h"

#include <string.h>

#define COMMIT_MASK ((1U << 27) - 1)
#define COMMIT_LOST (1U << 31)

enum { TYPE_PADDING = 29, TYPE_TIME_EXTEND = 30, TYPE_TIME_STAMP = 31 };

#define DELTA_BITS 27
#define STAMP_BITS 59 /* an absolute stamp carries so many; the rest is that of the page */

static uint32_t read_u32(const unsigned char *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

void ring_page_begin(struct ring_page *page, const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t commit;

	*page = (struct ring_page){ .at = p, .end = p };
	if (len < RING_PAGE_HEADER)
		return;
	memcpy(&page->tsc, p, sizeof(page->tsc));
	memcpy(&commit, p + 8, sizeof(commit));
	page->lost = (uint32_t)commit & COMMIT_LOST;
	commit &= COMMIT_MASK;
	page->at = p + RING_PAGE_HEADER;
	page->end = page->at + (commit < len - RING_PAGE_HEADER ? commit : len - RING_PAGE_HEADER);
}

/* The page makes no sense from here on: leave the rest. */
static bool give_up(struct ring_page *page)
{
	page->at = page->end;
	return false;
}

static void advance_time(struct ring_page *page, uint32_t type, uint64_t delta, uint32_t high)
{
	uint64_t value = delta + ((uint64_t)high << DELTA_BITS);

	if (type == TYPE_TIME_STAMP)
		page->tsc = (page->tsc >> STAMP_BITS << STAMP_BITS) | value;
	else
		page->tsc += type == TYPE_TIME_EXTEND ? value : delta;
}

bool ring_page_next(struct ring_page *page, struct ring_record *ret)
{
	while (page->end - page->at >= 8) {
		size_t left = (size_t)(page->end - page->at) - 4;
		uint32_t header = read_u32(page->at);
		uint32_t word = read_u32(page->at + 4);
		uint32_t type = header & 31;
		size_t bytes = type ? type * 4 : word; /* behind the header */
		size_t skip = type ? 0 : 4;

		if (type == TYPE_PADDING && header >> 5 == 0)
			break;
		if (type == TYPE_PADDING)
			bytes = word;
		else if (type > TYPE_PADDING)
			bytes = 4;
		if (bytes < skip + (type == TYPE_PADDING ? 4 : 0) || bytes > left)
			return give_up(page);
		advance_time(page, type, header >> 5, word);
		ret->data = page->at + 4 + skip;
		ret->len = bytes - skip;
		ret->tsc = page->tsc;
		page->at += 4 + ((bytes + 3) & ~(size_t)3);
		if (type < TYPE_PADDING)
			return page->at <= page->end || give_up(page);
	}
	return give_up(page);
}
