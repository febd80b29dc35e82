/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * YAML documents against a typed table: one row a key, with its type, unit, range,
 * default and help. The same rows check a file, fill a struct and print the reference.
 * Errors name file:line, the key, the value and what is allowed.
 *
 * Not supported, and refused: anchors and aliases (alias bombs), merge keys, several
 * documents in one file, files over SCHEMA_MAX_BYTES, anything but a regular file.
 */
#ifndef VCPULAT_SCHEMA_H
#define VCPULAT_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"

#define SCHEMA_MAX_BYTES (256 * 1024)
#define SCHEMA_MAX_FIELDS 64

enum schema_type {
	SCHEMA_STRING,	 /* char *, heap */
	SCHEMA_BOOL,	 /* bool: true, false, yes, no */
	SCHEMA_UINT,	 /* uint64_t, plain number */
	SCHEMA_DURATION, /* uint64_t nanoseconds: "20s", "1500ms", "100us", "80ns", "5min", "12h" */
	SCHEMA_SIZE,	 /* uint64_t bytes: "512MiB", "3GiB", "4KiB" */
	SCHEMA_ENUM,	 /* int: index into names */
	SCHEMA_FLAGS,	 /* uint32_t: bit i set for names[i]; a scalar or a list */
	SCHEMA_STRINGS,	 /* struct schema_strings: a scalar or a list of scalars */
	SCHEMA_STRUCT,	 /* nested mapping, embedded struct described by fields */
	SCHEMA_LIST,	 /* struct schema_list: a list of mappings described by fields */
	SCHEMA_TYPE_MAX
};

struct schema_strings {
	char **item;
	size_t count;
};

struct schema_list {
	void *item; /* array of count structs of item_bytes each */
	size_t count;
};

struct schema_field {
	const char *key; /* NULL ends a table */
	enum schema_type type;
	size_t offset;	   /* of the member in its struct */
	size_t has_offset; /* of a bool that says "was given"; 0: none (never the first member) */
	bool required;
	const char *fallback; /* default as it would be written; NULL: zero or empty */
	uint64_t min;	      /* inclusive range of numbers; max 0: no limit */
	uint64_t max;
	const char *const *names;	   /* ENUM, FLAGS: allowed words, NULL-terminated */
	const struct schema_field *fields; /* STRUCT, LIST: the nested table */
	size_t item_bytes;		   /* LIST: size of one struct */
	const char *help;		   /* one sentence, with the unit */
};

/**
 * schema_load - read a YAML file into a struct
 * @path: a regular file
 * @fields: the table, of at most SCHEMA_MAX_FIELDS rows
 * @object_bytes: size of @object
 * @object: the struct; zeroed here first; on failure it is cleared again
 * @err: file:line, key, value and the allowed values
 *
 * Return: 0, -EINVAL for a document that does not fit, or another -errno.
 */
int schema_load(const char *path, const struct schema_field *fields, size_t object_bytes, void *object,
		struct err *err);

/**
 * schema_parse - schema_load() of text in memory
 * @name: what errors call the document
 * @text: the document
 * @len: its length in bytes
 * @fields: the table
 * @object_bytes: size of @object
 * @object: as schema_load()
 * @err: as schema_load()
 *
 * Return: as schema_load().
 */
int schema_parse(const char *name, const char *text, size_t len, const struct schema_field *fields, size_t object_bytes,
		 void *object, struct err *err);

/**
 * schema_clear - free what schema_load() allocated inside a struct, and zero it
 * @fields: the table
 * @object_bytes: size of @object
 * @object: may be zeroed or half-filled
 */
void schema_clear(const struct schema_field *fields, size_t object_bytes, void *object);

/**
 * schema_print_reference - print every key with type, unit, range, default and help
 * @out: where
 * @fields: the table
 */
void schema_print_reference(FILE *out, const struct schema_field *fields);

/**
 * schema_parse_value - parse one scalar as a field would
 * @field: UINT, DURATION, SIZE, ENUM or BOOL
 * @text: e.g. "100us"
 * @ret: set to the value
 * @err: names the key, the value and what is allowed
 *
 * Also serves the command line (options.h). Return: 0 or -EINVAL.
 */
int schema_parse_value(const struct schema_field *field, const char *text, uint64_t *ret, struct err *err);

#endif
