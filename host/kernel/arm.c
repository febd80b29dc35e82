// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/kernel/arm.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "common/fs.h"
#include "common/json.h"
#include "common/schema_strings.h"
#include "host/paths.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
#define SUFFIX ".yaml"
#define DEBUG_VARIANT "+debug"
#define DEBUG_FRAGMENT "debug.config"

static const char *const source_names[] = { "debian-linux-6.1", "tarball", "tree", "image", "debian-package", NULL };

/* clang-format off */
const struct schema_field arm_fields[] = {
	{ .key = "description", .type = SCHEMA_STRING, .offset = offsetof(struct arm, description), .required = true,
	  .help = "one line: what this kernel is" },
	{ .key = "changes", .type = SCHEMA_STRING, .offset = offsetof(struct arm, changes), .fallback = "nothing",
	  .help = "what it does otherwise than stock" },
	{ .key = "source", .type = SCHEMA_ENUM, .offset = offsetof(struct arm, source), .names = source_names,
	  .fallback = "debian-linux-6.1", .help = "where the kernel's source comes from" },
	{ .key = "path", .type = SCHEMA_STRING, .offset = offsetof(struct arm, path), .fallback = "",
	  .help = "absolute path of the tarball, git tree or image; a Debian package's name" },
	{ .key = "config", .type = SCHEMA_STRINGS, .offset = offsetof(struct arm, config),
	  .help = "lines like CONFIG_X=y, or fragment files, on top of the project's fragment" },
	{ .key = "patches", .type = SCHEMA_STRINGS, .offset = offsetof(struct arm, patches),
	  .help = "patches in order: absolute paths, or names of files in images/kernels/patches" },
	{ .key = "removes", .type = SCHEMA_STRINGS, .offset = offsetof(struct arm, removes),
	  .help = "causes that this kernel is expected to remove" },
	{ .key = "adds", .type = SCHEMA_STRINGS, .offset = offsetof(struct arm, adds),
	  .help = "causes that this kernel is expected to have and stock has not" },
	{ .key = "cmdline", .type = SCHEMA_STRING, .offset = offsetof(struct arm, cmdline), .fallback = "",
	  .help = "appended to the kernel's command line" },
	{ .key = NULL },
};
/* clang-format on */

static bool is_name(const char *name)
{
	return *name && *name != '.' && strspn(name, NAME_CHARS) == strlen(name);
}

/* The folder of the project's arms, or of the user's own. */
static char *arms_dir(bool own)
{
	_cleanup_free_ char *base = own ? paths_cache() : paths_kernel_dir();

	return base ? str_printf("%s/arms", base) : NULL;
}

static char *file_of_name(const char *name, bool own)
{
	_cleanup_free_ char *dir = arms_dir(own);

	return dir ? str_printf("%s/%s" SUFFIX, dir, name) : NULL;
}

static bool names_own_files(const struct schema_strings *files, const char **ret_bad)
{
	for (size_t i = 0; i < files->count; i++) {
		const char *item = files->item[i];

		if (*item != '/' && strchr(item, '/') && strncmp(item, "CONFIG_", 7) != 0 && *item != '#') {
			*ret_bad = item;
			return false;
		}
	}
	return true;
}

static int check_arm(const char *file, const struct arm *arm, struct err *err)
{
	const char *bad = NULL;

	if (arm->source == ARM_PACKAGE && !is_name(arm->path))
		return err_set(err, -EINVAL, "%s: source '%s' needs 'path', the name of a Debian package", file,
			       source_names[arm->source]);
	if (arm->source != ARM_DEBIAN_LINUX_6_1 && arm->source != ARM_PACKAGE && *arm->path != '/')
		return err_set(err, -EINVAL, "%s: source '%s' needs 'path', an absolute path", file,
			       source_names[arm->source]);
	if (arm_is_ready_made(arm) && (arm->patches.count || arm->config.count))
		return err_set(err, -EINVAL,
			       "%s: a kernel built elsewhere is taken as it is: it has no 'patches' and no 'config'",
			       file);
	if (!names_own_files(&arm->patches, &bad) || !names_own_files(&arm->config, &bad))
		return err_set(err, -EINVAL, "%s: '%s' must be an absolute path or the name of a file of the project",
			       file, bad);
	return 0;
}

static int load_file(const char *file, struct arm *ret, struct err *err)
{
	int r = schema_load(file, arm_fields, sizeof(*ret), ret, err);

	if (r < 0)
		return r;
	ret->name = fs_stem(file, SUFFIX);
	if (!ret->name)
		return err_sys(err, -ENOMEM, "arm '%s'", file);
	return check_arm(file, ret, err);
}

static int from_image(const char *path, struct arm *ret, struct err *err)
{
	*ret = (struct arm){ .source = ARM_IMAGE, .name = fs_stem(path, SUFFIX) };
	ret->path = realpath(path, NULL);
	if (!ret->path)
		return err_sys(err, -errno, "image '%s'", path);
	ret->description = str_printf("image %s", ret->path);
	ret->changes = strdup("built elsewhere");
	ret->cmdline = strdup("");
	return ret->name && ret->description && ret->changes && ret->cmdline ? 0 : err_sys(err, -ENOMEM, "arm");
}

static int unknown_arm(const char *name, struct err *err)
{
	_cleanup_(schema_strings_clear) struct schema_strings names = { .count = 0 };
	_cleanup_free_ char *list = NULL;

	if (arm_list(&names, NULL) < 0)
		names.count = 0;
	list = schema_strings_join(&names, ", ");
	return err_set(err, -ENOENT, "there is no arm '%s'; there are: %s (or a path: ./arm.yaml, /boot/vmlinuz-...)",
		       name, list ? list : "");
}

