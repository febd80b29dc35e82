/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stage directory of one boot: what goes into the emulated host (in/, job.sh) and what
 * comes out of it (bundles/, exit, run.log). It is the second share; nothing of the project
 * is read through the first one, so that the project may lie where the emulated host's root
 * cannot look: in /tmp, or in a home that is closed to others.
 */
#ifndef VCPULAT_LAB_STAGE_H
#define VCPULAT_LAB_STAGE_H

#include <jansson.h>
#include <stdbool.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "common/schema.h"
#include "host/kernel/kernel.h"

struct lab_stage {
	char *dir;	 /* absolute */
	int lock_fd;	 /* if there is a dir: locked for as long as we live; -1: not */
	bool keep;	 /* lab_stage_done() leaves dir */
	char *cache_dir; /* libvirt's knowledge of QEMU under this kernel; NULL: not kept */
};

/**
 * lab_stage_init - make a stage directory with the program, the agent and the guest's files
 * @s: to be given to lab_stage_done(), also after a failure
 * @parent: existing directory that it is made in
 * @guest: its kernel; NULL: none
 * @host_key: what libvirt's cache depends on beside QEMU and libvirt: the host kernel's hash
 * @err: says which file is missing
 *
 * Stage directories of killed processes are removed, here and in directories beside @parent with names of `vcpulat
 * lab`. Return: 0 or -errno.
 */
int lab_stage_init(struct lab_stage *s, const char *parent, const struct kernel_entry *guest, const char *host_key,
		   struct err *err);

/**
 * lab_stage_initramfs - what the emulated host boots from
 * @s: the stage
 * @host: its kernel
 * @err: says what failed
 *
 * Return: a path that the caller frees, or NULL.
 */
char *lab_stage_initramfs(const struct lab_stage *s, const struct kernel_entry *host, struct err *err);

/**
 * lab_stage_json - put a JSON file into in/
 * @s: the stage
 * @name: file name
 * @value: borrowed
 * @err: says what failed
 *
 * Return: 0 or -errno.
 */
int lab_stage_json(const struct lab_stage *s, const char *name, const json_t *value, struct err *err);

/**
 * lab_stage_text - put a text file into the stage directory
 * @s: the stage
 * @name: file name, relative to the stage directory; its folder is made
 * @text: content
 * @err: says what failed
 *
 * Return: 0 or -errno.
 */
int lab_stage_text(const struct lab_stage *s, const char *name, const char *text, struct err *err);

/**
 * lab_stage_give - put a copy of a file into the stage directory, under its own name
 * @s: the stage
 * @path: regular file
 * @err: says what failed
 *
 * Return: 0 or -errno.
 */
int lab_stage_give(const struct lab_stage *s, const char *path, struct err *err);

/**
 * lab_stage_exit_code - what the job ended with
 * @s: the stage, after the boot
 *
 * Return: 0..255, or -ENODATA when the job did not end.
 */
int lab_stage_exit_code(const struct lab_stage *s);

/**
 * lab_stage_keep_cache - keep what libvirt learned for the next boot
 * @s: the stage, after a boot that ended by itself
 *
 * The cache is replaced by renames: a reader sees the old or the new one. It only saves
 * time, so a failure is no error.
 */
void lab_stage_keep_cache(const struct lab_stage *s);

/**
 * lab_stage_keep - let the directory outlive this process
 * @s: also one that was not made whole
 */
void lab_stage_keep(struct lab_stage *s);

/**
 * lab_stage_done - remove the stage directory, unless it is to be kept, and free what lab_stage_init() made
 * @s: may be zeroed
 */
void lab_stage_done(struct lab_stage *s);

#define _cleanup_lab_stage_ _cleanup_(lab_stage_done)

#endif
