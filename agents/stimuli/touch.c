// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimulus.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fs.h"

#define DEVICES "/sys/bus/pci/devices"
#define VENDOR "0x1af4"
#define DEVICE "0x1110" /* QEMU's ivshmem */
#define MEMORY "resource2"
#define FILE_PATH "/dev/shm/vcpulat-guest" /* where a libvirt guest's lies too */
#define BYTES_MAX (1UL << 30)

struct touching {
	size_t page; /* bytes */
	unsigned long pages;
	size_t next;
};

static bool holds(const char *device, const char *file, const char *value)
{
	_cleanup_free_ char *path = str_printf(DEVICES "/%s/%s", device, file);
	_cleanup_free_ char *text = NULL;

	return path && fs_read_line(path, &text, NULL) == 0 && strcmp(text, value) == 0;
}

/* The device's name, e.g. 0000:00:10.0; NULL: there is none. */
static char *find_device(void)
{
	_cleanup_closedir_ DIR *dir = opendir(DEVICES);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (holds(entry->d_name, "vendor", VENDOR) && holds(entry->d_name, "device", DEVICE))
			return strdup(entry->d_name);
	return NULL;
}

/* The kernel fills in the page tables here: a touch later on is no fault of the guest's own. */
static int map_memory(int fd, struct stimulus_state *state, struct touching *t)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	state->page = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (state->page == MAP_FAILED)
		return -errno;
	t->page = (size_t)sysconf(_SC_PAGESIZE);
	t->pages = (size_t)st.st_size / t->page;
	return 0;
}

static int map_device(const char *device, struct stimulus_state *state, struct touching *t)
{
	_cleanup_free_ char *path = str_printf(DEVICES "/%s", device);
	_cleanup_close_ int dir = path ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	_cleanup_close_ int enable = openat(dir, "enable", O_WRONLY | O_CLOEXEC);
	_cleanup_close_ int memory = -1;
	int ret = enable < 0 ? -errno : fs_write_all(enable, "1", 1);

	if (ret < 0)
		return ret;
	memory = openat(dir, MEMORY, O_RDWR | O_CLOEXEC);
	return map_memory(memory, state, t);
}

/* A bare guest has no devices: the file itself, made anew, is its memory. */
static int map_file(const json_t *params, struct stimulus_state *state, struct touching *t)
{
	unsigned long bytes;
	_cleanup_close_ int fd = -1;

	if (stimulus_param_number(params, "bytes", 1, BYTES_MAX, &bytes) < 0)
		return -ENODEV;
	fd = open(FILE_PATH, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0)
		return -errno;
	return map_memory(fd, state, t);
}

static void touch_page(const struct stimulus_state *state, const struct touching *t, size_t number)
{
	((volatile unsigned char *)state->page)[number * t->page] = 1;
}

/* With a number of pages: touched here, so that it is the same ones that come again. */
static int limit(const json_t *params, const struct stimulus_state *state, struct touching *t)
{
	int ret = stimulus_param_number(params, "pages", 1, t->pages, &t->pages);

	if (ret < 0)
		return ret == -ENOENT ? 0 : ret;
	for (size_t i = 0; i < t->pages; i++)
		touch_page(state, t, i);
	return 0;
}

static int prepare(struct stimulus_state *state, const json_t *params)
{
	_cleanup_free_ char *device = find_device();
	struct touching *t = calloc(1, sizeof(*t));
	int ret;

	if (!t)
		return -ENOMEM;
	state->own = t; /* lives as long as the worker */
	ret = device ? map_device(device, state, t) : map_file(params, state, t);
	if (ret == 0)
		ret = limit(params, state, t);
	state->pages = t->pages;
	state->page_bytes = t->page;
	return ret;
}

static void clean(const json_t *params)
{
	if (json_object_get(params, "bytes"))
		unlink(FILE_PATH);
}

/* Where the host has taken the page away: one nested page fault, and nothing in the guest's kernel. */
static int act(struct stimulus_state *state)
{
	struct touching *t = state->own;

	touch_page(state, t, t->next++ % t->pages);
	return 0;
}

const struct stimulus_ops *stimulus_touch(void)
{
	static const struct stimulus_ops ops = {
		.name = "touch", .role = STIMULUS_PRIMER, .bare = true, .prepare = prepare, .act = act, .clean = clean
	};

	return &ops;
}
