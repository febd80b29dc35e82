// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/load.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/json.h"

char *load_result_path(const char *path)
{
	size_t len = strlen(path);
	struct stat status;
	char *inside;

	if (stat(path, &status) < 0 || !S_ISDIR(status.st_mode))
		return strdup(path);
	inside = str_printf("%s/result.json", path);
	if (!inside || fs_exists(inside))
		return inside;
	free(inside);
	while (len > 1 && path[len - 1] == '/')
		len--;
	return str_printf("%.*s.result.json", (int)len, path);
}

static int check(const char *path, const json_t *document, struct err *err)
{
	const char *schema = json_get_string(document, "schema");

	if (strcmp(schema, LOAD_COMPARISON_SCHEMA) == 0) {
		if (json_is_array(json_object_get(document, "rows")) &&
		    json_is_array(json_object_get(document, "verdicts")))
			return 0;
		return err_set(err, -EINVAL, "%s: a comparison without 'rows' or 'verdicts'", path);
	}
	if (strcmp(schema, LOAD_RESULT_SCHEMA) != 0)
		return err_set(err, -EINVAL, "%s: neither %s nor %s, but '%s'; 'vcpulat analyze' makes a result", path,
			       LOAD_RESULT_SCHEMA, LOAD_COMPARISON_SCHEMA, schema);
	if (!*json_get_name(document, "scenario"))
		return err_set(err, -EINVAL, "%s: no scenario.name", path);
	if (!*json_get_name(document, "arm"))
		return err_set(err, -EINVAL, "%s: no arm.name", path);
	if (!json_is_array(json_object_get(document, "gaps")))
		return err_set(err, -EINVAL, "%s: no list 'gaps'", path);
	return 0;
}

int load_file(const char *path, json_t **ret, struct err *err)
{
	_cleanup_free_ char *file = load_result_path(path);
	_cleanup_json_ json_t *document = NULL;
	int r;

	if (!file)
		return err_sys(err, -ENOMEM, "cannot read '%s'", path);
	r = json_read(file, &document, err);
	if (r < 0)
		return r;
	r = check(file, document, err);
	if (r < 0)
		return r;
	if (json_object_set_new(document, "path", json_string(file)) < 0)
		return err_sys(err, -ENOMEM, "cannot read '%s'", path);
	*ret = TAKE_PTR(document);
	return 0;
}

bool load_is_comparison(const json_t *document)
{
	return strcmp(json_get_string(document, "schema"), LOAD_COMPARISON_SCHEMA) == 0;
}

int load_results_add(struct load_results *results, json_t *result)
{
	const json_t **list = reallocarray(results->result, results->count + 1, sizeof(*list));

	if (!list) {
		json_decref(result);
		return -ENOMEM;
	}
	results->result = list;
	list[results->count++] = result;
	return 0;
}

/* Below the comparison's directory: where a set of files was moved as a whole, the end of the path still holds. */
static char *find_beside(const char *comparison, const char *path)
{
	const char *slash = strrchr(comparison, '/');

	for (const char *end = path; end && *end; end = strchr(end, '/')) {
		char *other;

		end += strspn(end, "/");
		other = str_printf("%.*s%s", slash ? (int)(slash + 1 - comparison) : 0, comparison, end);
		if (!other || fs_exists(other))
			return other;
		free(other);
	}
	return NULL;
}

int load_results_of(const json_t *comparison, struct load_results *results, struct err *err)
{
	json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(comparison, "results"), i, entry) {
		const char *path = json_string_value(entry) ? json_string_value(entry) : "";
		_cleanup_free_ char *other = NULL;
		json_t *result = NULL;
		int r;

		if (!fs_exists(path))
			other = find_beside(json_get_string(comparison, "path"), path);
		r = load_file(other ? other : path, &result, err);
		if (r < 0)
			return r;
		r = load_results_add(results, result);
		if (r < 0)
			return err_sys(err, r, "cannot read '%s'", path);
	}
	return 0;
}

void load_results_done(struct load_results *results)
{
	for (size_t i = 0; i < results->count; i++)
		json_decref((json_t *)results->result[i]);
	free(results->result);
	*results = (struct load_results){ 0 };
}
