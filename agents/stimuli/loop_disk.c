// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimuli/loop_disk.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/stimulus.h"
#include "common/cleanup.h"

#define LOOP_CONTROL "/dev/loop-control"
#define LOOP_PREFIX "/dev/loop"
#define BLOCK 1024
#define DISK_BLOCKS 16
#define INODES 16
#define INODE_BYTES 128
#define INODE_BLOCK 5 /* where their table begins */
#define ROOT_INODE 2
#define DIRECTORY_BLOCK 7

static int read_device(const json_t *params, char path[static PATH_MAX], int *ret_number)
{
	int ret = stimulus_param(params, "device", path, PATH_MAX);
	char *end;

	if (ret < 0)
		return ret;
	if (strncmp(path, LOOP_PREFIX, strlen(LOOP_PREFIX)) != 0)
		return -EINVAL;
	*ret_number = (int)strtol(path + strlen(LOOP_PREFIX), &end, 10);
	return *end || end == path + strlen(LOOP_PREFIX) ? -EINVAL : 0;
}

static int control_loop(unsigned long what, int number)
{
	_cleanup_close_ int control = open(LOOP_CONTROL, O_RDWR | O_CLOEXEC);

	if (control < 0)
		return -errno;
	return ioctl(control, what, number) < 0 && errno != EEXIST ? -errno : 0;
}

static void put32(unsigned char *disk, size_t at, uint32_t value)
{
	value = htole32(value);
	memcpy(disk + at, &value, sizeof(value));
}

static void put16(unsigned char *disk, size_t at, uint16_t value)
{
	value = htole16(value);
	memcpy(disk + at, &value, sizeof(value));
}

/* An entry of a directory: inode, length of the entry, length of the name, name. */
static void put_entry(unsigned char *disk, size_t at, uint16_t bytes, const char *name)
{
	put32(disk, at, ROOT_INODE);
	put16(disk, at + 4, bytes);
	disk[at + 6] = (unsigned char)strlen(name);
	memcpy(disk + at + 8, name, strlen(name));
}

/* The smallest ext2 there is: an empty root directory in blocks of a KiB. Kernel Documentation/filesystems/ext2.rst. */
static void fill_disk(unsigned char *disk)
{
	unsigned char *super = disk + BLOCK;
	unsigned char *group = disk + 2 * BLOCK;
	unsigned char *root = disk + INODE_BLOCK * BLOCK + (ROOT_INODE - 1) * INODE_BYTES;

	put32(super, 0, INODES);
	put32(super, 4, DISK_BLOCKS);
	put32(super, 20, 1);	     /* first data block */
	put32(super, 32, 8 * BLOCK); /* blocks per group */
	put32(super, 36, 8 * BLOCK);
	put32(super, 40, INODES); /* inodes per group */
	put16(super, 56, 0xef53);
	put16(super, 58, 1); /* clean */
	put32(group, 0, 3);  /* bitmaps of blocks and inodes, empty: nobody writes */
	put32(group, 4, 4);
	put32(group, 8, INODE_BLOCK);
	put16(root, 0, S_IFDIR | 0755);
	put32(root, 4, BLOCK); /* size */
	put16(root, 26, 2);    /* links */
	put32(root, 28, BLOCK / 512);
	put32(root, 40, DIRECTORY_BLOCK);
	put_entry(disk, DIRECTORY_BLOCK * BLOCK, 12, ".");
	put_entry(disk, DIRECTORY_BLOCK * BLOCK + 12, BLOCK - 12, "..");
}

/* A file system in memory that nobody else sees. */
static int make_disk(int *ret_fd)
{
	_cleanup_close_ int fd = memfd_create("vcpulat-disk", MFD_CLOEXEC);
	unsigned char disk[DISK_BLOCKS * BLOCK] = { 0 };

	fill_disk(disk);
	if (fd < 0 || write(fd, disk, sizeof(disk)) != sizeof(disk))
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int loop_disk_attach(const json_t *params, char device[static PATH_MAX], int *ret_fd)
{
	_cleanup_close_ int disk = -1;
	_cleanup_close_ int fd = -1;
	int number = 0;
	int ret = read_device(params, device, &number);

	if (ret == 0)
		ret = make_disk(&disk);
	if (ret == 0)
		ret = control_loop(LOOP_CTL_ADD, number);
	if (ret < 0)
		return ret;
	fd = open(device, O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, LOOP_CONFIGURE,
			    &(struct loop_config){ .fd = (uint32_t)disk, .info.lo_flags = LO_FLAGS_AUTOCLEAR }) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

void loop_disk_remove(const json_t *params)
{
	char device[PATH_MAX];
	int number;

	if (read_device(params, device, &number) == 0)
		control_loop(LOOP_CTL_REMOVE, number);
}
