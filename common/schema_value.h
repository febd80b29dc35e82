/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Single values of a schema table: what the YAML reader (schema.h) and the command line
 * (options.h) share. Knows nothing of documents; never recurses but along the table.
 */
#ifndef VCPULAT_SCHEMA_VALUE_H
#define VCPULAT_SCHEMA_VALUE_H

#include "common/schema.h"

#define SCHEMA_QUOTE_CHARS 64
#define SCHEMA_ALLOWED_CHARS 512

/**
 * schema_quote - make foreign text fit for a message
 * @text: anything
 * @ret: set to at most 60 bytes of it, control characters replaced, "..." where it was cut
 *
 * Return: @ret.
 */
const char *schema_quote(const char *text, char ret[static SCHEMA_QUOTE_CHARS]);

/**
 * schema_allowed - say which values a field takes, e.g. "1ms to 10min, with unit ns, us, ms, s, min or h"
 * @field: any type
 * @ret: set to the words; "" where anything goes
 *
 * Return: @ret.
 */
const char *schema_allowed(const struct schema_field *field, char ret[static SCHEMA_ALLOWED_CHARS]);

/**
 * schema_is_nearer - compare words, to find the one a user may have meant
 * @text: what was written
 * @candidate: an allowed word
 * @best: the least distance so far, lowered when @candidate is nearer; start with SCHEMA_FAR
 *
 * Return: true when @candidate is the nearest so far.
 */
bool schema_is_nearer(const char *text, const char *candidate, size_t *best);

#define SCHEMA_FAR 4 /* words with so many different letters have nothing to do with each other */

/**
 * schema_store - parse one scalar and put it into its member
 * @field: all but STRUCT and LIST; FLAGS and STRINGS get one more element
 * @text: the scalar
 * @object: the struct that holds the member
 * @err: names the key, the value and what is allowed
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int schema_store(const struct schema_field *field, const char *text, void *object, struct err *err);

/**
 * schema_zero_field - empty a member without freeing what it held
 * @field: any type
 * @object: the struct that holds the member
 */
void schema_zero_field(const struct schema_field *field, void *object);

/**
 * schema_clear_field - free what a member holds, and empty it
 * @field: any type
 * @object: the struct that holds the member
 */
void schema_clear_field(const struct schema_field *field, void *object);

/**
 * schema_fill_field - put the default into an empty member
 * @field: any type; the fallback of FLAGS and STRINGS may be a list: "[a, b]"
 * @object: the struct that holds the member
 * @err: names the key; only a wrong table fails
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int schema_fill_field(const struct schema_field *field, void *object, struct err *err);

/**
 * schema_mark_given - set the member that says "was given", where there is one
 * @field: any type
 * @object: the struct that holds the member
 */
void schema_mark_given(const struct schema_field *field, void *object);

#endif
