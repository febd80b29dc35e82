/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of strings, as schema.h reads them: grow, hand on, free. */
#ifndef VCPULAT_SCHEMA_STRINGS_H
#define VCPULAT_SCHEMA_STRINGS_H

#include <jansson.h>

#include "common/schema.h"

/**
 * schema_strings_add - append a copy of a string
 * @list: may be zeroed
 * @text: copied
 *
 * Return: 0 or -ENOMEM.
 */
int schema_strings_add(struct schema_strings *list, const char *text);

/**
 * schema_strings_has - is a string in a list?
 * @list: may be zeroed
 * @text: compared byte by byte
 */
bool schema_strings_has(const struct schema_strings *list, const char *text);

/**
 * schema_strings_join - all strings as one
 * @list: may be zeroed
 * @between: stands between two of them
 *
 * Return: a string that the caller frees, or NULL without memory.
 */
char *schema_strings_join(const struct schema_strings *list, const char *between);

/**
 * schema_strings_to_json - a list as a JSON array
 * @list: may be zeroed
 *
 * Return: new reference, or NULL without memory.
 */
json_t *schema_strings_to_json(const struct schema_strings *list);

/**
 * schema_strings_clear - free the strings and the list, and zero it
 * @list: may be zeroed
 */
void schema_strings_clear(struct schema_strings *list);

#endif
