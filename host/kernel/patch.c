// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "host/kernel/kernel_p.h"

static bool leads_out(const char *path)
{
	size_t len = strlen(path);

	return *path == '/' || !*path || strcmp(path, "..") == 0 || strncmp(path, "../", 3) == 0 ||
	       strstr(path, "/../") || (len > 2 && strcmp(path + len - 3, "/..") == 0);
}

static bool has(const json_t *files, const char *path)
{
	const json_t *file;
	size_t i;

	json_array_foreach (files, i, file)
		if (strcmp(json_string_value(file), path) == 0)
			return true;
	return false;
}

/* "a/mm/vmstat.c\t2022-01-01": the name ends at a tab, and -p1 takes its first part away. */
static int add_name(const char *name, size_t len, bool strip, json_t *files, struct err *err)
{
	_cleanup_free_ char *copy = strndup(name, len);
	char *path = copy;

	if (!copy)
		return err_sys(err, -ENOMEM, "patch");
	path[strcspn(path, "\t\r\n")] = '\0';
	if (strcmp(path, "/dev/null") == 0)
		return 0;
	if (strip)
		path = strchr(path, '/') ? strchr(path, '/') + 1 : path + strlen(path);
	if (leads_out(path))
		return err_set(err, -EINVAL, "'%.*s' leads out of the source tree", (int)len, name);
	if (!has(files, path) && json_array_append_new(files, json_string(path)) < 0)
		return err_set(err, -EINVAL, "'%s' is no file name", path);
	return 0;
}

static bool begins(const char *line, const char *word)
{
	return strncmp(line, word, strlen(word)) == 0;
}

/* A removed line "-- x" looks like a name too; only the pair of lines "---", "+++" is one. */
static int add_pair(const char *line, const char *next, json_t *files, struct err *err)
{
	int r;

	if (!begins(line, "--- ") || !begins(next, "+++ "))
		return 0;
	r = add_name(line + 4, strcspn(line + 4, "\n"), true, files, err);
	return r < 0 ? r : add_name(next + 4, strcspn(next + 4, "\n"), true, files, err);
}

static int add_moved(const char *line, json_t *files, struct err *err)
{
	static const char *const words[] = { "rename from ", "rename to ", "copy from ", "copy to " };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (begins(line, words[i]))
			return add_name(line + strlen(words[i]), strcspn(line + strlen(words[i]), "\n"), false, files,
					err);
	return 0;
}

int kernel_patch_files(const char *text, json_t *ret_files, struct err *err)
{
	size_t before = json_array_size(ret_files);
	const char *line = text;
	int r = 0;

	while (r == 0 && *line) {
		const char *end = strchr(line, '\n');
		const char *next = end ? end + 1 : line + strlen(line);

		r = add_pair(line, next, ret_files, err);
		if (r == 0)
			r = add_moved(line, ret_files, err);
		line = next;
	}
	if (r == 0 && json_array_size(ret_files) == before && !strstr(text, "\n--- ") && !begins(text, "--- "))
		return err_set(err, -EINVAL, "no file to change is named in it: this is no unified diff");
	return r;
}
