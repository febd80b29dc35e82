// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/setup.h"

#include <errno.h>
#include <fts.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/json.h"
#include "reports/load.h"

static void close_tree(FTS **tree)
{
	if (*tree)
		fts_close(*tree);
}

/* A file of the bundle; without it *ret stays NULL. */
static int read_member(const char *dir, const char *name, json_t **ret, struct err *err)
{
	_cleanup_free_ char *path = str_printf("%s/%s", dir, name);

	if (!path)
		return err_sys(err, -ENOMEM, "'%s'", dir);
	return fs_exists(path) ? json_read(path, ret, err) : 0;
}

/* Which evidence there is belongs to the set-up: a trace costs time. */
static int note_tracing(const char *dir, json_t *manifest)
{
	_cleanup_free_ char *host = str_printf("%s/host.dat", dir);
	_cleanup_free_ char *guest = str_printf("%s/guest.dat", dir);
	_cleanup_free_ char *meter = str_printf("%s/meter.bin", dir);
	json_t *tracing = json_array();

	if (!host || !guest || !meter || !tracing || json_object_set(manifest, "tracing", tracing) < 0) {
		json_decref(tracing);
		return -ENOMEM;
	}
	if (fs_exists(host))
		json_array_append_new(tracing, json_string("host"));
	if (fs_exists(guest))
		json_array_append_new(tracing, json_string("guest"));
	if (fs_exists(meter))
		json_array_append_new(tracing, json_string("meter"));
	json_decref(tracing);
	return 0;
}

static int add_bundle(struct setup *setup, const char *dir, struct err *err)
{
	_cleanup_json_ json_t *manifest = NULL;
	_cleanup_json_ json_t *host = NULL;
	_cleanup_json_ json_t *guest = NULL;
	int r = read_member(dir, "manifest.json", &manifest, err);

	r = r < 0 ? r : read_member(dir, "facts-host.json", &host, err);
	r = r < 0 ? r : read_member(dir, "facts-guest.json", &guest, err);
	if (r < 0)
		return r;
	r = note_tracing(dir, manifest);
	r = r < 0 ? r : setup_add(setup, manifest, host, guest);
	return r < 0 ? err_sys(err, r, "'%s'", dir) : 0;
}

static int compare_names(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Links are not followed. */
static int add_bundles_below(struct setup *setup, char *path, struct err *err)
{
	char *const roots[] = { path, NULL };
	_cleanup_(close_tree) FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW, compare_names);
	FTSENT *entry;
	int r = 0;

	if (!tree)
		return err_sys(err, -errno, "cannot read '%s'", path);
	while (r == 0 && (entry = fts_read(tree))) {
		_cleanup_free_ char *manifest = NULL;

		if (entry->fts_info != FTS_D)
			continue;
		manifest = str_printf("%s/manifest.json", entry->fts_path);
		if (!manifest)
			return err_sys(err, -ENOMEM, "'%s'", path);
		if (!fs_exists(manifest))
			continue;
		r = add_bundle(setup, entry->fts_path, err);
		fts_set(tree, entry, FTS_SKIP);
	}
	if (r == 0 && !setup->runs)
		r = err_set(err, -ENOENT, "there is no bundle in '%s'", path);
	return r;
}

static int add_result(struct setup *setup, const char *path, struct err *err)
{
	_cleanup_json_ json_t *result = NULL;
	int r = load_file(path, &result, err);

	if (r < 0)
		return r;
	if (load_is_comparison(result))
		return err_set(err, -EINVAL, "%s is a comparison: give two bundles, directories or results", path);
	r = setup_add(setup, result, NULL, NULL);
	return r < 0 ? err_sys(err, r, "'%s'", path) : 0;
}

int setup_load(const char *path, struct setup *ret, struct err *err)
{
	struct stat status;

	*ret = (struct setup){ .path = strdup(path) };
	if (!ret->path)
		return err_sys(err, -ENOMEM, "'%s'", path);
	if (stat(path, &status) < 0)
		return err_sys(err, -errno, "cannot read '%s'", path);
	return S_ISDIR(status.st_mode) ? add_bundles_below(ret, ret->path, err) : add_result(ret, path, err);
}
