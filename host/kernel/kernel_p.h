/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of the kernel builder, for each other and for the tests:
 *   inputs         what goes in, and the key made of it
 *   tree           the work tree: sources extracted, patches applied and reverted exactly
 *   patch          what a patch touches
 *   package        kernels that Debian built, and modules of those built elsewhere
 *   make           configuration and compilation in a work tree, with progress
 *   kernel         the cache, and the order of the steps
 */
#ifndef VCPULAT_KERNEL_P_H
#define VCPULAT_KERNEL_P_H

#include <stdbool.h>
#include <stdint.h>

#include "common/json.h"
#include "host/kernel/kernel.h"

#define KERNEL_HASH_CHARS 65

/* Variables of every call of make that decide what comes out; NULL-terminated; part of the key. */
extern const char *const kernel_make_variables[];

struct kernel_patch {
	char *path;
	char *text;
	size_t text_bytes;
};

struct kernel_inputs {
	const struct arm *arm;		   /* borrowed */
	enum arm_source source;		   /* not ARM_IMAGE */
	char *source_path;		   /* tarball, or top of the git tree; of a package NAME=VERSION */
	char source_id[KERNEL_HASH_CHARS]; /* sha256 of the tarball, or the id of the git tree; "": see source_path */
	char *toolchain;	      /* versions of compiler and linker, one a line; "" where nothing is compiled */
	char *fragment;		      /* all fragments, in order; of a package the scripts that pack it */
	struct kernel_patch *patches; /* in order */
	size_t patch_count;
	char key[KERNEL_HASH_CHARS];	  /* of all of the above and of the build variables */
	char tree_key[KERNEL_HASH_CHARS]; /* without the patches: which work tree */
};

/**
 * kernel_inputs_load - read everything that goes into an arm's kernel
 * @arm: not an ARM_IMAGE; must outlive @ret
 * @cache: folder of the kernel cache, where hashes of tarballs are remembered
 * @ret: filled; to be given to kernel_inputs_done(), also after a failure
 * @err: names the missing file or program and says how to get it
 *
 * Return: 0 or -errno.
 */
int kernel_inputs_load(const struct arm *arm, const char *cache, struct kernel_inputs *ret, struct err *err);

/** kernel_inputs_done - free what kernel_inputs_load() filled in */
void kernel_inputs_done(struct kernel_inputs *inputs);

#define _cleanup_kernel_inputs_ _cleanup_(kernel_inputs_done)

/**
 * kernel_inputs_hash - compute key and tree_key from the other members
 * @inputs: all but the keys filled
 *
 * Return: 0 or -ENOMEM.
 */
int kernel_inputs_hash(struct kernel_inputs *inputs);

/**
 * kernel_config_missing - which lines of a fragment did not take effect?
 * @fragment: lines "CONFIG_X=..." or "# CONFIG_X is not set"; of two lines for one symbol the last one counts
 * @config: a complete configuration
 * @ret_missing: set to the lines that are missing, separated by ", "; "" when none is; the caller frees it
 *
 * Return: number of missing lines, or -ENOMEM.
 */
int kernel_config_missing(const char *fragment, const char *config, char **ret_missing);

/**
 * kernel_package_find - the package that a name stands for now
 * @package: of a Debian kernel, or of a metapackage that depends on one
 * @ret: set to "NAME=VERSION"; the caller frees it
 * @err: says that there is none, and the way out
 *
 * Return: 0, -ENOENT or another -errno.
 */
int kernel_package_find(const char *package, char **ret, struct err *err);

/**
 * kernel_package_fetch - download and unpack a package; installs nothing
 * @inputs: of an arm whose source is a package
 * @dir: existing; gets bzImage, System.map, config and modules.cpio.gz
 * @err: says what failed
 *
 * Return: 0, -EINTR on a stop request, or another -errno.
 */
int kernel_package_fetch(const struct kernel_inputs *inputs, const char *dir, struct err *err);

/**
 * kernel_modules_pack - the installed modules that a host or guest under test needs
 * @arm: for messages
 * @release: there is a /lib/modules of that name
 * @out: initramfs that is written, to be appended to the host's and the guest's
 * @err: says what failed
 *
 * Return: 0, -EINTR on a stop request, or another -errno.
 */
