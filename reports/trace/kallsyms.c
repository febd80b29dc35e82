// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/trace/kallsyms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fs.h"
#include "reports/search.h"

#define MAX_BYTES (256U << 20)
#define MAX_SYMBOL_BYTES (1U << 20)

struct symbol {
	uint64_t address;
	const char *name; /* in text */
	bool code;
};

struct kallsyms {
	char *text;
	struct symbol *symbol; /* by address; at one address the preferred name first */
	size_t count;
	size_t room;
};

void kallsyms_fold(char *name)
{
	static const char *const suffix[] = { ".isra.", ".constprop.", ".part.", ".cold" };

	for (size_t i = 0; i < ARRAY_SIZE(suffix); i++) {
		char *at = strstr(name, suffix[i]);

		if (at && at != name)
			*at = '\0';
	}
}

static int add(struct kallsyms *syms, const struct symbol *symbol)
{
	if (syms->count == syms->room) {
		size_t room = syms->room ? syms->room * 2 : 4096;
		struct symbol *all = realloc(syms->symbol, room * sizeof(*all));

		if (!all)
			return -ENOMEM;
		syms->symbol = all;
		syms->room = room;
	}
	syms->symbol[syms->count++] = *symbol;
	return 0;
}

/* "ffffffff81000000 T _text" or "... t name\t[module]"; false: the line is something else. */
static bool parse_line(char *line, struct symbol *ret)
{
	char *end = NULL;

	errno = 0;
	ret->address = strtoull(line, &end, 16);
	if (errno || end == line || *end != ' ' || !end[1] || end[2] != ' ' || !end[3])
		return false;
	ret->code = strchr("tTwW", end[1]) != NULL;
	ret->name = end + 3;
	end[3 + strcspn(end + 3, " \t")] = '\0';
	kallsyms_fold(end + 3);
	return ret->address != 0;
}

/* Several names at one address: code first, then without leading underscores, then by alphabet. */
static int compare(const void *left, const void *right)
{
	const struct symbol *a = left;
	const struct symbol *b = right;

	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	if (a->code != b->code)
		return a->code ? -1 : 1;
	if ((a->name[0] == '_') != (b->name[0] == '_'))
		return a->name[0] == '_' ? 1 : -1;
	return strcmp(a->name, b->name);
}

static void drop_aliases(struct kallsyms *syms)
{
	size_t kept = 0;

	for (size_t i = 0; i < syms->count; i++) {
		if (!kept || syms->symbol[kept - 1].address != syms->symbol[i].address)
			syms->symbol[kept++] = syms->symbol[i];
	}
	syms->count = kept;
}

static int parse(struct kallsyms *syms)
{
	for (char *line = syms->text, *next; line; line = next) {
		struct symbol symbol;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (parse_line(line, &symbol) && add(syms, &symbol))
			return -ENOMEM;
	}
	if (!syms->count)
		return -ENODATA;
	qsort(syms->symbol, syms->count, sizeof(*syms->symbol), compare);
	drop_aliases(syms);
	return 0;
}

int kallsyms_parse(char *text, struct kallsyms **ret)
{
	_cleanup_kallsyms_ struct kallsyms *syms = calloc(1, sizeof(*syms));
	int rc;

	if (!text)
		return -ENODATA;
	if (!syms) {
		free(text);
		return -ENOMEM;
	}
	syms->text = text;
	rc = parse(syms);
	if (!rc)
		*ret = TAKE_PTR(syms);
	return rc;
}

int kallsyms_load(const char *path, struct kallsyms **ret, struct err *err)
{
	char *text = NULL;
	int rc = fs_read(path, MAX_BYTES, &text, NULL, err);

	if (rc)
		return rc;
	rc = kallsyms_parse(text, ret);
	if (rc == -ENODATA)
		return err_set(err, rc, "'%s' holds no addresses: was it read with kernel.kptr_restrict=2?", path);
	return rc ? err_sys(err, rc, "cannot read '%s'", path) : 0;
}

void kallsyms_free(struct kallsyms *syms)
{
	if (!syms)
		return;
	free(syms->symbol);
	free(syms->text);
	free(syms);
}

bool kallsyms_find(const struct kallsyms *syms, uint64_t address, struct kallsyms_symbol *ret)
{
	size_t after = syms ? FIRST_BEYOND(syms->symbol, syms->count, address, address) : 0;
	const struct symbol *symbol = after ? &syms->symbol[after - 1] : NULL;

	if (!symbol || !symbol->code || address - symbol->address >= MAX_SYMBOL_BYTES)
		return false;
	ret->name = symbol->name;
	ret->start = symbol->address;
	return true;
}
