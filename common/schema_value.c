// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/schema_value.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/schema_strings.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* Rising; the plain number comes first. */
static const struct unit count_units[] = { { "", 1 }, { NULL, 0 } };
static const struct unit size_units[] = {
	{ "B", 1 },  { "KiB", 1ULL << 10 }, { "MiB", 1ULL << 20 }, { "GiB", 1ULL << 30 }, { "TiB", 1ULL << 40 },
	{ NULL, 0 },
};
static const struct unit duration_units[] = {
	{ "ns", 1 },	     { "us", 1000 },	     { "ms", 1000000 },
	{ "s", 1000000000 }, { "min", 60000000000 }, { "h", 3600000000000 },
	{ NULL, 0 },
};
static const char *const bool_words[] = { "false", "true", "no", "yes", NULL }; /* the odd ones are true */

static const struct unit *units_of(const struct schema_field *field)
{
	if (field->type == SCHEMA_DURATION)
		return duration_units;
	return field->type == SCHEMA_SIZE ? size_units : count_units;
}

static void *member(const struct schema_field *field, void *object)
{
	return (char *)object + field->offset;
}

/* Appends; what does not fit is cut. */
static void add(char *text, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void add(char *text, size_t size, const char *fmt, ...)
{
	size_t len = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + len, size - len, fmt, ap);
	va_end(ap);
}

const char *schema_quote(const char *text, char ret[static SCHEMA_QUOTE_CHARS])
{
	size_t keep = strlen(text);

	if (keep >= SCHEMA_QUOTE_CHARS) {
		keep = SCHEMA_QUOTE_CHARS - 4;
		while (keep > 0 && ((unsigned char)text[keep] & 0xc0) == 0x80) /* never half a UTF-8 character */
			keep--;
	}
	for (size_t i = 0; i < keep; i++)
		ret[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i];
	snprintf(ret + keep, SCHEMA_QUOTE_CHARS - keep, "%s", text[keep] ? "..." : "");
	return ret;
}

static void add_words(char *text, size_t size, const char *const *words)
{
	for (size_t i = 0; words && words[i]; i++)
		add(text, size, "%s%s", i ? ", " : "", words[i]);
}

static void add_number(char *text, size_t size, const struct unit *units, uint64_t value)
{
	const struct unit *best = units;

	for (const struct unit *u = units; u->name && value; u++)
		if (value % u->factor == 0)
			best = u;
	add(text, size, "%llu%s", (unsigned long long)(value / best->factor), best->name);
}

static void add_range(char *text, size_t size, const struct schema_field *field)
{
	const struct unit *units = units_of(field);

	if (field->min && !field->max)
		add(text, size, "at least ");
	if (field->min || field->max)
		add_number(text, size, units, field->min);
	if (field->max) {
		add(text, size, " to ");
		add_number(text, size, units, field->max);
	}
	if (!units[1].name) {
		add(text, size, "%s", text[0] ? "" : "0 or more");
		return;
	}
	add(text, size, "%swith unit ", text[0] ? ", " : "");
	for (size_t i = 0; units[i].name; i++)
		add(text, size, "%s%s", !i ? "" : units[i + 1].name ? ", " : " or ", units[i].name);
}

const char *schema_allowed(const struct schema_field *field, char ret[static SCHEMA_ALLOWED_CHARS])
{
	ret[0] = '\0';
	switch (field->type) {
	case SCHEMA_BOOL:
		add(ret, SCHEMA_ALLOWED_CHARS, "true, false, yes, no");
		break;
	case SCHEMA_UINT:
	case SCHEMA_DURATION:
	case SCHEMA_SIZE:
		add_range(ret, SCHEMA_ALLOWED_CHARS, field);
		break;
	case SCHEMA_ENUM:
	case SCHEMA_FLAGS:
		add_words(ret, SCHEMA_ALLOWED_CHARS, field->names);
		break;
	case SCHEMA_STRING:
	case SCHEMA_STRINGS:
	case SCHEMA_STRUCT:
	case SCHEMA_LIST:
	case SCHEMA_TYPE_MAX:
		break;
	}
	return ret;
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Levenshtein's distance, one row at a time. */
static size_t distance(const char *a, const char *b)
{
	size_t row[SCHEMA_QUOTE_CHARS];
	size_t len = strlen(b);

	if (len >= ARRAY_SIZE(row) || strlen(a) >= ARRAY_SIZE(row))
		return SIZE_MAX;
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			size_t above = row[j];

			row[j] = least(above + 1, row[j - 1] + 1, corner + (a[i - 1] != b[j - 1]));
			corner = above;
		}
	}
	return row[len];
}

