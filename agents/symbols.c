// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fs.h"

#define KALLSYMS_LIMIT ((size_t)1 << 28) /* a large kernel has some 20 MiB */
#define MODULES_LIMIT ((size_t)1 << 20)

/* "ADDRESS TYPE NAME": code is of type t or w, global or not. */
static bool is_function(const char *line)
{
	const char *type = strchr(line, ' ');

	return type && strchr("tTwW", type[1]) != NULL;
}

/* In place; returns the length of what is left. */
static size_t keep_functions(char *text)
{
	char *to = text;
	const char *line = text;

	while (*line) {
		const char *end = strchrnul(line, '\n');
		size_t len = (size_t)(end - line) + (*end == '\n');

		if (is_function(line)) {
			memmove(to, line, len);
			to += len;
		}
		line += len;
	}
	*to = '\0';
	return (size_t)(to - text);
}

int symbols_read(struct symbols *s, struct err *err)
{
	_cleanup_free_ char *modules = NULL;
	_cleanup_free_ char *text = NULL;
	size_t bytes;
	int ret;

	if (fs_read("/proc/modules", MODULES_LIMIT, &modules, &bytes, NULL) < 0)
		modules = strdup(""); /* a kernel without modules */
	if (!modules)
		return err_sys(err, -ENOMEM, "symbols");
	if (s->text && strcmp(s->modules, modules) == 0)
		return 0;
	ret = fs_read("/proc/kallsyms", KALLSYMS_LIMIT, &text, &bytes, err);
	if (ret < 0)
		return ret;
	symbols_done(s);
	s->bytes = keep_functions(text);
	s->modules = TAKE_PTR(modules);
	s->text = TAKE_PTR(text);
	return 0;
}

void symbols_done(struct symbols *s)
{
	free(s->modules);
	free(s->text);
	*s = (struct symbols){ 0 };
}