static int load_plain(const char *name, struct arm *ret, struct err *err)
{
	_cleanup_free_ char *file = NULL;

	if (strchr(name, '/'))
		return str_ends_with(name, SUFFIX) ? load_file(name, ret, err) : from_image(name, ret, err);
	if (!is_name(name))
		return unknown_arm(name, err);
	file = file_of_name(name, false);
	if (file && !fs_exists(file)) {
		free(file);
		file = file_of_name(name, true);
	}
	if (!file)
		return err_sys(err, -ENOMEM, "arm '%s'", name);
	return fs_exists(file) ? load_file(file, ret, err) : unknown_arm(name, err);
}

static int append(char **text, const char *more)
{
	char *longer = str_printf("%s%s", *text, more);

	if (!longer)
		return -ENOMEM;
	free(*text);
	*text = longer;
	return 0;
}

static int make_debug(struct arm *arm, struct err *err)
{
	if (arm_is_ready_made(arm))
		return err_set(err, -EINVAL, "'%s' is a kernel built elsewhere: it has no variant '%s'", arm->name,
			       DEBUG_VARIANT);
	if (append(&arm->name, DEBUG_VARIANT) < 0 || append(&arm->changes, ", and checks itself while it runs") < 0 ||
	    schema_strings_add(&arm->config, DEBUG_FRAGMENT) < 0)
		return err_sys(err, -ENOMEM, "arm '%s'", arm->name);
	return 0;
}

int arm_load(const char *name, struct arm *ret, struct err *err)
{
	_cleanup_free_ char *plain = NULL;
	int r;

	*ret = (struct arm){ .name = NULL };
	if (!str_ends_with(name, DEBUG_VARIANT))
		return load_plain(name, ret, err);
	plain = strndup(name, strlen(name) - strlen(DEBUG_VARIANT));
	if (!plain)
		return err_sys(err, -ENOMEM, "arm '%s'", name);
	r = load_plain(plain, ret, err);
	return r < 0 ? r : make_debug(ret, err);
}

bool arm_is_ready_made(const struct arm *arm)
{
	return arm->source == ARM_IMAGE || arm->source == ARM_PACKAGE;
}

void arm_done(struct arm *arm)
{
	free(arm->name);
	arm->name = NULL;
	schema_clear(arm_fields, sizeof(*arm), arm);
}

/* Every JSON document is a YAML document: the file is read back through the table above. */
static json_t *arm_to_json(const struct arm *arm)
{
	return json_pack("{ss ss ss ss ss so so so so}", "description", arm->description, "changes", arm->changes,
			 "source", source_names[arm->source], "path", arm->path ? arm->path : "", "cmdline",
			 arm->cmdline ? arm->cmdline : "", "config", schema_strings_to_json(&arm->config), "patches",
			 schema_strings_to_json(&arm->patches), "removes", schema_strings_to_json(&arm->removes),
			 "adds", schema_strings_to_json(&arm->adds));
}

int arm_save(const struct arm *arm, struct err *err)
{
	_cleanup_free_ char *dir = arms_dir(true);
	_cleanup_free_ char *file = file_of_name(arm->name, true);
	_cleanup_free_ char *theirs = file_of_name(arm->name, false);
	_cleanup_json_ json_t *json = arm_to_json(arm);
	int r;

	if (!is_name(arm->name))
		return err_set(err, -EINVAL, "'%s' is no name for an arm: letters, digits, '.', '_' and '-'",
			       arm->name);
	if (!dir || !file || !theirs || !json)
		return err_sys(err, -ENOMEM, "arm '%s'", arm->name);
	if (fs_exists(theirs))
		return err_set(err, -EEXIST, "'%s' is an arm of the project; choose another --name", arm->name);
	r = fs_mkdirs(dir, err);
	return r < 0 ? r : json_write(file, json, err);
}

static int list_dir(const char *path, struct schema_strings *names)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *entry;
	int r = 0;

	while (dir && r == 0 && (entry = readdir(dir))) {
		_cleanup_free_ char *name = NULL;

		if (!str_ends_with(entry->d_name, SUFFIX))
			continue;
		name = fs_stem(entry->d_name, SUFFIX);
		if (!name)
			return -ENOMEM;
		if (is_name(name) && !schema_strings_has(names, name))
			r = schema_strings_add(names, name);
	}
	return r;
}

/* Stock first: everything else is compared with it. */
static int by_name(const void *a, const void *b)
{
	const char *x = *(char *const *)a;
	const char *y = *(char *const *)b;
	int stock = (strcmp(y, "stock") == 0) - (strcmp(x, "stock") == 0);

	return stock ? stock : strcmp(x, y);
}

int arm_list(struct schema_strings *ret_names, struct err *err)
{
	_cleanup_free_ char *theirs = arms_dir(false);
	_cleanup_free_ char *own = arms_dir(true);
	int r = theirs ? 0 : -ENOMEM;

	*ret_names = (struct schema_strings){ .count = 0 };
	if (r == 0)
		r = list_dir(theirs, ret_names);
	if (r == 0 && own)
		r = list_dir(own, ret_names);
	if (r < 0) {
		schema_strings_clear(ret_names);
		return err_sys(err, r, "list of arms");
	}
	qsort(ret_names->item, ret_names->count, sizeof(*ret_names->item), by_name);
	return 0;
}
