/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plain text in a number of columns, whatever a guest wrote into it. */
#ifndef VCPULAT_TEXT_H
#define VCPULAT_TEXT_H

#include <stddef.h>
#include <stdio.h>

/**
 * text_columns - how wide a text is
 * @text: UTF-8
 * @bytes: of it
 */
size_t text_columns(const char *text, size_t bytes);

/**
 * text_fit - how much of a text there is room for
 * @text: UTF-8
 * @columns: at most so many
 *
 * Return: bytes, of whole characters.
 */
size_t text_fit(const char *text, size_t columns);

/**
 * text_safe - print text without what would move the cursor
 * @out: where
 * @text: UTF-8
 * @bytes: of it
 */
void text_safe(FILE *out, const char *text, size_t bytes);

/**
 * text_wrapped - print text, broken at spaces where there are any, behind what stands on the line already
 * @out: where
 * @text: UTF-8
 * @indent: columns of what stands there; as many spaces stand before the other lines
 * @columns: at most so many a line, with the indent
 */
void text_wrapped(FILE *out, const char *text, size_t indent, size_t columns);

/**
 * text_paragraph - text_wrapped(), with what it stands behind
 * @out: where
 * @lead: stands before the first line, as many spaces before the others
 * @text: UTF-8
 * @columns: at most so many a line, with the lead
 */
void text_paragraph(FILE *out, const char *lead, const char *text, size_t columns);

#endif
