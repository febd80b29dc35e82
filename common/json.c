// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/json.h"

#include <errno.h>
#include <string.h>

#include "common/fs.h"

#define FILE_LIMIT ((size_t)1 << 30)
#define DUMP_FLAGS (JSON_INDENT(1) | JSON_REAL_PRECISION(15))

int json_read(const char *path, json_t **ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	json_error_t fault;
	json_t *value;
	size_t len;
	int r = fs_read(path, FILE_LIMIT, &text, &len, err);

	if (r < 0)
		return r;
	value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &fault);
	if (!value && json_error_code(&fault) == json_error_out_of_memory)
		return err_sys(err, -ENOMEM, "cannot read '%s'", path);
	if (!value)
		return err_set(err, -EINVAL, "%s:%d: %s", path, fault.line, fault.text);
	*ret = value;
	return 0;
}

int json_print(FILE *stream, const json_t *value, struct err *err)
{
	errno = 0;
	if (json_dumpf(value, stream, DUMP_FLAGS) < 0 || fputc('\n', stream) == EOF || fflush(stream) != 0)
		return err_sys(err, errno ? -errno : -EIO, "cannot print");
	return 0;
}

int json_write(const char *path, const json_t *value, struct err *err)
{
	_cleanup_free_ char *dump = json_dumps(value, DUMP_FLAGS);
	_cleanup_free_ char *text = dump ? str_printf("%s\n", dump) : NULL;

	if (!text)
		return err_set(err, -ENOMEM, "cannot write '%s': no memory, or no object or array", path);
	return fs_write_atomic(path, text, strlen(text), err);
}

const char *json_get_string(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

const char *json_get_name(const json_t *object, const char *key)
{
	return json_get_string(json_object_get(object, key), "name");
}

bool json_same_string(const json_t *a, const json_t *b, const char *key)
{
	return strcmp(json_get_string(a, key), json_get_string(b, key)) == 0;
}

uint64_t json_get_u64(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_integer(value) && json_integer_value(value) > 0)
		return (uint64_t)json_integer_value(value);
	if (json_is_real(value) && json_real_value(value) > 0 && json_real_value(value) < 0x1p63)
		return (uint64_t)json_real_value(value);
	return 0;
}
