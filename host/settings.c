// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/json.h"

#define JOURNAL_MAX_BYTES (1U << 20)

struct settings {
	char *journal_path;
	int lock_fd;
	int journal_fd;
	json_t *changes; /* array of {"path", "old"}, oldest first */
};

char *settings_dir(void)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");

	return geteuid() == 0 || !dir ? strdup("/run/vcpulat") : str_printf("%s/vcpulat", dir);
}

char *settings_chosen(char *text)
{
	char *open = strchr(text, '[');
	char *close = open ? strchr(open, ']') : NULL;

	if (!close)
		return text;
	*close = '\0';
	return open + 1;
}

static int take_lock(const char *dir, struct err *err)
{
	_cleanup_free_ char *path = str_printf("%s/lock", dir);
	_cleanup_close_ int fd = -1;
	int ret = path ? fs_mkdirs(dir, err) : -ENOMEM;

	if (ret < 0)
		return ret;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, -errno, "cannot open '%s'", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
			       ? err_set(err, -EBUSY, "another run is going on here ('%s' is locked)", path)
			       : err_sys(err, -errno, "cannot lock '%s'", path);
	return TAKE_FD(fd);
}

static int open_journal(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	if (errno == EEXIST)
		return err_set(err, -EEXIST,
			       "an earlier run left changed settings ('%s'); undo them with 'vcpulat recover'", path);
	return err_sys(err, -errno, "cannot create '%s'", path);
}

int settings_open(const char *dir, struct settings **ret, struct err *err)
{
	_cleanup_free_ char *path = str_printf("%s/journal", dir);
	_cleanup_settings_ struct settings *s = calloc(1, sizeof(*s));
	int fd;

	if (!s || !path)
		return -ENOMEM;
	s->lock_fd = s->journal_fd = -1;
	s->changes = json_array();
	fd = take_lock(dir, err);
	if (fd < 0)
		return fd;
	s->lock_fd = fd;
	fd = open_journal(path, err);
	if (fd < 0)
		return fd;
	s->journal_fd = fd;
	s->journal_path = TAKE_PTR(path);
	*ret = TAKE_PTR(s);
	return 0;
}

static int journal_write(struct settings *s, const json_t *change, struct err *err)
{
	_cleanup_free_ char *line = json_dumps(change, JSON_COMPACT);
	_cleanup_free_ char *text = line ? str_printf("%s\n", line) : NULL;
	size_t len = text ? strlen(text) : 0;

	if (!text)
		return -ENOMEM;
	if (write(s->journal_fd, text, len) != (ssize_t)len || fsync(s->journal_fd) < 0)
		return err_sys(err, errno ? -errno : -EIO, "cannot write '%s'", s->journal_path);
	return 0;
}

int settings_set(struct settings *s, const char *path, const char *value, struct err *err)
{
	_cleanup_json_ json_t *change = NULL;
	_cleanup_free_ char *text = NULL;
	char *old;
	int ret = fs_read_line(path, &text, err);

	if (ret < 0)
		return ret;
	old = settings_chosen(text);
	change = json_pack("{s:s, s:s}", "path", path, "old", old);
	if (!change)
		return err_set(err, -EINVAL, "'%s' holds what cannot be kept", path);
	ret = journal_write(s, change, err);
	if (ret < 0)
		return ret;
	ret = strcmp(old, value) ? fs_write(path, value, err) : 0;
	return ret < 0 ? ret : json_array_append(s->changes, change);
}

/* Some files act on every write: what stands as before is left alone. Returns whether it was written, or -errno. */
static int restore_one(const char *path, const char *old, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	int ret;

	if (fs_read_line(path, &text, NULL) == 0 && strcmp(settings_chosen(text), old) == 0)
		return 0;
	ret = fs_write(path, old, err);
	return ret < 0 ? ret : 1;
}

static int restore_all(const json_t *changes, size_t *ret_count, struct err *err)
{
	int ret = 0;

	*ret_count = 0;
	for (size_t i = json_array_size(changes); i-- > 0;) {
		const json_t *change = json_array_get(changes, i);
		struct err one = { "" };
		int res = restore_one(json_get_string(change, "path"), json_get_string(change, "old"), &one);

		*ret_count += res > 0;
		if (res < 0 && ret == 0)
			ret = err_set(err, res, "not restored: %s", one.msg);
	}
	return ret;
}

int settings_restore(struct settings *s, struct err *err)
{
	size_t count;
	int ret = restore_all(s->changes, &count, err);

	if (ret < 0)
		return ret;
	json_array_clear(s->changes);
	return ftruncate(s->journal_fd, 0) < 0 ? err_sys(err, -errno, "cannot empty '%s'", s->journal_path) : 0;
}

void settings_close(struct settings *s)
{
	if (!s)
		return;
	if (s->journal_path && settings_restore(s, NULL) == 0)
		unlink(s->journal_path);
	cleanup_close(&s->journal_fd);
	cleanup_close(&s->lock_fd);
	json_decref(s->changes);
	free(s->journal_path);
	free(s);
}

/* A line that was not written whole belongs to a change that was not made. */
static json_t *journal_read(char *text)
{
	json_t *changes = json_array();
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		json_t *change = json_loads(line, 0, NULL);

		if (change)
			json_array_append_new(changes, change);
	}
	return changes;
}

int settings_recover(const char *dir, size_t *ret_count, struct err *err)
{
	_cleanup_free_ char *path = str_printf("%s/journal", dir);
	_cleanup_json_ json_t *changes = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int lock_fd = -1;
	int ret;

	if (!path)
		return -ENOMEM;
	lock_fd = take_lock(dir, err);
	if (lock_fd < 0)
		return lock_fd;
	*ret_count = 0;
	if (!fs_exists(path))
		return 0;
	ret = fs_read(path, JOURNAL_MAX_BYTES, &text, NULL, err);
	if (ret < 0)
		return ret;
	changes = journal_read(text);
	ret = restore_all(changes, ret_count, err);
	if (ret == 0 && unlink(path) < 0)
		ret = err_sys(err, -errno, "cannot remove '%s'", path);
	return ret;
}