bool schema_is_nearer(const char *text, const char *candidate, size_t *best)
{
	size_t far = distance(text, candidate);

	if (far >= *best || far >= strlen(candidate)) /* nothing in common is not near, however short */
		return false;
	*best = far;
	return true;
}

static int find_word(const char *const *words, const char *text, uint64_t *ret)
{
	for (size_t i = 0; words && words[i]; i++) {
		if (strcmp(words[i], text) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_bool(const char *text, uint64_t *ret)
{
	uint64_t word;
	int r = find_word(bool_words, text, &word);

	if (r == 0)
		*ret = word & 1;
	return r;
}

static int parse_number(const struct unit *units, const char *text, uint64_t *ret)
{
	uint64_t value = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return -ERANGE;
	for (; p != text && units->name; units++) {
		if (strcmp(p, units->name) != 0)
			continue;
		if (__builtin_mul_overflow(value, units->factor, &value))
			return -ERANGE;
		*ret = value;
		return 0;
	}
	return -EINVAL;
}

static int parse_ranged(const struct schema_field *field, const char *text, uint64_t *ret)
{
	uint64_t value;
	int r = parse_number(units_of(field), text, &value);

	if (r < 0)
		return r;
	if (value < field->min || (field->max && value > field->max))
		return -ERANGE;
	*ret = value;
	return 0;
}

static int parse_plain(const struct schema_field *field, const char *text, uint64_t *ret)
{
	switch (field->type) {
	case SCHEMA_BOOL:
		return parse_bool(text, ret);
	case SCHEMA_UINT:
	case SCHEMA_DURATION:
	case SCHEMA_SIZE:
		return parse_ranged(field, text, ret);
	case SCHEMA_ENUM:
	case SCHEMA_FLAGS:
		return find_word(field->names, text, ret);
	case SCHEMA_STRING:
	case SCHEMA_STRINGS:
	case SCHEMA_STRUCT:
	case SCHEMA_LIST:
	case SCHEMA_TYPE_MAX:
		break;
	}
	return -EINVAL;
}

int schema_parse_value(const struct schema_field *field, const char *text, uint64_t *ret, struct err *err)
{
	static const char *const nouns[SCHEMA_TYPE_MAX] = {
		[SCHEMA_BOOL] = "true or false", [SCHEMA_UINT] = "a number",	 [SCHEMA_DURATION] = "a duration",
		[SCHEMA_SIZE] = "a size",	 [SCHEMA_ENUM] = "a known word", [SCHEMA_FLAGS] = "a known word",
	};
	char quoted[SCHEMA_QUOTE_CHARS];
	char allowed[SCHEMA_ALLOWED_CHARS];
	const char *noun = field->type < SCHEMA_TYPE_MAX && nouns[field->type] ? nouns[field->type] : "a single value";
	int r = parse_plain(field, text, ret);

	if (r == 0)
		return 0;
	schema_quote(text, quoted);
	schema_allowed(field, allowed);
	if (r == -ERANGE)
		return err_set(err, -EINVAL, "%s: '%s' is out of range; allowed: %s", field->key, quoted, allowed);
	return err_set(err, -EINVAL, "%s: '%s' is not %s; allowed: %s", field->key, quoted, noun, allowed);
}

static int store_string(const struct schema_field *field, const char *text, void *object)
{
	char **string = member(field, object);
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free(*string);
	*string = copy;
	return 0;
}

static int store_number(const struct schema_field *field, const char *text, void *object, struct err *err)
{
	void *target = member(field, object);
	uint64_t value;
	int ret = schema_parse_value(field, text, &value, err);

	if (ret < 0)
		return ret;
	if (field->type == SCHEMA_BOOL)
		*(bool *)target = value;
	else if (field->type == SCHEMA_ENUM)
		*(int *)target = (int)value;
	else if (field->type == SCHEMA_FLAGS)
		*(uint32_t *)target |= 1U << value;
	else
		*(uint64_t *)target = value;
	return 0;
}

int schema_store(const struct schema_field *field, const char *text, void *object, struct err *err)
{
	int ret;

	if (field->type != SCHEMA_STRING && field->type != SCHEMA_STRINGS)
		return store_number(field, text, object, err);
	ret = field->type == SCHEMA_STRING ? store_string(field, text, object)
					   : schema_strings_add(member(field, object), text);
	return ret < 0 ? err_sys(err, ret, "%s", field->key) : 0;
}

static size_t member_bytes(const struct schema_field *field)
{
	switch (field->type) {
	case SCHEMA_STRING:
		return sizeof(char *);
	case SCHEMA_BOOL:
		return sizeof(bool);
	case SCHEMA_UINT:
	case SCHEMA_DURATION:
	case SCHEMA_SIZE:
		return sizeof(uint64_t);
	case SCHEMA_ENUM:
		return sizeof(int);
	case SCHEMA_FLAGS:
		return sizeof(uint32_t);
	case SCHEMA_STRINGS:
		return sizeof(struct schema_strings);
	case SCHEMA_LIST:
		return sizeof(struct schema_list);
	case SCHEMA_STRUCT: /* field by field */
	case SCHEMA_TYPE_MAX:
		break;
	}
	return 0;
}

void schema_zero_field(const struct schema_field *field, void *object)
{
	memset(member(field, object), 0, member_bytes(field));
	if (field->has_offset)
		*((char *)object + field->has_offset) = false;
	for (const struct schema_field *f = field->fields; field->type == SCHEMA_STRUCT && f->key; f++)
		schema_zero_field(f, member(field, object));
}

static void clear_fields(const struct schema_field *fields, void *object)
{
	for (; fields->key; fields++)
		schema_clear_field(fields, object);
}

void schema_clear_field(const struct schema_field *field, void *object)
{
	struct schema_list *list = member(field, object);

	if (field->type == SCHEMA_STRING)
		free(*(char **)member(field, object));
	if (field->type == SCHEMA_STRUCT)
		clear_fields(field->fields, member(field, object));
	if (field->type == SCHEMA_STRINGS)
		schema_strings_clear(member(field, object));
	if (field->type == SCHEMA_LIST) {
		for (size_t i = 0; i < list->count; i++)
			clear_fields(field->fields, (char *)list->item + i * field->item_bytes);
		free(list->item);
	}
	schema_zero_field(field, object);
}

static int fill_list(const struct schema_field *field, void *object, struct err *err)
{
	_cleanup_free_ char *words = strdup(field->fallback + strspn(field->fallback, "[ "));
	char *state;
	int ret = 0;

	if (!words)
		return err_sys(err, -ENOMEM, "%s", field->key);
	for (char *word = strtok_r(words, "], ", &state); word && ret == 0; word = strtok_r(NULL, "], ", &state))
		ret = schema_store(field, word, object, err);
	return ret;
}

int schema_fill_field(const struct schema_field *field, void *object, struct err *err)
{
	int ret = 0;

	if (field->type == SCHEMA_STRUCT) {
		for (const struct schema_field *f = field->fields; f->key && ret == 0; f++)
			ret = schema_fill_field(f, member(field, object), err);
		return ret;
	}
	if (!field->fallback)
		return 0;
	if (field->type == SCHEMA_FLAGS || field->type == SCHEMA_STRINGS)
		return fill_list(field, object, err);
	return schema_store(field, field->fallback, object, err);
}

void schema_mark_given(const struct schema_field *field, void *object)
{
	if (field->has_offset)
		*(bool *)((char *)object + field->has_offset) = true;
}
