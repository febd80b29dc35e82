// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/trace/event_format.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int event_format_id(const char *text, char *ret_name, size_t name_bytes)
{
	const char *id = strstr(text, "\nID:");
	unsigned long number;
	size_t len;

	if (strncmp(text, "name: ", 6) != 0 || !id)
		return -1;
	number = strtoul(id + 4, NULL, 10);
	len = strcspn(text + 6, "\n");
	if (number == 0 || number > UINT16_MAX || len == 0 || len >= name_bytes)
		return -1;
	memcpy(ret_name, text + 6, len);
	ret_name[len] = '\0';
	return (int)number;
}

static unsigned long attribute_of(const char *line, size_t len, const char *key)
{
	const char *at = strstr(line, key);

	return at && at < line + len ? strtoul(at + strlen(key), NULL, 10) : 0;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* "field:char next_comm[16];" and "field:__data_loc char[] name;" declare next_comm and name. */
static bool declares(const char *declaration, size_t len, const char *name)
{
	size_t end = len;
	size_t start;

	if (end && declaration[end - 1] == ']')
		while (end && declaration[end] != '[')
			end--;
	start = end;
	while (start && is_word(declaration[start - 1]))
		start--;
	return end - start == strlen(name) && memcmp(declaration + start, name, end - start) == 0;
}

bool event_format_field(const char *text, const char *name, struct event_field *ret)
{
	*ret = (struct event_field){ 0 };
	for (const char *p = strstr(text, "field:"); p; p = strstr(p, "field:")) {
		size_t line = strcspn(p, "\n");
		size_t declaration;

		p += 6;
		line -= 6;
		declaration = strcspn(p, ";\n");
		if (!declares(p, declaration, name))
			continue;
		ret->offset = (uint16_t)attribute_of(p, line, "offset:");
		ret->size = (uint16_t)attribute_of(p, line, "size:");
		ret->is_signed = attribute_of(p, line, "signed:") != 0;
		ret->is_dynamic = strncmp(p, "__data_loc", 10) == 0;
		return ret->size != 0;
	}
	return false;
}

static const char *find_list(const char *text, unsigned int list)
{
	static const char begin[] = "__print_symbolic(";
	const char *p = strstr(text, begin);

	while (p && list--)
		p = strstr(p + sizeof(begin) - 1, begin);
	return p ? p + sizeof(begin) - 1 : NULL;
}

bool event_format_symbol_field(const char *text, struct event_field *ret)
{
	const char *list = find_list(text, 0);
	size_t len = list && strncmp(list, "REC->", 5) == 0 ? strcspn(list + 5, ", )&") : 0;
	char name[64];

	*ret = (struct event_field){ 0 };
	if (len == 0 || len >= sizeof(name) || list[5 + len] != ',')
		return false;
	memcpy(name, list + 5, len);
	name[len] = '\0';
	return event_format_field(text, name, ret);
}

static void copy_lower(const char *from, size_t len, char *ret, size_t ret_bytes)
{
	size_t n = len < ret_bytes - 1 ? len : ret_bytes - 1;

	for (size_t i = 0; i < n; i++)
		ret[i] = (char)tolower((unsigned char)from[i]);
	ret[n] = '\0';
}

/* A number, or "(1 << 2)" as of flags; *end is behind it. */
static uint64_t parse_value(const char *p, char **end)
{
	bool is_shift = *(p += strspn(p, " ")) == '(';
	uint64_t value = strtoull(p + is_shift, end, 0);
	const char *shift = *end + strspn(*end, " ");

	if (!is_shift || strncmp(shift, "<<", 2) != 0)
		return value;
	value <<= strtoull(shift + 2, end, 0) & 63;
	*end += strspn(*end, " )");
	return value;
}

bool event_format_symbol(const char *text, unsigned int list, uint64_t value, char *ret, size_t ret_bytes)
{
	const char *p = find_list(text, list);
	const char *next = p ? strstr(p, "__print_symbolic(") : NULL;

	while (p && (p = strchr(p, '{')) && (!next || p < next)) {
		char *end;
		uint64_t number = parse_value(p + 1, &end);
		const char *open = end + strspn(end, ", ");

		p++;
		if (*open != '"' || number != value)
			continue;
		copy_lower(open + 1, strcspn(open + 1, "\""), ret, ret_bytes);
		return true;
	}
	return false;
}

uint64_t event_field_number(const struct event_field *field, const void *record, size_t len)
{
	const char *at = (const char *)record + field->offset;
	uint64_t value = 0;

	if (field->size > 8 || (size_t)field->offset + field->size > len)
		return 0;
	switch (field->size) {
	case 8:
		memcpy(&value, at, 8);
		return value;
	case 4: {
		uint32_t word;

		memcpy(&word, at, 4);
		return field->is_signed ? (uint64_t)(int64_t)(int32_t)word : word;
	}
	case 2: {
		uint16_t half;

		memcpy(&half, at, 2);
		return field->is_signed ? (uint64_t)(int64_t)(int16_t)half : half;
	}
	case 1:
		return field->is_signed ? (uint64_t)(int64_t)(signed char)*at : (unsigned char)*at;
	default:
		return 0;
	}
}

const char *event_field_text(const struct event_field *field, const void *record, size_t len, size_t *ret_len)
{
	size_t offset = field->offset;
	size_t size = field->size;

	if (field->is_dynamic) {
		uint32_t place = (uint32_t)event_field_number(field, record, len);

		offset = place & 0xffff;
		size = place >> 16;
	}
	*ret_len = 0;
	if (!field->size || offset + size > len)
		return "";
	*ret_len = size;
	return (const char *)record + offset;
}
