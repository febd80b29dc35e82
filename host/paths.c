// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/paths.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fs.h"

/* What lies where: relative to $VCPULAT_DATA or the build tree's root, and to the directory of the binary. */
struct place {
	const char *in_tree;
	const char *beside;    /* in a lab's stage directory */
	const char *installed; /* relative to PREFIX/bin */
};

char *paths_self(void)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (len < 0)
		return NULL;
	path[len] = '\0';
	return strdup(path);
}

static char *binary_dir(void)
{
	char *path = paths_self();

	if (path)
		*strrchr(path, '/') = '\0';
	return path;
}

static char *if_exists(char *path)
{
	if (path && fs_exists(path))
		return path;
	free(path);
	return NULL;
}

static char *find(const struct place *place)
{
	_cleanup_free_ char *dir = binary_dir();
	const char *data = getenv("VCPULAT_DATA");
	char *path;

	if (!dir)
		return NULL;
	if (data && *data)
		return str_printf("%s/%s", data, place->in_tree);
	path = if_exists(str_printf("%s/%s", dir, place->beside));
	if (!path)
		path = if_exists(str_printf("%s/../%s", dir, place->in_tree));
	if (!path)
		path = str_printf("%s/../%s", dir, place->installed);
	return path;
}

char *paths_scenario_dir(void)
{
	return find(&(struct place){ "scenarios", "scenarios", "share/vcpulat/scenarios" });
}

char *paths_kernel_dir(void)
{
	return find(&(struct place){ "images/kernels", "kernels", "share/vcpulat/kernels" });
}

char *paths_guest_dir(void)
{
	return find(&(struct place){ "guest", "guest", "share/vcpulat/guest" });
}

char *paths_html_assets(void)
{
	return find(&(struct place){ "reports/html", "html", "share/vcpulat/html" });
}

char *paths_agent(void)
{
	return find(&(struct place){ "build/vcpulat-agent", "vcpulat-agent", "lib/vcpulat/vcpulat-agent" });
}

char *paths_guest_initramfs(void)
{
	return find(&(struct place){ "build/guest.cpio.gz", "guest.cpio.gz", "lib/vcpulat/guest.cpio.gz" });
}

char *paths_lab_initramfs(void)
{
	return find(&(struct place){ "build/lab.cpio.gz", "lab.cpio.gz", "lib/vcpulat/lab.cpio.gz" });
}

char *paths_meter(void)
{
	return find(&(struct place){ "build/vcpulat-meter.so", "vcpulat-meter.so", "lib/vcpulat/vcpulat-meter.so" });
}

char *paths_cache(void)
{
	const char *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");

	if (xdg && *xdg)
		return str_printf("%s/vcpulat", xdg);
	if (home && *home)
		return str_printf("%s/.cache/vcpulat", home);
	errno = ENOENT;
	return NULL;
}
