// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/kernel/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/log.h"
#include "host/kernel/kernel_p.h"
#include "host/paths.h"

#define ENTRY_SCHEMA "vcpulat-kernel-1"

static char *cache_dir(void)
{
	_cleanup_free_ char *cache = paths_cache();

	return cache ? str_printf("%s/kernels", cache) : NULL;
}

static char *entry_dir(const char *cache, const char *key)
{
	return str_printf("%s/images/%.16s", cache, key);
}

static int fill_paths(const char *dir, struct kernel_entry *entry)
{
	entry->dir = strdup(dir);
	entry->bzimage = str_printf("%s/bzImage", dir);
	entry->system_map = str_printf("%s/System.map", dir);
	entry->modules = str_printf("%s/modules.cpio.gz", dir);
	if (!entry->dir || !entry->bzimage || !entry->system_map || !entry->modules)
		return -ENOMEM;
	if (!fs_exists(entry->modules))
		free(TAKE_PTR(entry->modules));
	return 0;
}

/* A damaged or foreign entry counts as none: it is built again. */
static int load_entry(const char *dir, const char *key, struct kernel_entry *ret)
{
	_cleanup_free_ char *path = str_printf("%s/entry.json", dir);
	_cleanup_json_ json_t *json = NULL;

	if (!path || fill_paths(dir, ret) < 0)
		return -ENOMEM;
	if (!fs_exists(path) || json_read(path, &json, NULL) < 0 ||
	    strcmp(json_get_string(json, "schema"), ENTRY_SCHEMA) != 0 ||
	    strcmp(json_get_string(json, "key"), key) != 0 || fs_sha256(ret->bzimage, ret->sha256, NULL) < 0 ||
	    strcmp(json_get_string(json, "sha256"), ret->sha256) != 0 || !fs_exists(ret->system_map))
		return -ENOENT;
	memcpy(ret->key, key, sizeof(ret->key));
	ret->release = strdup(json_get_string(json, "release"));
	return ret->release ? 0 : -ENOMEM;
}

static int find_entry(const char *cache, const struct kernel_inputs *inputs, struct kernel_entry *ret, struct err *err)
{
	_cleanup_free_ char *dir = entry_dir(cache, inputs->key);
	int r = dir ? load_entry(dir, inputs->key, ret) : -ENOMEM;

	if (r < 0) {
		kernel_entry_done(ret);
		return r == -ENOENT ? r : err_sys(err, r, "kernel of arm '%s'", inputs->arm->name);
	}
	return 0;
}

static json_t *patches_to_json(const struct kernel_inputs *inputs)
{
	json_t *list = json_array();

	for (size_t i = 0; i < inputs->patch_count; i++)
		json_array_append_new(list, json_string(inputs->patches[i].path));
	return list;
}

static int describe_entry(const char *dir, const struct kernel_inputs *inputs, struct err *err)
{
	_cleanup_free_ char *path = str_printf("%s/entry.json", dir);
	_cleanup_free_ char *image = str_printf("%s/bzImage", dir);
	_cleanup_free_ char *release = NULL;
	_cleanup_json_ json_t *json = NULL;
	char sha256[KERNEL_HASH_CHARS];
	int r;

	if (!path || !image)
		return err_sys(err, -ENOMEM, "cache entry");
	r = fs_sha256(image, sha256, err);
	if (r == 0)
		r = kernel_image_release(image, &release, err);
	if (r < 0)
		return r;
	json = json_pack("{ss ss ss ss ss ss ss ss so}", "schema", ENTRY_SCHEMA, "tool", VCPULAT_VERSION, "key",
			 inputs->key, "arm", inputs->arm->name, "sha256", sha256, "release", release, "source",
			 inputs->source_path, "toolchain", inputs->toolchain, "patches", patches_to_json(inputs));
	return json ? json_write(path, json, err) : err_sys(err, -ENOMEM, "cache entry");
}

static int copy_result(const struct kernel_tree *tree, const char *made, const char *dir, const char *name,
		       struct err *err)
{
	_cleanup_free_ char *from = str_printf("%s/%s", tree->source, made);
	_cleanup_free_ char *to = str_printf("%s/%s", dir, name);

	return from && to ? fs_copy(from, to, err) : err_sys(err, -ENOMEM, "cache entry");
}

/* Whole or not at all: @fresh is moved by one rename. */
static int publish_entry(const char *fresh, const struct kernel_inputs *inputs, const char *cache, struct err *err)
{
	_cleanup_free_ char *images = str_printf("%s/images", cache);
	_cleanup_free_ char *dir = entry_dir(cache, inputs->key);
	int r = images && dir ? describe_entry(fresh, inputs, err) : err_sys(err, -ENOMEM, "cache entry");

	if (r == 0)
		r = fs_mkdirs(images, err);
	if (r == 0)
		r = fs_remove_tree(dir, err); /* only a damaged one can be there: find_entry() looked */
	if (r == 0 && rename(fresh, dir) < 0)
		r = err_sys(err, -errno, "cannot move '%s' to '%s'", fresh, dir);
	return r;
}

/* Gathered beside the work tree, under its lock. */
static int store_entry(const struct kernel_tree *tree, const struct kernel_inputs *inputs, const char *cache,
		       struct err *err)
{
	_cleanup_free_ char *fresh = str_printf("%s/image", tree->dir);
	int r = fresh ? fs_remove_tree(fresh, err) : err_sys(err, -ENOMEM, "cache entry");

	if (r == 0)
		r = fs_mkdirs(fresh, err);
	if (r == 0)
		r = copy_result(tree, "arch/x86/boot/bzImage", fresh, "bzImage", err);
	if (r == 0)
		r = copy_result(tree, "System.map", fresh, "System.map", err);
	if (r == 0)
		r = copy_result(tree, ".config", fresh, "config", err);
	return r < 0 ? r : publish_entry(fresh, inputs, cache, err);
}

