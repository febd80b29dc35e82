// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/symbols.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A pointer further than this behind a symbol belongs to something that has none. */
#define MAX_FUNCTION_BYTES (1U << 20)

struct symbol {
	uint64_t address;
	const char *name; /* inside the caller's text; ends at white space */
};

struct symbols {
	struct symbol *item; /* by address */
	size_t count;
};

static int compare(const void *a, const void *b)
{
	const struct symbol *x = a;
	const struct symbol *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return (x->name > y->name) - (x->name < y->name);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bounded by @end, as the text need not be terminated; false: the line is no text symbol. */
static bool parse_line(const char *line, const char *end, struct symbol *ret)
{
	const char *p = line;
	uint64_t address = 0;

	for (; p < end && digit(*p) >= 0; p++)
		address = address << 4 | (uint64_t)digit(*p);
	if (!address || end - p < 4 || *p != ' ' || p[2] != ' ' || !strchr("tTwW", p[1]))
		return false;
	*ret = (struct symbol){ .address = address, .name = p + 3 };
	return true;
}

static size_t count_lines(const char *text, size_t len)
{
	size_t n = 1;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

struct symbols *symbols_new(const char *text, size_t len)
{
	struct symbols *symbols = calloc(1, sizeof(*symbols));
	const char *end = text + len;
	bool sorted = true;

	if (symbols)
		symbols->item = calloc(count_lines(text, len), sizeof(*symbols->item));
	if (!symbols || !symbols->item) {
		symbols_free(symbols);
		errno = ENOMEM;
		return NULL;
	}
	for (const char *line = text; line < end;) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		struct symbol *item = &symbols->item[symbols->count];

		if (!stop)
			stop = end;
		if (parse_line(line, stop, item)) {
			sorted = sorted && (!symbols->count || item[-1].address <= item->address);
			symbols->count++;
		}
		line = stop + 1;
	}
	if (!sorted)
		qsort(symbols->item, symbols->count, sizeof(*symbols->item), compare);
	return symbols;
}

void symbols_free(struct symbols *symbols)
{
	if (!symbols)
		return;
	free(symbols->item);
	free(symbols);
}

size_t symbols_count(const struct symbols *symbols)
{
	return symbols->count;
}

const char *symbols_find(const struct symbols *symbols, uint64_t address, size_t *ret_len)
{
	size_t lo = 0;
	size_t hi = symbols ? symbols->count : 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (symbols->item[mid].address <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	/* Of several names at one address the first is taken, as the kernel's own %ps does. */
	while (lo > 1 && symbols->item[lo - 2].address == symbols->item[lo - 1].address)
		lo--;
	if (!lo || address - symbols->item[lo - 1].address >= MAX_FUNCTION_BYTES)
		return NULL;
	*ret_len = strcspn(symbols->item[lo - 1].name, " \t\n");
	return symbols->item[lo - 1].name;
}
