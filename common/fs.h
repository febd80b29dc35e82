/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files and directories. Nothing here prints; every failure names its path in err. */
#ifndef VCPULAT_FS_H
#define VCPULAT_FS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

/**
 * fs_read - read a whole file, also one of proc, sysfs or tracefs that has no size
 * @path: the file
 * @limit: largest acceptable size in bytes; a longer file gives -EFBIG
 * @ret_data: set to a NUL-terminated buffer the caller frees
 * @ret_len: set to its length without the NUL; may be NULL
 * @err: says what failed, or NULL
 *
 * A directory, a device or a FIFO is refused (-EISDIR, -EINVAL).
 * Return: 0 or -errno.
 */
int fs_read(const char *path, size_t limit, char **ret_data, size_t *ret_len, struct err *err);

/**
 * fs_read_line - fs_read() of a short file, with trailing white space cut
 * @path: the file, at most 64 KiB
 * @ret_line: set to a string the caller frees
 * @err: says what failed, or NULL
 *
 * Return: 0 or -errno.
 */
int fs_read_line(const char *path, char **ret_line, struct err *err);

/**
 * fs_write - write a string to an existing or new file in one write()
 * @path: the file; truncated first
 * @text: what to write
 * @err: says what failed, or NULL
 *
 * Fit for sysfs and procfs, where one write is one action.
 * Return: 0 or -errno.
 */
int fs_write(const char *path, const char *text, struct err *err);

/**
 * fs_write_all - write to a descriptor until all is written
 * @fd: a blocking file, pipe or the like
 * @data: what to write
 * @len: bytes
 *
 * Return: 0 or -errno.
 */
int fs_write_all(int fd, const void *data, size_t len);

/**
 * fs_write_atomic - replace a file so that a reader, or a crash, sees the old or the new one
 * @path: the file
 * @data: its new content
 * @len: bytes
 * @err: says what failed, or NULL
 *
 * Written beside @path, synced, renamed. Return: 0 or -errno.
 */
int fs_write_atomic(const char *path, const void *data, size_t len, struct err *err);

/**
 * fs_mkdirs - create a directory and its parents
 * @path: existing directories are fine
 * @err: says what failed, or NULL
 *
 * Return: 0 or -errno.
 */
int fs_mkdirs(const char *path, struct err *err);

/**
 * fs_mkdirs_for - create the directories above a path
 * @path: of a file or directory to come
 * @err: says what failed, or NULL
 *
 * Return: 0 or -errno.
 */
int fs_mkdirs_for(const char *path, struct err *err);

/**
 * fs_copy - copy a regular file with its permissions
 * @from: source
 * @to: destination, replaced
 * @err: says what failed, or NULL
 *
 * Return: 0 or -errno.
 */
int fs_copy(const char *from, const char *to, struct err *err);

/**
 * fs_append - put a file's content at the end of another
 * @from: source, a regular file
 * @to: existing regular file
 * @err: says what failed, or NULL
 *
 * Return: 0 or -errno; after a failure @to may have a part of it.
 */
int fs_append(const char *from, const char *to, struct err *err);

/**
 * fs_remove_tree - remove a directory and all below it, never crossing a mount or following a link
 * @path: may be missing
 * @err: says what failed, or NULL
 *
 * Return: 0 or -errno.
 */
int fs_remove_tree(const char *path, struct err *err);

/**
 * fs_is_setting - may a scenario write this file?
 * @path: of the file
 *
 * Those below /proc/sys and /sys are the kernel's.
 */
bool fs_is_setting(const char *path);

/**
 * fs_exists - does a path exist?
 * @path: any kind of file; links are followed
 */
bool fs_exists(const char *path);

/**
 * fs_sha256 - hash a file
 * @path: regular file
 * @ret_hex: 64 hexadecimal digits and a NUL
 * @err: says what failed, or NULL
 *
 * Return: 0 or -errno. Uses the kernel-independent libcrypto; not linked into the agent.
 */
int fs_sha256(const char *path, char ret_hex[static 65], struct err *err);

/**
 * fs_stem - a file's name without its folder and its suffix
 * @path: "scenarios/x.yaml"
 * @suffix: ".yaml"; a name without it stays whole
 *
 * Return: "x", which the caller frees, or NULL with errno ENOMEM.
 */
char *fs_stem(const char *path, const char *suffix);

/**
 * str_ends_with - is there something before an ending?
 * @text: anything
 * @end: with which it ends
 */
bool str_ends_with(const char *text, const char *end);

/**
 * str_printf - asprintf() that returns the string
 * @fmt: printf format
 *
 * Return: a string the caller frees, or NULL with errno ENOMEM.
 */
char *str_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
