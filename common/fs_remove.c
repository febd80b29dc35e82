// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

static bool is_mount_point(int fd)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) < 0)
		return true;
	return st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* By descriptor and without following links: a path that is swapped meanwhile leads nowhere else. */
static int open_dir(int parent, const char *name)
{
	_cleanup_close_ int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return is_mount_point(fd) ? -EXDEV : TAKE_FD(fd);
}

static int remove_below(int fd);

static int remove_entry(int parent, const char *name)
{
	_cleanup_close_ int fd = -1;
	int ret;

	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	ret = fd = open_dir(parent, name);
	if (fd >= 0)
		ret = remove_below(TAKE_FD(fd));
	if (ret < 0)
		return ret;
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

/* Takes @fd. Depth is bounded by the number of open files: one a level. */
static int remove_below(int fd)
{
	_cleanup_closedir_ DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int ret;

	if (!dir) {
		ret = -errno;
		close(fd);
		return ret;
	}
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		ret = remove_entry(dirfd(dir), entry->d_name);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int fs_remove_tree(const char *path, struct err *err)
{
	_cleanup_close_ int fd = open_dir(AT_FDCWD, path);
	int ret = fd;

	if (fd == -ENOENT)
		return 0;
	if (fd >= 0)
		ret = remove_below(TAKE_FD(fd));
	if (ret >= 0 && rmdir(path) < 0)
		ret = -errno;
	if (ret == -EXDEV)
		return err_set(err, ret, "cannot remove '%s': something is mounted on it or below it", path);
	return ret < 0 ? err_sys(err, ret, "cannot remove '%s'", path) : 0;
}