static unsigned int all_cpus(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (unsigned int)n : 1;
}

static int read_back(const struct kernel_inputs *inputs, const char *cache, struct kernel_entry *ret, struct err *err)
{
	int r = find_entry(cache, inputs, ret, err);

	return r == -ENOENT ? err_set(err, -EIO, "the kernel just stored in '%s' cannot be read back", cache) : r;
}

static int fetch_package(const struct kernel_inputs *inputs, const char *cache, struct kernel_entry *ret,
			 struct err *err)
{
	_cleanup_free_ char *fresh = str_printf("%s/package-XXXXXX", cache);
	int r = fresh ? fs_mkdirs(cache, err) : err_sys(err, -ENOMEM, "cache entry");

	if (r == 0 && !mkdtemp(fresh))
		r = err_sys(err, -errno, "cannot make a directory in '%s'", cache);
	if (r < 0)
		return r;
	r = kernel_package_fetch(inputs, fresh, err);
	if (r == 0)
		r = publish_entry(fresh, inputs, cache, err);
	if (r < 0) {
		fs_remove_tree(fresh, NULL);
		return r;
	}
	return read_back(inputs, cache, ret, err);
}

static int build_in_tree(const struct kernel_inputs *inputs, const char *cache, unsigned int jobs,
			 struct kernel_entry *ret, struct err *err)
{
	_cleanup_kernel_tree_ struct kernel_tree tree = { .lock_fd = -1 };
	int r = kernel_tree_open(inputs, cache, &tree, err);

	if (r < 0)
		return r;
	r = find_entry(cache, inputs, ret, err); /* the build we waited for may have been this one */
	if (r != -ENOENT)
		return r;
	r = kernel_tree_patch(&tree, inputs, err);
	if (r == 0)
		r = kernel_make_config(&tree, inputs, err);
	if (r == 0)
		r = kernel_make_image(&tree, inputs, jobs ? jobs : all_cpus(), err);
	if (r == 0)
		r = store_entry(&tree, inputs, cache, err);
	if (r < 0)
		return r;
	return read_back(inputs, cache, ret, err);
}

/* Of an image that is installed here: what it has as modules, packed once. */
static int find_modules(const struct arm *arm, const char *cache, bool pack, struct kernel_entry *ret, struct err *err)
{
	_cleanup_free_ char *installed = str_printf("/lib/modules/%s/modules.dep", ret->release);
	_cleanup_free_ char *dir = str_printf("%s/modules", cache);
	_cleanup_free_ char *path = str_printf("%s/modules/%.16s.cpio.gz", cache, ret->sha256);
	int r;

	if (!installed || !dir || !path)
		return err_sys(err, -ENOMEM, "modules of arm '%s'", arm->name);
	if (!fs_exists(installed) || (!fs_exists(path) && !pack))
		return 0;
	r = fs_mkdirs(dir, err);
	if (r == 0 && !fs_exists(path))
		r = kernel_modules_pack(arm, ret->release, path, err);
	if (r == 0)
		ret->modules = TAKE_PTR(path);
	return r;
}

static int take_image(const struct arm *arm, const char *cache, bool pack, struct kernel_entry *ret, struct err *err)
{
	int r = kernel_image_release(arm->path, &ret->release, err);

	if (r == 0)
		r = fs_sha256(arm->path, ret->sha256, err);
	if (r < 0)
		return r;
	memcpy(ret->key, ret->sha256, sizeof(ret->key));
	ret->bzimage = strdup(arm->path);
	if (!ret->bzimage)
		return err_sys(err, -ENOMEM, "arm '%s'", arm->name);
	return find_modules(arm, cache, pack, ret, err);
}

static int find_or_build(const struct arm *arm, bool build, unsigned int jobs, struct kernel_entry *ret,
			 struct err *err)
{
	_cleanup_kernel_inputs_ struct kernel_inputs inputs = { .arm = arm };
	_cleanup_free_ char *cache = cache_dir();
	int r;

	*ret = (struct kernel_entry){ .dir = NULL };
	if (!cache)
		return err_sys(err, -errno, "no place for the kernel cache: set HOME or XDG_CACHE_HOME");
	if (arm->source == ARM_IMAGE)
		return take_image(arm, cache, build, ret, err);
	r = kernel_inputs_load(arm, cache, &inputs, err);
	if (r < 0)
		return r == -ENOENT ? -ENODATA : r; /* a missing source is not a kernel that is not built */
	r = find_entry(cache, &inputs, ret, err);
	if (r != -ENOENT || !build)
		return r;
	if (arm->source == ARM_PACKAGE)
		return fetch_package(&inputs, cache, ret, err);
	r = kernel_make_tools(err);
	if (r == 0)
		r = build_in_tree(&inputs, cache, jobs, ret, err);
	log_status(NULL);
	return r;
}

int kernel_build(const struct arm *arm, unsigned int jobs, struct kernel_entry *ret, struct err *err)
{
	return find_or_build(arm, true, jobs, ret, err);
}

int kernel_find(const struct arm *arm, struct kernel_entry *ret, struct err *err)
{
	return find_or_build(arm, false, 0, ret, err);
}

int kernel_clean(unsigned int *ret_removed, struct err *err)
{
	_cleanup_free_ char *cache = cache_dir();

	return cache ? kernel_tree_clean(cache, ret_removed, err) : err_sys(err, -errno, "kernel cache");
}

void kernel_entry_done(struct kernel_entry *entry)
{
	free(entry->dir);
	free(entry->bzimage);
	free(entry->system_map);
	free(entry->modules);
	free(entry->release);
	*entry = (struct kernel_entry){ .dir = NULL };
}
