// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

#define READ_CHUNK 65536
#define LINE_LIMIT 65536
#define COPY_CHUNK (1 << 20)

/* O_NONBLOCK: opening a FIFO that nobody writes must not hang. It means nothing to a regular file. */
static int open_regular(const char *path, struct stat *ret_st, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 || fstat(fd, ret_st) < 0)
		return err_sys(err, -errno, "cannot open '%s'", path);
	if (S_ISDIR(ret_st->st_mode))
		return err_sys(err, -EISDIR, "cannot read '%s'", path);
	if (!S_ISREG(ret_st->st_mode))
		return err_set(err, -EINVAL, "cannot read '%s': not a regular file", path);
	return TAKE_FD(fd);
}

/* Grows as it reads: the size of a file in proc or sysfs says nothing. */
static int read_all(int fd, size_t limit, char **ret_data, size_t *ret_len)
{
	_cleanup_free_ char *data = NULL;
	size_t room = 0;
	size_t len = 0;
	ssize_t n;

	do {
		if (room - len < 2) {
			char *bigger = realloc(data, room = room ? room * 2 : READ_CHUNK);

			if (!bigger)
				return -ENOMEM;
			data = bigger;
		}
		n = read(fd, data + len, room - len - 1);
		if (n < 0 && errno != EINTR)
			return -errno;
		len += n > 0 ? (size_t)n : 0;
		if (len > limit)
			return -EFBIG;
	} while (n != 0);
	data[len] = '\0';
	*ret_data = TAKE_PTR(data);
	*ret_len = len;
	return 0;
}

int fs_read(const char *path, size_t limit, char **ret_data, size_t *ret_len, struct err *err)
{
	struct stat st;
	_cleanup_close_ int fd = open_regular(path, &st, err);
	size_t len = 0;
	int ret;

	if (fd < 0)
		return fd;
	ret = st.st_size > 0 && (uint64_t)st.st_size > limit ? -EFBIG : read_all(fd, limit, ret_data, &len);
	if (ret == -EFBIG)
		return err_set(err, ret, "cannot read '%s': larger than %zu bytes", path, limit);
	if (ret < 0)
		return err_sys(err, ret, "cannot read '%s'", path);
	if (ret_len)
		*ret_len = len;
	return 0;
}

int fs_read_line(const char *path, char **ret_line, struct err *err)
{
	char *line = NULL;
	size_t len;
	int ret = fs_read(path, LINE_LIMIT, &line, NULL, err);

	if (ret < 0)
		return ret;
	len = strlen(line);
	while (len > 0 && strchr(" \t\r\n", line[len - 1]))
		line[--len] = '\0';
	*ret_line = line;
	return 0;
}

int fs_write(const char *path, const char *text, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
	size_t len = strlen(text);
	ssize_t n;

	if (fd < 0)
		return err_sys(err, -errno, "cannot open '%s' for writing", path);
	n = write(fd, text, len);
	if (n < 0)
		return err_sys(err, -errno, "cannot write '%.64s' to '%s'", text, path);
	if ((size_t)n != len)
		return err_set(err, -EIO, "cannot write '%s': only %zd of %zu bytes were taken", path, n, len);
	return 0;
}

int fs_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A file beside its destination that has the same name but for the process number. */
static int draft_open(const char *path, char **ret_name, struct err *err)
{
	_cleanup_free_ char *name = str_printf("%s.new-%d", path, (int)getpid());
	int fd;

	if (!name)
		return err_sys(err, -ENOMEM, "cannot write '%s'", path);
	unlink(name); /* left by a crash of an earlier process of our number */
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_sys(err, -errno, "cannot create '%s'", name);
	*ret_name = TAKE_PTR(name);
	return fd;
}

static int sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	_cleanup_close_ int fd = -1;

	if (!dir)
		return -ENOMEM;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return fsync(fd) < 0 && errno != EINVAL ? -errno : 0; /* EINVAL: 9p and others cannot */
}