int kernel_modules_pack(const struct arm *arm, const char *release, const char *out, struct err *err);

struct kernel_progress {
	const char *arm;    /* shown to the user; borrowed */
	unsigned int done;  /* files made so far */
	unsigned int total; /* 0: not known */
	char error[512];    /* first error that a compiler reported */
};

/**
 * kernel_progress_line - look at a line of make's output
 * @progress: counted up when the line says that a file was made
 * @line: without newline
 *
 * Return: true when it was counted.
 */
bool kernel_progress_line(struct kernel_progress *progress, const char *line);

/**
 * kernel_patch_files - which files does a patch touch?
 * @text: unified diff, to be applied with -p1
 * @ret_files: array of relative paths, appended to
 * @err: names a path that leads out of the tree
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int kernel_patch_files(const char *text, json_t *ret_files, struct err *err);

/* One locked work tree. */
struct kernel_tree {
	char *dir;     /* trees/KEY */
	char *source;  /* trees/KEY/source */
	char *log;     /* trees/KEY/build.log */
	int lock_fd;   /* make and all its children hold it too: no two builds, even after kill -9 */
	json_t *state; /* trees/KEY/state, see tree.c */
};

/**
 * kernel_tree_open - lock a work tree, waiting for another build; extract the source when it is new
 * @inputs: what is to be built
 * @cache: folder of the kernel cache
 * @ret: filled; to be given to kernel_tree_close(), also after a failure
 * @err: says what failed and the way out
 *
 * Mends what a killed build left. Return: 0, -EINTR or another -errno.
 */
int kernel_tree_open(const struct kernel_inputs *inputs, const char *cache, struct kernel_tree *ret, struct err *err);

/** kernel_tree_close - unlock */
void kernel_tree_close(struct kernel_tree *tree);

#define _cleanup_kernel_tree_ _cleanup_(kernel_tree_close)

/**
 * kernel_tree_save - write the state
 * @tree: open
 * @err: says what failed
 *
 * Return: 0 or -errno.
 */
int kernel_tree_save(struct kernel_tree *tree, struct err *err);

/**
 * kernel_tree_patch - give the source exactly these patches
 * @tree: open
 * @inputs: the patches
 * @err: names the patch and what does not fit
 *
 * Files that have the right content already keep their time stamps. A patch that does
 * not apply changes nothing. Return: 0, -EINVAL for a patch that does not apply, or another -errno.
 */
int kernel_tree_patch(struct kernel_tree *tree, const struct kernel_inputs *inputs, struct err *err);

/**
 * kernel_tree_discard - remove a work tree that cannot be used
 * @tree: open; still locked afterwards
 */
void kernel_tree_discard(struct kernel_tree *tree);

/**
 * kernel_tree_clean - remove the work trees that nobody builds in
 * @cache: folder of the kernel cache
 * @ret_removed: set to their number
 * @err: says what cannot be removed
 *
 * Return: 0 or -errno.
 */
int kernel_tree_clean(const char *cache, unsigned int *ret_removed, struct err *err);

/**
 * kernel_make_tools - are all programs for a build there?
 * @err: lists the missing ones and the packages they come in
 *
 * Return: 0 or -ENOENT.
 */
int kernel_make_tools(struct err *err);

/**
 * kernel_make_config - configure a tree, unless that is done
 * @tree: open, patched
 * @inputs: the fragment
 * @err: names the options that did not take effect
 *
 * Return: 0, -EINTR, -EINVAL for an option that the source does not know, or another -errno.
 */
int kernel_make_config(struct kernel_tree *tree, const struct kernel_inputs *inputs, struct err *err);

/**
 * kernel_make_image - compile
 * @tree: open, patched, configured
 * @inputs: for the release
 * @jobs: compilers at a time
 * @err: first error of the compiler, and where the log is
 *
 * Return: 0, -EINTR or another -errno.
 */
int kernel_make_image(struct kernel_tree *tree, const struct kernel_inputs *inputs, unsigned int jobs, struct err *err);

/**
 * kernel_image_release - the release string inside a bzImage
 * @path: a bzImage
 * @ret: set to a string the caller frees
 * @err: says that it is no bzImage
 *
 * Return: 0, -EINVAL for another kind of file, or another -errno.
 */
int kernel_image_release(const char *path, char **ret, struct err *err);

#endif
