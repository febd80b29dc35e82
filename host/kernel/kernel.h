/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels of arms: built from source, fragment and patches into a cache keyed by the hash
 * of everything that goes in. The same inputs give the same image, byte for byte, whether
 * built from scratch or on top of another arm's objects. No root.
 *
 * Cache, below paths_cache()/kernels:
 *   images/KEY/   bzImage System.map config entry.json, with a package modules.cpio.gz; appears by one rename,
 *                 never changes
 *   modules/KEY   of an image that somebody else built and installed
 *   trees/KEY/    one work tree for each (source, options): source/, build.log, state; locked
 */
#ifndef VCPULAT_KERNEL_H
#define VCPULAT_KERNEL_H

#include <stdbool.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "host/kernel/arm.h"

struct kernel_entry {
	char key[65];	 /* of all inputs; hexadecimal */
	char sha256[65]; /* of the image; hexadecimal */
	char *dir;	 /* of the cache entry; NULL for an image that somebody else built */
	char *bzimage;
	char *system_map; /* NULL for an image that somebody else built */
	char *modules;	  /* initramfs with what a host or guest needs of them; NULL: all is built in */
	char *release;	  /* what uname -r says once it is booted; "" where that is not known */
};

/**
 * kernel_build - the bootable image of an arm, built now when the cache does not have it
 * @arm: loaded arm
 * @jobs: compilers at a time; 0: one for each CPU
 * @ret: filled; to be given to kernel_entry_done()
 * @err: says what is missing and how to get it
 *
 * Shows progress by log_status(). Return: 0, -EINTR on a stop request, or another -errno.
 */
int kernel_build(const struct arm *arm, unsigned int jobs, struct kernel_entry *ret, struct err *err);

/**
 * kernel_find - look an arm's image up, build nothing
 * @arm: loaded arm
 * @ret: filled when it is there; to be given to kernel_entry_done()
 * @err: says what is wrong with the inputs; not set for -ENOENT
 *
 * Return: 0, -ENOENT when it is not built, -ENODATA when the source, a patch or a program is
 * missing, or another -errno.
 */
int kernel_find(const struct arm *arm, struct kernel_entry *ret, struct err *err);

/**
 * kernel_clean - remove the work trees, nearly 2 GB each; images stay
 * @ret_removed: set to their number; trees in use are left alone
 * @err: says what cannot be removed
 *
 * The next build is one from scratch. Return: 0 or -errno.
 */
int kernel_clean(unsigned int *ret_removed, struct err *err);

/**
 * kernel_entry_done - free what kernel_build() or kernel_find() filled in
 * @entry: may be zeroed
 */
void kernel_entry_done(struct kernel_entry *entry);

#define _cleanup_kernel_entry_ _cleanup_(kernel_entry_done)

#endif
