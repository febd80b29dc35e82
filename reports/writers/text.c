// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/writers/text.h"

#include <string.h>

size_t text_columns(const char *text, size_t bytes)
{
	size_t columns = 0;

	for (size_t i = 0; i < bytes; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	return columns;
}

void text_safe(FILE *out, const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		unsigned char c = (unsigned char)text[i];

		fputc(c < 0x20 || c == 0x7f ? '?' : c, out);
	}
}

size_t text_fit(const char *text, size_t columns)
{
	size_t bytes = 0;

	while (text[bytes] && text_columns(text, bytes + 1) <= columns)
		bytes++;
	return bytes;
}

/* The same, cut at a space where there is one. */
static size_t fitting(const char *text, size_t columns)
{
	size_t bytes = text_fit(text, columns);
	size_t space = text[bytes] ? bytes : 0;

	while (space > 0 && text[space] != ' ')
		space--;
	return space > 0 ? space : bytes;
}

void text_wrapped(FILE *out, const char *text, size_t indent, size_t columns)
{
	do {
		size_t bytes = fitting(text, columns - indent);

		text_safe(out, text, bytes);
		fputc('\n', out);
		text += bytes;
		while (*text == ' ')
			text++;
		if (*text)
			fprintf(out, "%*s", (int)indent, "");
	} while (*text);
}

void text_paragraph(FILE *out, const char *lead, const char *text, size_t columns)
{
	fputs(lead, out);
	text_wrapped(out, text, text_columns(lead, strlen(lead)), columns);
}