/* @ret: what filling the draft gave; the draft becomes @path only when that was 0. */
static int draft_finish(int fd, const char *name, const char *path, int ret, struct err *err)
{
	if (ret == 0 && fsync(fd) < 0)
		ret = -errno;
	if (ret == 0 && rename(name, path) < 0)
		ret = -errno;
	if (ret < 0) {
		unlink(name);
		return err_sys(err, ret, "cannot write '%s'", path);
	}
	ret = sync_parent(path);
	return ret < 0 ? err_sys(err, ret, "cannot sync the directory of '%s'", path) : 0;
}

int fs_write_atomic(const char *path, const void *data, size_t len, struct err *err)
{
	_cleanup_free_ char *name = NULL;
	_cleanup_close_ int fd = draft_open(path, &name, err);

	if (fd < 0)
		return fd;
	return draft_finish(fd, name, path, fs_write_all(fd, data, len), err);
}

static int copy_bytes(int from, int to)
{
	ssize_t n;

	do {
		n = sendfile(to, from, NULL, COPY_CHUNK);
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -errno : 0;
}

static int copy_content(int from, int to, mode_t mode)
{
	int ret = copy_bytes(from, to);

	return ret == 0 && fchmod(to, mode & 0777) < 0 ? -errno : ret;
}

int fs_copy(const char *from, const char *to, struct err *err)
{
	struct stat st;
	_cleanup_free_ char *name = NULL;
	_cleanup_close_ int in = open_regular(from, &st, err);
	_cleanup_close_ int out = -1;

	if (in < 0)
		return in;
	out = draft_open(to, &name, err);
	if (out < 0)
		return out;
	return draft_finish(out, name, to, copy_content(in, out, st.st_mode), err);
}

/* Not by O_APPEND: sendfile() refuses it. */
int fs_append(const char *from, const char *to, struct err *err)
{
	struct stat st;
	_cleanup_close_ int in = open_regular(from, &st, err);
	_cleanup_close_ int out = -1;
	int ret;

	if (in < 0)
		return in;
	out = open(to, O_WRONLY | O_CLOEXEC);
	if (out < 0 || lseek(out, 0, SEEK_END) < 0)
		return err_sys(err, -errno, "cannot append to '%s'", to);
	ret = copy_bytes(in, out);
	return ret < 0 ? err_sys(err, ret, "cannot append '%s' to '%s'", from, to) : 0;
}

static int make_dir(const char *path, struct err *err)
{
	struct stat st;

	if (mkdir(path, 0777) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(err, -errno, "cannot create directory '%s'", path);
	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_sys(err, -ENOTDIR, "cannot create directory '%s'", path);
	return 0;
}

int fs_mkdirs_for(const char *path, struct err *err)
{
	_cleanup_free_ char *part = strdup(path);
	int ret;

	if (!part)
		return err_sys(err, -ENOMEM, "cannot create directory '%s'", path);
	for (char *p = part + 1; part[0] && *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		ret = make_dir(part, err);
		if (ret < 0)
			return ret;
		*p = '/';
	}
	return 0;
}

int fs_mkdirs(const char *path, struct err *err)
{
	int ret = fs_mkdirs_for(path, err);

	return ret < 0 ? ret : make_dir(path, err);
}

bool fs_is_setting(const char *path)
{
	return (strncmp(path, "/proc/sys/", 10) == 0 || strncmp(path, "/sys/", 5) == 0) && !strstr(path, "..");
}

bool fs_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

char *fs_stem(const char *path, const char *suffix)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	return strndup(name, strlen(name) - (str_ends_with(name, suffix) ? strlen(suffix) : 0));
}

bool str_ends_with(const char *text, const char *end)
{
	size_t len = strlen(text);
	size_t end_len = strlen(end);

	return len > end_len && strcmp(text + len - end_len, end) == 0;
}

char *str_printf(const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		errno = ENOMEM;
		return NULL;
	}
	return text;
}
