/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disk in memory with the smallest ext2 there is, as a loop device of our own: parameter device=/dev/loopN. */
#ifndef VCPULAT_LOOP_DISK_H
#define VCPULAT_LOOP_DISK_H

#include <jansson.h>
#include <limits.h>

/**
 * loop_disk_attach - make the disk and its device
 * @params: of the kind
 * @device: set to the device's path
 * @ret_fd: the device, open; it lets go of the disk when its last user is gone
 *
 * Return: 0, -ENOENT without such a parameter, -EINVAL for one that names no loop device, -EBUSY for one in use, or
 * another -errno.
 */
int loop_disk_attach(const json_t *params, char device[static PATH_MAX], int *ret_fd);

/**
 * loop_disk_remove - remove the device, for the clean() of a kind
 * @params: of the kind
 */
void loop_disk_remove(const json_t *params);

#endif
