/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An arm's kernel: which source, which patches and options on top, which command line, and
 * what all that is expected to remove. One small YAML file an arm, in images/kernels/arms;
 * arms that a user made with `vcpulat kernel build --name` lie in the cache.
 *
 * Loading an arm builds nothing and looks at no kernel: see host/kernel/kernel.h.
 */
#ifndef VCPULAT_ARM_H
#define VCPULAT_ARM_H

#include <stdbool.h>

#include "common/cleanup.h"
#include "common/schema.h"

enum arm_source {
	ARM_DEBIAN_LINUX_6_1, /* the tarball of Debian's package linux-source-6.1 */
	ARM_TARBALL,	      /* another source tarball */
	ARM_TREE,	      /* a clean git tree */
	ARM_IMAGE,	      /* a bzImage somebody else built: nothing is configured, patched or compiled */
	ARM_PACKAGE,	      /* a kernel that Debian built: likewise */
	ARM_SOURCE_MAX
};

struct arm {
	char *name;		       /* the file's name without ".yaml" */
	char *description;	       /* one line */
	char *changes;		       /* what a kernel of this arm does otherwise than stock, for `kernel list` */
	int source;		       /* enum arm_source */
	char *path;		       /* of the tarball, tree or image; a package's name; "" for Debian's source */
	struct schema_strings config;  /* "CONFIG_X=y", or a fragment's file name; on top of the project's fragment */
	struct schema_strings patches; /* file names, in order; a plain name lies in images/kernels/patches */
	struct schema_strings removes; /* causes that must be gone; "guest/..." where a guest runs this kernel */
	struct schema_strings adds;    /* causes that stock does not have */
	char *cmdline;		       /* appended to the command line of a host or guest under test; "" */
};

/* The table behind the files. */
extern const struct schema_field arm_fields[];

/**
 * arm_load - read an arm
 * @name: an arm's name; or the path (it contains a '/') of an arm's YAML file or of a bzImage; with "+debug" behind
 * it the arm's variant that checks itself (images/kernels/debug.config)
 * @ret: filled; to be given to arm_done(), also after a failure
 * @err: names file:line, key and allowed values, or lists the arms there are
 *
 * Files that the arm names are not looked at. Return: 0, -ENOENT for an unknown arm,
 * -EINVAL for a file that does not fit, or another -errno.
 */
int arm_load(const char *name, struct arm *ret, struct err *err);

/**
 * arm_is_ready_made - does its kernel come as it is, with nothing configured, patched or compiled?
 * @arm: loaded
 */
bool arm_is_ready_made(const struct arm *arm);

/**
 * arm_done - free what arm_load() filled in
 * @arm: may be zeroed
 */
void arm_done(struct arm *arm);

/**
 * arm_save - keep a user's own arm in the cache, where arm_load() finds it by name
 * @arm: its name must not be that of an arm of the project
 * @err: says what failed
 *
 * Return: 0, -EEXIST for a name of the project's, or another -errno.
 */
int arm_save(const struct arm *arm, struct err *err);

/**
 * arm_list - the names of all arms, sorted, stock first
 * @ret_names: names; to be freed with schema_strings_clear()
 * @err: says what failed
 *
 * Return: 0 or -errno.
 */
int arm_list(struct schema_strings *ret_names, struct err *err);

#define _cleanup_arm_ _cleanup_(arm_done)

#endif
