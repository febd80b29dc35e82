// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/schema.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <yaml.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/schema_value.h"

#define _cleanup_event_ _cleanup_(yaml_event_delete)
#define _cleanup_parser_ _cleanup_(yaml_parser_delete)

/* One document on its way into a struct. Events are taken one by one, so that nothing is built that does not fit. */
struct reader {
	yaml_parser_t *parser;
	const char *name; /* what errors call the document */
	const char *text;
	size_t len;
	struct err *err;
};

static size_t line_of(const yaml_event_t *event)
{
	return event->start_mark.line + 1;
}

static int fault(struct reader *r, size_t line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static int fault(struct reader *r, size_t line, const char *fmt, ...)
{
	char msg[sizeof(r->err->msg)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	return err_set(r->err, -EINVAL, "%s:%zu: %s", r->name, line, msg);
}

static size_t count_lines(const char *text, size_t len)
{
	size_t lines = 1;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	return lines;
}

static bool is_indented_by_tab(const struct reader *r, size_t line)
{
	const char *end = r->text + r->len;
	const char *p = r->text;

	for (size_t i = 1; i < line && p; i++) {
		p = memchr(p, '\n', (size_t)(end - p));
		p = p ? p + 1 : NULL;
	}
	while (p && p < end && *p == ' ')
		p++;
	return p && p < end && *p == '\t';
}

/* What libyaml found wrong. Its reader knows an offset only, the rest a line. */
static int syntax_fault(struct reader *r)
{
	const yaml_parser_t *parser = r->parser;
	size_t line = parser->problem_mark.line + 1;
	size_t offset = parser->problem_offset < r->len ? parser->problem_offset : r->len;

	if (parser->error == YAML_MEMORY_ERROR)
		return err_sys(r->err, -ENOMEM, "%s", r->name);
	if (parser->error == YAML_READER_ERROR)
		return fault(r, count_lines(r->text, offset), "%s", parser->problem);
	if (is_indented_by_tab(r, line))
		return fault(r, line, "a tab indents; use spaces");
	if (parser->context)
		return fault(r, line, "%s %s", parser->problem, parser->context);
	return fault(r, line, "%s", parser->problem);
}

static const char *anchor_of(const yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL;

	if (event->type == YAML_ALIAS_EVENT)
		anchor = event->data.alias.anchor;
	if (event->type == YAML_SCALAR_EVENT)
		anchor = event->data.scalar.anchor;
	if (event->type == YAML_SEQUENCE_START_EVENT)
		anchor = event->data.sequence_start.anchor;
	if (event->type == YAML_MAPPING_START_EVENT)
		anchor = event->data.mapping_start.anchor;
	return (const char *)anchor;
}

static const char *tag_of(const yaml_event_t *event)
{
	const yaml_char_t *tag = NULL;

	if (event->type == YAML_SCALAR_EVENT)
		tag = event->data.scalar.tag;
	if (event->type == YAML_SEQUENCE_START_EVENT)
		tag = event->data.sequence_start.tag;
	if (event->type == YAML_MAPPING_START_EVENT)
		tag = event->data.mapping_start.tag;
	return (const char *)tag;
}

/* @event is empty, and to be deleted by the caller whatever this returns. */
static int next_event(struct reader *r, yaml_event_t *event)
{
	char quoted[SCHEMA_QUOTE_CHARS];
	const char *anchor;
	const char *tag;

	if (!yaml_parser_parse(r->parser, event))
		return syntax_fault(r);
	anchor = anchor_of(event);
	if (anchor)
		return fault(r, line_of(event), "'%c%s': anchors and aliases are not supported",
			     event->type == YAML_ALIAS_EVENT ? '*' : '&', schema_quote(anchor, quoted));
	tag = tag_of(event);
	if (tag)
		return fault(r, line_of(event), "'%s': tags are not supported", schema_quote(tag, quoted));
	return 0;
}

static bool is_null(const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;

	if (event->type != YAML_SCALAR_EVENT || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	return !text[0] || strcmp(text, "~") == 0 || strcmp(text, "null") == 0;
}

static const char *found(const yaml_event_t *event)
{
	if (is_null(event))
		return "nothing";
	if (event->type == YAML_MAPPING_START_EVENT)
		return "a mapping";
	return event->type == YAML_SEQUENCE_START_EVENT ? "a list" : "a single value";
}

static int wrong_type(struct reader *r, const struct schema_field *field, const yaml_event_t *event)
{
	static const char *const wanted[SCHEMA_TYPE_MAX] = {
		[SCHEMA_FLAGS] = "a single value or a list of them",
		[SCHEMA_STRINGS] = "a single value or a list of them",
		[SCHEMA_STRUCT] = "a mapping",
		[SCHEMA_LIST] = "a list of mappings",
	};
	const char *want = wanted[field->type] ? wanted[field->type] : "a single value";
	char allowed[SCHEMA_ALLOWED_CHARS];

	schema_allowed(field, allowed);
	return fault(r, line_of(event), "%s: found %s where %s is expected%s%s", field->key, found(event), want,
		     allowed[0] ? "; allowed: " : "", allowed);
}

static int read_scalar(struct reader *r, const struct schema_field *field, const yaml_event_t *event, void *object)
{
	const char *text = (const char *)event->data.scalar.value;
	int ret;

	if (event->type != YAML_SCALAR_EVENT || is_null(event))
		return wrong_type(r, field, event);
	if (strlen(text) != event->data.scalar.length)
		return fault(r, line_of(event), "%s: the value contains a NUL character", field->key);
	ret = schema_store(field, text, object, r->err);
	return ret < 0 ? err_prefix(r->err, ret, "%s:%zu", r->name, line_of(event)) : 0;
}

static int read_scalars(struct reader *r, const struct schema_field *field, const yaml_event_t *event, void *object)
{
	int ret;

	schema_clear_field(field, object); /* the default goes when a value is given */
	if (event->type != YAML_SEQUENCE_START_EVENT)
		return read_scalar(r, field, event, object);
	for (;;) {
		_cleanup_event_ yaml_event_t item = { .type = YAML_NO_EVENT };

		ret = next_event(r, &item);
		if (ret < 0 || item.type == YAML_SEQUENCE_END_EVENT)
			return ret;
		ret = read_scalar(r, field, &item, object);
		if (ret < 0)
			return ret;
	}
}

/* Room for one more; a power of two is reallocated, so that no capacity need be kept. */
static void *list_append(const struct schema_field *field, struct schema_list *list)
{
	if ((list->count & (list->count - 1)) == 0) {
		void *bigger = reallocarray(list->item, list->count ? list->count * 2 : 1, field->item_bytes);

		if (!bigger)
			return NULL;
		list->item = bigger;
	}
	return memset((char *)list->item + list->count++ * field->item_bytes, 0, field->item_bytes);
}

static int fill_fields(const struct schema_field *fields, void *object, struct err *err)
{
	int ret = 0;

	for (; fields->key && ret == 0; fields++)
		ret = schema_fill_field(fields, object, err);
	return ret;
}

static int read_mapping(struct reader *r, const struct schema_field *fields, const yaml_event_t *start, void *object);

static int read_item(struct reader *r, const struct schema_field *field, const yaml_event_t *event,
		     struct schema_list *list)
{
	void *item;
	int ret;

	if (event->type != YAML_MAPPING_START_EVENT)
		return wrong_type(r, field, event);
	item = list_append(field, list);
	if (!item)
		return err_sys(r->err, -ENOMEM, "%s:%zu: %s", r->name, line_of(event), field->key);
	ret = fill_fields(field->fields, item, r->err);
	return ret < 0 ? ret : read_mapping(r, field->fields, event, item);
}

static int read_list(struct reader *r, const struct schema_field *field, const yaml_event_t *event, void *object)
{
	struct schema_list *list = (struct schema_list *)((char *)object + field->offset);
	int ret;

	if (event->type != YAML_SEQUENCE_START_EVENT)
		return wrong_type(r, field, event);
	for (;;) {
		_cleanup_event_ yaml_event_t item = { .type = YAML_NO_EVENT };

		ret = next_event(r, &item);
		if (ret < 0 || item.type == YAML_SEQUENCE_END_EVENT)
			return ret;
		ret = read_item(r, field, &item, list);
		if (ret < 0)
			return ret;
	}
}

static int read_value(struct reader *r, const struct schema_field *field, void *object)
{
	_cleanup_event_ yaml_event_t event = { .type = YAML_NO_EVENT };
	int ret = next_event(r, &event);

	if (ret < 0)
		return ret;
	if (field->type == SCHEMA_LIST)
		return read_list(r, field, &event, object);
	if (field->type == SCHEMA_FLAGS || field->type == SCHEMA_STRINGS)
		return read_scalars(r, field, &event, object);
	if (field->type != SCHEMA_STRUCT)
		return read_scalar(r, field, &event, object);
	if (event.type != YAML_MAPPING_START_EVENT)
		return wrong_type(r, field, &event);
	return read_mapping(r, field->fields, &event, (char *)object + field->offset);
}

static int unknown_key(struct reader *r, const struct schema_field *fields, const yaml_event_t *key)
{
	const char *text = (const char *)key->data.scalar.value;
	char quoted[SCHEMA_QUOTE_CHARS];
	char allowed[SCHEMA_ALLOWED_CHARS] = "";
	const char *nearest = NULL;
	size_t best = SCHEMA_FAR;
	size_t used = 0;

	if (strcmp(text, "<<") == 0)
		return fault(r, line_of(key), "merge keys (<<) are not supported");
	for (const struct schema_field *f = fields; f->key; f++) {
		if (schema_is_nearer(text, f->key, &best))
			nearest = f->key;
		if (used < sizeof(allowed))
			used += (size_t)snprintf(allowed + used, sizeof(allowed) - used, "%s%s", used ? ", " : "",
						 f->key);
	}
	schema_quote(text, quoted);
	if (nearest)
		return fault(r, line_of(key), "unknown key '%s'; did you mean '%s'? allowed: %s", quoted, nearest,
			     allowed);
	return fault(r, line_of(key), "unknown key '%s'; allowed: %s", quoted, allowed);
}

/* @lines: where each key of the table was seen, 0: not yet. */
static int find_key(struct reader *r, const struct schema_field *fields, const yaml_event_t *key,
		    size_t lines[static SCHEMA_MAX_FIELDS], const struct schema_field **ret_field)
{
	const char *text = (const char *)key->data.scalar.value;
	const struct schema_field *f = fields;

	if (key->type != YAML_SCALAR_EVENT)
		return fault(r, line_of(key), "found %s where a key is expected", found(key));
	while (f->key && strcmp(f->key, text) != 0)
		f++;
	if (!f->key || strlen(text) != key->data.scalar.length)
		return unknown_key(r, fields, key);
	if (lines[f - fields])
		return fault(r, line_of(key), "duplicate key '%s'; first given in line %zu", text, lines[f - fields]);
	lines[f - fields] = line_of(key);
	*ret_field = f;
	return 0;
}

static int check_required(struct reader *r, const struct schema_field *fields, size_t line,
			  const size_t lines[static SCHEMA_MAX_FIELDS])
{
	for (const struct schema_field *f = fields; f->key; f++)
		if (f->required && !lines[f - fields])
			return fault(r, line, "key '%s' is missing%s%s", f->key, f->help ? ": " : "",
				     f->help ? f->help : "");
	return 0;
}

static size_t count_fields(const struct schema_field *fields)
{
	size_t count = 0;

	while (fields[count].key)
		count++;
	return count;
}

static int read_mapping(struct reader *r, const struct schema_field *fields, const yaml_event_t *start, void *object)
{
	size_t lines[SCHEMA_MAX_FIELDS] = { 0 };
	const struct schema_field *field = NULL;
	int ret;

	if (count_fields(fields) > SCHEMA_MAX_FIELDS)
		return fault(r, line_of(start), "the table of keys is too long");
	for (;;) {
		_cleanup_event_ yaml_event_t key = { .type = YAML_NO_EVENT };

		ret = next_event(r, &key);
		if (ret < 0)
			return ret;
		if (key.type == YAML_MAPPING_END_EVENT)
			return check_required(r, fields, line_of(start), lines);
		ret = find_key(r, fields, &key, lines, &field);
		if (ret < 0)
			return ret;
		ret = read_value(r, field, object);
		if (ret < 0)
			return ret;
		schema_mark_given(field, object);
	}
}

static int read_root(struct reader *r, const struct schema_field *fields, void *object)
{
	_cleanup_event_ yaml_event_t event = { .type = YAML_NO_EVENT };
	int ret = next_event(r, &event);

	if (ret < 0)
		return ret;
	if (is_null(&event))
		return fault(r, line_of(&event), "the document is empty");
	if (event.type != YAML_MAPPING_START_EVENT)
		return fault(r, line_of(&event), "found %s where keys are expected", found(&event));
	return read_mapping(r, fields, &event, object);
}

static int expect(struct reader *r, yaml_event_type_t type, const char *otherwise)
{
	_cleanup_event_ yaml_event_t event = { .type = YAML_NO_EVENT };
	int ret = next_event(r, &event);

	if (ret < 0)
		return ret;
	return event.type == type ? 0 : fault(r, line_of(&event), "%s", otherwise);
}

static int read_stream(struct reader *r, const struct schema_field *fields, void *object)
{
	int ret = expect(r, YAML_STREAM_START_EVENT, "this is no YAML");

	ret = ret < 0 ? ret : expect(r, YAML_DOCUMENT_START_EVENT, "the document is empty");
	ret = ret < 0 ? ret : read_root(r, fields, object);
	ret = ret < 0 ? ret : expect(r, YAML_DOCUMENT_END_EVENT, "the document does not end");
	return ret < 0 ? ret : expect(r, YAML_STREAM_END_EVENT, "a second document begins; only one is allowed");
}

int schema_parse(const char *name, const char *text, size_t len, const struct schema_field *fields, size_t object_bytes,
		 void *object, struct err *err)
{
	_cleanup_parser_ yaml_parser_t parser = { .error = YAML_NO_ERROR };
	struct reader r = { .parser = &parser, .name = name, .text = text, .len = len, .err = err };
	int ret;

	memset(object, 0, object_bytes);
	if (!yaml_parser_initialize(&parser))
		return err_sys(err, -ENOMEM, "%s", name);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	ret = fill_fields(fields, object, err);
	ret = ret < 0 ? ret : read_stream(&r, fields, object);
	if (ret < 0)
		schema_clear(fields, object_bytes, object);
	return ret;
}

int schema_load(const char *path, const struct schema_field *fields, size_t object_bytes, void *object, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int ret;

	memset(object, 0, object_bytes);
	ret = fs_read(path, SCHEMA_MAX_BYTES, &text, &len, err);
	return ret < 0 ? ret : schema_parse(path, text, len, fields, object_bytes, object, err);
}

void schema_clear(const struct schema_field *fields, size_t object_bytes, void *object)
{
	for (; fields->key; fields++)
		schema_clear_field(fields, object);
	memset(object, 0, object_bytes);
}
