/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The little that jansson leaves to its users. */
#ifndef VCPULAT_JSON_H
#define VCPULAT_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/err.h"

#define _cleanup_json_ _cleanup_(json_decrefp)

/**
 * json_read - load a JSON file
 * @path: the file, at most 1 GiB
 * @ret: new reference
 * @err: file:line of the first fault
 *
 * Return: 0, -EINVAL for a malformed file, or another -errno.
 */
int json_read(const char *path, json_t **ret, struct err *err);

/**
 * json_write - write a JSON file atomically, keys in the order they were set
 * @path: the file
 * @value: borrowed
 * @err: says what failed
 *
 * Return: 0 or -errno.
 */
int json_write(const char *path, const json_t *value, struct err *err);

/**
 * json_print - the text of json_write(), on a stream
 * @stream: flushed at the end
 * @value: borrowed
 * @err: says what failed
 *
 * Return: 0 or -errno, e.g. -ENOSPC.
 */
int json_print(FILE *stream, const json_t *value, struct err *err);

/**
 * json_get_string - a member's text
 * @object: may be NULL or no object
 * @key: member
 *
 * Return: borrowed; "" when there is none.
 */
const char *json_get_string(const json_t *object, const char *key);

/**
 * json_get_name - the member "name" of a member
 * @object: may be NULL or no object
 * @key: member, e.g. "arm" of a result
 *
 * Return: as json_get_string().
 */
const char *json_get_name(const json_t *object, const char *key);

/**
 * json_same_string - do two objects say the same under a key?
 * @a: as json_get_string(); one that has no such text says ""
 * @b: likewise
 * @key: member
 */
bool json_same_string(const json_t *a, const json_t *b, const char *key);

/**
 * json_get_u64 - a member's number
 * @object: may be NULL or no object
 * @key: member
 *
 * Return: 0 when there is none or it is negative.
 */
uint64_t json_get_u64(const json_t *object, const char *key);

#endif
