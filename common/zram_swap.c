// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/zram_swap.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fs.h"

#define LABEL "vcpulat"
#define MAGIC "SWAPSPACE2"
#define HEADER_BYTES 4096 /* one page */
#define MAX_SWAPS_BYTES 65536
#define BUSY_TRIES 20 /* udev may be looking at the device */
#define BUSY_US 50000

/* As mkswap(8) lays it out, and the kernel's union swap_header reads it. */
struct header {
	char boot[1024];
	uint32_t version;
	uint32_t last_page;
	uint32_t bad_pages;
	unsigned char uuid[16];
	char label[16];
	char rest[HEADER_BYTES - 1024 - 12 - 32 - 10];
	char magic[10];
};
_Static_assert(sizeof(struct header) == HEADER_BYTES, "the header is one page");

static int write_header(const char *device, uint64_t bytes, struct err *err)
{
	struct header h = { .version = 1, .last_page = (uint32_t)(bytes / HEADER_BYTES - 1), .label = LABEL };
	_cleanup_close_ int fd = open(device, O_RDWR | O_CLOEXEC);

	memcpy(h.magic, MAGIC, sizeof(h.magic));
	if (fd < 0 || pwrite(fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h) || fsync(fd) < 0)
		return err_sys(err, -errno, "cannot write a swap header to '%s'", device);
	return 0;
}

static bool is_ours(const char *device)
{
	_cleanup_close_ int fd = open(device, O_RDONLY | O_CLOEXEC);
	struct header h;

	return fd >= 0 && pread(fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h) &&
	       memcmp(h.magic, MAGIC, sizeof(h.magic)) == 0 && strncmp(h.label, LABEL, sizeof(h.label)) == 0;
}

static int remove_device(const char *number, struct err *err)
{
	int ret = -EBUSY;

	for (int i = 0; i < BUSY_TRIES && ret == -EBUSY; i++) {
		if (i)
			usleep(BUSY_US);
		ret = fs_write(ZRAM_SWAP_CONTROL "hot_remove", number, err);
	}
	return ret;
}

static int take_away(const char *device, struct err *err)
{
	if (swapoff(device) < 0)
		return err_sys(err, -errno, "cannot stop swapping to '%s'", device);
	return remove_device(device + strlen("/dev/zram"), err);
}

int zram_swap_off(struct err *err)
{
	_cleanup_free_ char *text = NULL;
	char *rest;
	int ret = fs_read("/proc/swaps", MAX_SWAPS_BYTES, &text, NULL, err);

	rest = text;
	for (char *line; ret == 0 && (line = strsep(&rest, "\n"));) {
		line[strcspn(line, " \t")] = '\0';
		if (strncmp(line, "/dev/zram", strlen("/dev/zram")) == 0 && is_ours(line))
			ret = take_away(line, err);
	}
	return ret;
}

static int set_up(const char *number, uint64_t bytes, struct err *err)
{
	_cleanup_free_ char *device = str_printf("/dev/zram%s", number);
	_cleanup_free_ char *disksize = str_printf("/sys/block/zram%s/disksize", number);
	_cleanup_free_ char *size = str_printf("%llu", (unsigned long long)bytes);
	int ret = device && disksize && size ? fs_write(disksize, size, err) : -ENOMEM;

	if (ret == 0)
		ret = write_header(device, bytes, err);
	if (ret == 0 && swapon(device, SWAP_FLAG_PREFER | SWAP_FLAG_PRIO_MASK) < 0)
		ret = err_sys(err, -errno, "cannot swap to '%s'", device);
	return ret;
}

int zram_swap_on(uint64_t bytes, struct err *err)
{
	_cleanup_free_ char *number = NULL;
	int ret = zram_swap_off(err);

	if (ret == 0) /* reading makes a device */
		ret = fs_read_line(ZRAM_SWAP_CONTROL "hot_add", &number, err);
	if (ret < 0)
		return ret;
	ret = set_up(number, bytes, err);
	if (ret < 0)
		remove_device(number, NULL);
	return ret;
}
