// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/cmdline.h"

#include <string.h>

void cmdline_quote(FILE *out, const char *word)
{
	fputc('\'', out);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	}
	fputc('\'', out);
}

static void print_word(FILE *out, const char *word)
{
	fputc(' ', out);
	if (*word && strcspn(word, " \t\n'\"\\$`*?[]<>|&;(){}!#~") == strlen(word))
		fputs(word, out);
	else
		cmdline_quote(out, word);
}

char *cmdline_join(int argc, char *const argv[])
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return NULL;
	fputs("vcpulat", out);
	for (int i = 0; i < argc; i++)
		print_word(out, argv[i]);
	return fclose(out) == 0 ? text : NULL;
}
