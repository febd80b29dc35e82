// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A work tree belongs to one source and one configuration; arms differ by patches only.
 * A patch is never applied in place: the files it touches are patched in stage/, from
 * their originals in pristine/, and only those whose content then differs are written to
 * source/. So reverting is the same as applying, untouched files keep their time stamps
 * and make compiles what changed. All this works from any state a killed build leaves:
 * the list of touched files is on disk before the first of them is written.
 *
 * state: source_id (what source/ is; absent while extracting), configured, touched,
 * building_ns (a build began then and did not end), stamp_ns (last build's end),
 * files_all, files_patch (files made by a build from scratch, and after a patch).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include "common/fs.h"
#include "common/log.h"
#include "common/process.h"
#include "common/stop.h"
#include "host/kernel/kernel_p.h"

#define NS_PER_S 1000000000
#define NEW_TREE_BYTES (3ULL << 30) /* source 1.3 GB, objects, and room for the image */
#define KNOWN_TREE_BYTES (300ULL << 20)
#define FILE_LIMIT (64U << 20) /* bytes of one source file */

static int check_space(const char *dir, uint64_t needed, struct err *err)
{
	struct statvfs vfs;
	uint64_t available;

	if (statvfs(dir, &vfs) < 0)
		return err_sys(err, -errno, "file system of '%s'", dir);
	available = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	if (available < needed)
		return err_set(err, -ENOSPC,
			       "a kernel build needs %" PRIu64 " MiB below '%s', only %" PRIu64
			       " MiB are free: make room, or let XDG_CACHE_HOME name another place",
			       needed >> 20, dir, available >> 20);
	return 0;
}

static int lock_tree(struct kernel_tree *tree, struct err *err)
{
	_cleanup_free_ char *path = str_printf("%s/lock", tree->dir);

	if (!path)
		return err_sys(err, -ENOMEM, "lock");
	tree->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (tree->lock_fd < 0)
		return err_sys(err, -errno, "cannot open '%s'", path);
	while (flock(tree->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return err_sys(err, -errno, "cannot lock '%s'", path);
		log_status("waiting for another kernel build to end ('%s')", path);
		if (stop_wait(200) < 0)
			return err_sys(err, -EINTR, "waiting for another kernel build");
	}
	return 0;
}

static char *state_path(const struct kernel_tree *tree)
{
	return str_printf("%s/state", tree->dir);
}

int kernel_tree_save(struct kernel_tree *tree, struct err *err)
{
	_cleanup_free_ char *path = state_path(tree);

	return path ? json_write(path, tree->state, err) : err_sys(err, -ENOMEM, "state");
}

static void load_state(struct kernel_tree *tree)
{
	_cleanup_free_ char *path = state_path(tree);

	if (!path || json_read(path, &tree->state, NULL) < 0 || !json_is_object(tree->state)) {
		json_decref(tree->state);
		tree->state = json_object(); /* no source_id: extracted again */
	}
}

static bool is_touched(const struct kernel_tree *tree, const char *relative)
{
	json_t *touched = json_object_get(tree->state, "touched");
	const json_t *item;
	size_t i;

	json_array_foreach (touched, i, item)
		if (strcmp(json_string_value(item), relative) == 0)
			return true;
	return false;
}

static uint64_t mtime_ns(const struct stat *st)
{
	return (uint64_t)st->st_mtim.tv_sec * NS_PER_S + (uint64_t)st->st_mtim.tv_nsec;
}

/* A killed compiler leaves half an object that is newer than its source: what a killed build wrote, goes. */
static int remove_newer(const struct kernel_tree *tree, uint64_t since_ns, struct err *err)
{
	char *roots[] = { tree->source, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	size_t skip = strlen(tree->source) + 1;
	FTSENT *entry;
	int r = 0;

	if (!fts)
		return err_sys(err, -errno, "cannot read '%s'", tree->source);
	while (r == 0 && (entry = fts_read(fts)))
		if (entry->fts_info == FTS_F && mtime_ns(entry->fts_statp) >= since_ns &&
		    !is_touched(tree, entry->fts_path + skip) && unlink(entry->fts_path) < 0)
			r = err_sys(err, -errno, "cannot remove '%s'", entry->fts_path);
	fts_close(fts);
	return r;
}

static int mend(struct kernel_tree *tree, struct err *err)
{
	uint64_t since_ns = json_get_u64(tree->state, "building_ns");
	int r;

	if (!since_ns)
		return 0;
	log_debug("mending work tree '%s': its last build was killed", tree->dir);
	r = remove_newer(tree, since_ns, err);
	if (r < 0)
		return r;
	json_object_del(tree->state, "building_ns");
	return kernel_tree_save(tree, err);
}

/* --touch: a source file from the future would count as written by the build, see remove_newer(). */
static int extract_tarball(const struct kernel_inputs *inputs, struct kernel_tree *tree, struct err *err)
{
	const char *argv[] = { "tar",
			       "--extract",
			       "--file",
			       inputs->source_path,
			       "--directory",
			       tree->source,
			       "--strip-components=1",
			       "--no-same-owner",
			       "--touch",
			       NULL };
	int r = fs_remove_tree(tree->source, err);

	if (r == 0)
		r = fs_mkdirs(tree->source, err);
	if (r == 0)
		r = process_run((char *const *)argv, NULL, err);
	return r;
}

/* Only files that differ between the two commits are written: make sees what changed. */
static int extract_commit(const struct kernel_inputs *inputs, struct kernel_tree *tree, struct err *err)
{
	_cleanup_free_ char *index = str_printf("GIT_INDEX_FILE=%s/index", tree->dir);
	_cleanup_free_ char *index_lock = str_printf("%s/index.lock", tree->dir);
	_cleanup_free_ char *work_tree = str_printf("--work-tree=%s", tree->source);
	const char *refresh[] = { "env",     index,	     "git", "-C",	 inputs->source_path,
				  work_tree, "update-index", "-q",  "--refresh", NULL };
	const char *update[] = { "env",	    index,	 "git",	    "-C", inputs->source_path,
				 work_tree, "read-tree", "--reset", "-u", inputs->source_id,
				 NULL };
	int r;

	if (!index || !index_lock || !work_tree)
		return err_sys(err, -ENOMEM, "git");
	unlink(index_lock); /* ours alone, under our lock: left by a killed git */
	r = fs_mkdirs(tree->source, err);
	if (r < 0)
		return r;
	if (process_run((char *const *)refresh, NULL, NULL) == -EINTR)
		return err_sys(err, -EINTR, "git");
	return process_run((char *const *)update, NULL, err);
}

/*
 * From here until source_id stands in the state again, the source is half written, no
 * file of it counts as patched, and no original is kept.
 */
static int forget(struct kernel_tree *tree, struct err *err)
{
	_cleanup_free_ char *pristine = str_printf("%s/pristine", tree->dir);
	const struct kernel_inputs none = { .patch_count = 0 };
	int r = pristine ? 0 : err_sys(err, -ENOMEM, "work tree");

	if (r == 0 && json_object_get(tree->state, "source_id"))
		r = kernel_tree_patch(tree, &none, err);
	if (r < 0)
		return r;
	json_object_del(tree->state, "source_id");
	json_object_del(tree->state, "touched");
	json_object_del(tree->state, "configured");
	r = kernel_tree_save(tree, err);
	return r < 0 ? r : fs_remove_tree(pristine, err);
}

static int extract(const struct kernel_inputs *inputs, struct kernel_tree *tree, struct err *err)
{
	int r = check_space(tree->dir, NEW_TREE_BYTES, err);

	if (r == 0)
		r = forget(tree, err);
	if (r < 0)
		return r;
	log_status("extracting %s", inputs->source_path);
	r = inputs->source == ARM_TREE ? extract_commit(inputs, tree, err) : extract_tarball(inputs, tree, err);
	if (r < 0)
		return err_prefix(err, r, "cannot extract '%s'", inputs->source_path);
	json_object_set_new(tree->state, "source_id", json_string(inputs->source_id));
	return kernel_tree_save(tree, err);
}

static int fill_names(const struct kernel_inputs *inputs, const char *cache, struct kernel_tree *ret, struct err *err)
{
	ret->dir = str_printf("%s/trees/%.16s", cache, inputs->tree_key);
	ret->source = ret->dir ? str_printf("%s/source", ret->dir) : NULL;
	ret->log = ret->dir ? str_printf("%s/build.log", ret->dir) : NULL;
	return ret->source && ret->log ? fs_mkdirs(ret->dir, err) : err_sys(err, -ENOMEM, "work tree");
}

int kernel_tree_open(const struct kernel_inputs *inputs, const char *cache, struct kernel_tree *ret, struct err *err)
{
	int r;

	*ret = (struct kernel_tree){ .lock_fd = -1 };
	r = fill_names(inputs, cache, ret, err);
	if (r == 0)
		r = lock_tree(ret, err);
	if (r < 0)
		return r;
	load_state(ret);
	r = check_space(ret->dir, KNOWN_TREE_BYTES, err);
	if (r == 0)
		r = mend(ret, err);
	if (r == 0 && strcmp(json_get_string(ret->state, "source_id"), inputs->source_id) != 0)
		r = extract(inputs, ret, err);
	return r;
}

void kernel_tree_close(struct kernel_tree *tree)
{
	if (tree->lock_fd >= 0)
		close(tree->lock_fd);
	json_decref(tree->state);
	free(tree->dir);
	free(tree->source);
	free(tree->log);
	*tree = (struct kernel_tree){ .lock_fd = -1 };
}

/* The lock file stays: whoever waits for it must not wait for a file that is gone. */
static int clean_tree(const char *dir, unsigned int *removed, struct err *err)
{
	_cleanup_free_ char *lock = str_printf("%s/lock", dir);
	_cleanup_free_ char *state = str_printf("%s/state", dir);
	_cleanup_free_ char *source = str_printf("%s/source", dir);
	_cleanup_close_ int fd = lock ? open(lock, O_RDWR | O_CLOEXEC) : -1;
	int r;

	if (!state || !source)
		return err_sys(err, -ENOMEM, "work tree");
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || !fs_exists(source))
		return 0;
	if (unlink(state) < 0 && errno != ENOENT)
		return err_sys(err, -errno, "cannot remove '%s'", state);
	r = fs_remove_tree(source, err);
	*removed += r == 0;
	return r;
}

int kernel_tree_clean(const char *cache, unsigned int *ret_removed, struct err *err)
{
	_cleanup_free_ char *trees = str_printf("%s/trees", cache);
	_cleanup_closedir_ DIR *dir = trees ? opendir(trees) : NULL;
	struct dirent *entry;
	int r = 0;

	*ret_removed = 0;
	while (dir && r == 0 && (entry = readdir(dir))) {
		_cleanup_free_ char *tree = str_printf("%s/%s", trees, entry->d_name);

		if (*entry->d_name != '.')
			r = tree ? clean_tree(tree, ret_removed, err) : err_sys(err, -ENOMEM, "work tree");
	}
	return r;
}

void kernel_tree_discard(struct kernel_tree *tree)
{
	json_object_clear(tree->state);
	if (kernel_tree_save(tree, NULL) == 0)
		fs_remove_tree(tree->source, NULL);
}

static char *path_in(const struct kernel_tree *tree, const char *room, const char *relative)
{
	return str_printf("%s/%s/%s", tree->dir, room, relative);
}

static int copy_into_room(const char *from, const char *to, struct err *err)
{
	int r = fs_mkdirs_for(to, err);

	return r < 0 ? r : fs_copy(from, to, err);
}

/* A file seen for the first time has its original content in source/. */
static int keep_original(const struct kernel_tree *tree, const char *relative, struct err *err)
{
	_cleanup_free_ char *source = path_in(tree, "source", relative);
	_cleanup_free_ char *pristine = path_in(tree, "pristine", relative);

	if (!source || !pristine)
		return err_sys(err, -ENOMEM, "'%s'", relative);
	return fs_exists(source) ? copy_into_room(source, pristine, err) : 0;
}

/* After this every file of the patches is in the list on disk, and its original is kept. */
static int note_touched(struct kernel_tree *tree, const struct kernel_inputs *inputs, struct err *err)
{
	_cleanup_json_ json_t *files = json_array();
	json_t *touched = json_object_get(tree->state, "touched");
	const json_t *file;
	size_t n;
	int r = 0;

	for (size_t i = 0; r == 0 && i < inputs->patch_count; i++) {
		r = kernel_patch_files(inputs->patches[i].text, files, err);
		if (r < 0)
			return err_prefix(err, r, "patch '%s'", inputs->patches[i].path);
	}
	if (!touched) {
		touched = json_array();
		json_object_set_new(tree->state, "touched", touched);
	}
	json_array_foreach (files, n, file) {
		if (is_touched(tree, json_string_value(file)))
			continue;
		r = keep_original(tree, json_string_value(file), err);
		if (r < 0)
			return r;
		json_array_append_new(touched, json_string(json_string_value(file)));
	}
	return kernel_tree_save(tree, err);
}

static int fill_stage(const struct kernel_tree *tree, const char *stage, struct err *err)
{
	json_t *touched = json_object_get(tree->state, "touched");
	const json_t *file;
	size_t n;
	int r = fs_remove_tree(stage, err);

	if (r == 0)
		r = fs_mkdirs(stage, err);
	json_array_foreach (touched, n, file) {
		_cleanup_free_ char *pristine = path_in(tree, "pristine", json_string_value(file));
		_cleanup_free_ char *staged = path_in(tree, "stage", json_string_value(file));

		if (r == 0 && (!pristine || !staged))
			r = err_sys(err, -ENOMEM, "work tree");
		if (r == 0 && fs_exists(pristine))
			r = copy_into_room(pristine, staged, err);
	}
	return r;
}

static int patch_stage(const char *stage, const struct kernel_inputs *inputs, struct err *err)
{
	for (size_t i = 0; i < inputs->patch_count; i++) {
		const char *argv[] = { "patch",
				       "--strip=1",
				       "--fuzz=0",
				       "--force",
				       "--no-backup-if-mismatch",
				       "--reject-file=-",
				       "--directory",
				       stage,
				       "--input",
				       inputs->patches[i].path,
				       NULL };
		int r = process_run((char *const *)argv, NULL, err);

		if (r == -EINTR)
			return r;
		if (r < 0)
			return err_prefix(err, -EINVAL, "patch '%s' does not apply to '%s'", inputs->patches[i].path,
					  inputs->source_path);
	}
	return 0;
}

static bool same_content(const char *a, const char *b)
{
	_cleanup_free_ char *x = NULL;
	_cleanup_free_ char *y = NULL;
	size_t x_len;
	size_t y_len;

	if (fs_read(a, FILE_LIMIT, &x, &x_len, NULL) < 0 || fs_read(b, FILE_LIMIT, &y, &y_len, NULL) < 0)
		return false;
	return x_len == y_len && memcmp(x, y, x_len) == 0;
}

/* Make compares times: a changed file must be newer than any object, also after the clock was set back. */
static int touch_after(const char *path, uint64_t stamp_ns, struct err *err)
{
	uint64_t later = stamp_ns + NS_PER_S;
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
				     { .tv_sec = (time_t)(later / NS_PER_S), .tv_nsec = (long)(later % NS_PER_S) } };
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(err, -errno, "'%s'", path);
	if (mtime_ns(&st) > stamp_ns)
		return 0;
	return utimensat(AT_FDCWD, path, times, 0) < 0 ? err_sys(err, -errno, "time of '%s'", path) : 0;
}

static int write_file(const struct kernel_tree *tree, const char *relative, struct err *err)
{
	_cleanup_free_ char *staged = path_in(tree, "stage", relative);
	_cleanup_free_ char *source = path_in(tree, "source", relative);
	int r;

	if (!staged || !source)
		return err_sys(err, -ENOMEM, "'%s'", relative);
	if (!fs_exists(staged))
		return unlink(source) < 0 && errno != ENOENT ? err_sys(err, -errno, "cannot remove '%s'", source) : 0;
	if (same_content(staged, source))
		return 0;
	r = copy_into_room(staged, source, err);
	return r < 0 ? r : touch_after(source, json_get_u64(tree->state, "stamp_ns"), err);
}

int kernel_tree_patch(struct kernel_tree *tree, const struct kernel_inputs *inputs, struct err *err)
{
	_cleanup_free_ char *stage = str_printf("%s/stage", tree->dir);
	const json_t *file;
	size_t n;
	int r = stage ? note_touched(tree, inputs, err) : err_sys(err, -ENOMEM, "work tree");

	if (r == 0)
		r = fill_stage(tree, stage, err);
	if (r == 0)
		r = patch_stage(stage, inputs, err);
	json_array_foreach (json_object_get(tree->state, "touched"), n, file) {
		if (r == 0)
			r = write_file(tree, json_string_value(file), err);
	}
	if (r == 0)
		r = fs_remove_tree(stage, err);
	return r;
}
