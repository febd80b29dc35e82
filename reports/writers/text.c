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

/* The bytes of @text that fill at most @columns, cut at a space where there is one. */
static size_t fitting(const char *text, size_t columns)
{
	size_t bytes = 0;
	size_t space = 0;

	while (text[bytes] && text_columns(text, bytes + 1) <= columns) {
		bytes++;
		if (text[bytes] == ' ')
			space = bytes;
	}
	while (((unsigned char)text[bytes] & 0xc0) == 0x80)
		bytes++;
	return text[bytes] && space > 0 ? space : bytes;
}

void text_paragraph(FILE *out, const char *lead, const char *text, size_t columns)
{
	size_t indent = text_columns(lead, strlen(lead));

	fputs(lead, out);
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
