// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/bundle_writer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/json.h"

#define MANIFEST "manifest.json"
#define MAX_NAMESAKES 10000

struct bundle_writer {
	char *dir;
	FILE *actions;
};

static int make_dir(const char *parent, const char *name, char **ret, struct err *err)
{
	for (int i = 1; i < MAX_NAMESAKES; i++) {
		_cleanup_free_ char *dir =
			i == 1 ? str_printf("%s/%s", parent, name) : str_printf("%s/%s-%d", parent, name, i);

		if (!dir)
			return -ENOMEM;
		if (mkdir(dir, 0777) == 0) {
			*ret = TAKE_PTR(dir);
			return 0;
		}
		if (errno != EEXIST)
			return err_sys(err, -errno, "cannot create '%s'", dir);
	}
	return err_set(err, -EEXIST, "'%s' is full of bundles '%s'", parent, name);
}

int bundle_writer_open(const char *parent, const char *name, struct bundle_writer **ret, struct err *err)
{
	_cleanup_bundle_writer_ struct bundle_writer *w = calloc(1, sizeof(*w));
	_cleanup_free_ char *path = NULL;
	int res = w ? fs_mkdirs(parent, err) : -ENOMEM;

	if (res == 0)
		res = make_dir(parent, name, &w->dir, err);
	if (res < 0)
		return res;
	path = bundle_writer_path(w, "stimuli.jsonl");
	w->actions = path ? fopen(path, "we") : NULL;
	if (!w->actions)
		return err_sys(err, -errno, "cannot write into '%s'", w->dir);
	*ret = TAKE_PTR(w);
	return 0;
}

int bundle_writer_set_aside(struct bundle_writer *w, struct err *err)
{
	for (int i = 1; i < MAX_NAMESAKES; i++) {
		_cleanup_free_ char *aside = str_printf("%s-%d" BUNDLE_STALLED, w->dir, i);

		if (!aside)
			return -ENOMEM;
		if (fs_exists(aside))
			continue;
		if (rename(w->dir, aside) < 0)
			return err_sys(err, -errno, "cannot rename '%s' to '%s'", w->dir, aside);
		free(w->dir);
		w->dir = TAKE_PTR(aside);
		return 0;
	}
	return err_set(err, -EEXIST, "too many runs like '%s' stalled", w->dir);
}

const char *bundle_writer_dir(const struct bundle_writer *w)
{
	return w->dir;
}

char *bundle_writer_path(const struct bundle_writer *w, const char *file)
{
	return str_printf("%s/%s", w->dir, file);
}

int bundle_writer_action(struct bundle_writer *w, const struct bundle_action *a, struct err *err)
{
	_cleanup_json_ json_t *line =
		json_pack("{s:s, s:s, s:s, s:i, s:I, s:I, s:I, s:s}", "role", a->role, "kind", a->kind, "layer",
			  a->layer, "cpu", a->cpu, "t0", (json_int_t)a->t0, "t1", (json_int_t)a->t1, "window",
			  (json_int_t)a->window, "result", a->result);

	if (!line)
		return -ENOMEM;
	if (a->by_probe)
		json_object_set_new(line, "by", json_string("probe"));
	if (*a->detail)
		json_object_set_new(line, "detail", json_string(a->detail));
	if (json_dumpf(line, w->actions, JSON_COMPACT) < 0 || fputc('\n', w->actions) == EOF || fflush(w->actions) != 0)
		return err_sys(err, -errno, "cannot write '%s/stimuli.jsonl'", w->dir);
	return 0;
}

int bundle_writer_json(struct bundle_writer *w, const char *file, json_t *value, struct err *err)
{
	_cleanup_json_ json_t *owned = value;
	_cleanup_free_ char *path = bundle_writer_path(w, file);

	return value && path ? json_write(path, value, err) : -ENOMEM;
}

static int is_evidence(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strcmp(entry->d_name, MANIFEST) != 0;
}

static int hash_file(const struct bundle_writer *w, const char *name, json_t *files, struct err *err)
{
	_cleanup_free_ char *path = bundle_writer_path(w, name);
	char hex[65];
	int ret = path ? fs_sha256(path, hex, err) : -ENOMEM;

	if (ret < 0)
		return ret;
	return json_object_set_new(files, name, json_string(hex)) < 0 ? -ENOMEM : 0;
}

static int hash_files(const struct bundle_writer *w, json_t *files, struct err *err)
{
	struct dirent **entries;
	int n = scandir(w->dir, &entries, is_evidence, alphasort);
	int ret = 0;

	if (n < 0)
		return err_sys(err, -errno, "cannot read '%s'", w->dir);
	for (int i = 0; i < n; i++) {
		if (ret == 0)
			ret = hash_file(w, entries[i]->d_name, files, err);
		free(entries[i]);
	}
	free(entries);
	return ret;
}

int bundle_writer_seal(struct bundle_writer *w, json_t *manifest, struct err *err)
{
	_cleanup_free_ char *path = bundle_writer_path(w, MANIFEST);
	json_t *files = json_object();
	int ret;

	if (!path || json_object_set_new(manifest, "files", files) < 0)
		return -ENOMEM;
	ret = hash_files(w, files, err);
	return ret < 0 ? ret : json_write(path, manifest, err);
}

void bundle_writer_close(struct bundle_writer *w)
{
	if (!w)
		return;
	if (w->actions)
		fclose(w->actions);
	free(w->dir);
	free(w);
}
