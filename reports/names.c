// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 1024 /* a power of two */

struct names {
	char **text; /* by number; text[0] is "" */
	uint32_t count;
	uint32_t *slot;	  /* open addressing; 0: empty */
	uint32_t n_slots; /* a power of two, at least twice count */
};

struct names *names_new(void)
{
	struct names *names = calloc(1, sizeof(*names));

	if (!names)
		return NULL;
	names->text = calloc(NAMES_MAX + 1, sizeof(*names->text));
	names->slot = calloc(FIRST_SLOTS, sizeof(*names->slot));
	names->n_slots = FIRST_SLOTS;
	names->count = 1;
	if (names->text && names->slot)
		names->text[0] = strdup("");
	if (names->text && names->text[0])
		return names;
	names_free(names);
	errno = ENOMEM;
	return NULL;
}

void names_free(struct names *names)
{
	if (!names)
		return;
	for (uint32_t i = 0; names->text && i < names->count; i++)
		free(names->text[i]);
	free(names->text);
	free(names->slot);
	free(names);
}

static uint64_t hash(const char *text, size_t len)
{
	uint64_t h = 0xcbf29ce484222325ULL; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)text[i]) * 0x100000001b3ULL;
	return h ^ h >> 32;
}

static uint32_t *find_slot(struct names *names, const char *text, size_t len)
{
	uint32_t i = (uint32_t)hash(text, len) & (names->n_slots - 1);

	for (;; i = (i + 1) & (names->n_slots - 1)) {
		const char *have = names->text[names->slot[i]];

		if (!names->slot[i] || (strncmp(have, text, len) == 0 && !have[len]))
			return &names->slot[i];
	}
}

static bool grow(struct names *names)
{
	uint32_t *old = names->slot;
	uint32_t *slot;

	if (names->count * 2 < names->n_slots)
		return true;
	slot = calloc((size_t)names->n_slots * 2, sizeof(*slot));
	if (!slot)
		return false;
	names->slot = slot;
	names->n_slots *= 2;
	for (uint32_t i = 1; i < names->count; i++)
		*find_slot(names, names->text[i], strlen(names->text[i])) = i;
	free(old);
	return true;
}

static uint32_t add(struct names *names, const char *text, size_t len)
{
	char *copy;

	if (!grow(names))
		return 0;
	copy = strndup(text, len);
	if (!copy)
		return 0;
	names->text[names->count] = copy;
	*find_slot(names, text, len) = names->count;
	return names->count++;
}

uint32_t names_intern(struct names *names, const char *text, size_t len)
{
	char clean[NAMES_MAX_CHARS];
	size_t n = strnlen(text, len < sizeof(clean) ? len : sizeof(clean));
	uint32_t id;

	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		clean[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	id = *find_slot(names, clean, n);
	if (id)
		return id;
	if (names->count < NAMES_MAX)
		return add(names, clean, n);
	return names->count == NAMES_MAX ? add(names, "(more)", 6) : NAMES_MAX;
}

const char *names_text(const struct names *names, uint32_t id)
{
	return id < names->count ? names->text[id] : "";
}
