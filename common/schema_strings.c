// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/schema_strings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int schema_strings_add(struct schema_strings *list, const char *text)
{
	char **item = reallocarray(list->item, list->count + 1, sizeof(*item));

	if (!item)
		return -ENOMEM;
	list->item = item;
	item[list->count] = strdup(text);
	if (!item[list->count])
		return -ENOMEM;
	list->count++;
	return 0;
}

bool schema_strings_has(const struct schema_strings *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->item[i], text) == 0)
			return true;
	return false;
}

char *schema_strings_join(const struct schema_strings *list, const char *between)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	for (size_t i = 0; out && i < list->count; i++)
		fprintf(out, "%s%s", i ? between : "", list->item[i]);
	if (out && fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

json_t *schema_strings_to_json(const struct schema_strings *list)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < list->count; i++) {
		if (json_array_append_new(array, json_string(list->item[i])) == 0)
			continue;
		json_decref(array);
		return NULL;
	}
	return array;
}

void schema_strings_clear(struct schema_strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->item[i]);
	free(list->item);
	*list = (struct schema_strings){ .count = 0 };
}
