/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A memory cgroup of the agent's own, below the root of the unified hierarchy, which
 * several stimuli share by name.
 */
#ifndef VCPULAT_CGROUP_H
#define VCPULAT_CGROUP_H

#include <stddef.h>

/**
 * cgroup_make - create the group, unless it is there
 * @name: a plain file name
 *
 * Hands the memory controller to the root's children where that was not done yet.
 * Return: 0 or -errno.
 */
int cgroup_make(const char *name);

/**
 * cgroup_path - a file of the group
 * @name: of the group
 * @file: e.g. "/memory.high"
 * @ret: the path
 * @bytes: room in @ret
 *
 * Return: 0 or -ENAMETOOLONG.
 */
int cgroup_path(const char *name, const char *file, char *ret, size_t bytes);

/**
 * cgroup_put - write to a file
 * @path: its path
 * @text: what to write
 *
 * Return: 0 or -errno.
 */
int cgroup_put(const char *path, const char *text);

/**
 * cgroup_remove - take back what cgroup_make() did, once no process is left in the group
 * @name: of the group; none is fine
 */
void cgroup_remove(const char *name);

#endif
