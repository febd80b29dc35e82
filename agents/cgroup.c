// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fs.h"

#define ROOT "/sys/fs/cgroup"
#define SUBTREE ROOT "/cgroup.subtree_control"
#define GAVE ".gave-memory" /* an empty group beside ours: it was us who handed the controller down */

int cgroup_path(const char *name, const char *file, char *ret, size_t bytes)
{
	int n = snprintf(ret, bytes, ROOT "/%s%s", name, file);

	return (size_t)n < bytes ? 0 : -ENAMETOOLONG;
}

int cgroup_put(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static bool has_memory(void)
{
	_cleanup_free_ char *words = NULL;

	return fs_read_line(SUBTREE, &words, NULL) == 0 && strstr(words, "memory");
}

static int make_group(const char *name, const char *suffix)
{
	char path[PATH_MAX];
	int ret = cgroup_path(name, suffix, path, sizeof(path));

	if (ret < 0)
		return ret;
	return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

int cgroup_make(const char *name)
{
	int ret = 0;

	if (!name[0] || name[0] == '.' || strchr(name, '/'))
		return -EINVAL;
	if (!has_memory()) {
		ret = make_group(name, GAVE);
		if (ret == 0)
			ret = cgroup_put(SUBTREE, "+memory");
	}
	return ret < 0 ? ret : make_group(name, "");
}

void cgroup_remove(const char *name)
{
	char path[PATH_MAX];

	if (cgroup_path(name, "", path, sizeof(path)) < 0 || (rmdir(path) < 0 && errno == EBUSY))
		return; /* another one is left, and will remove it */
	if (cgroup_path(name, GAVE, path, sizeof(path)) == 0 && rmdir(path) == 0)
		cgroup_put(SUBTREE, "-memory");
}
