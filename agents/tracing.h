/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instances of tracefs, through its plain files: a static program cannot link libtracefs
 * without a run-time loader for plugins it does not have.
 */
#ifndef VCPULAT_TRACING_H
#define VCPULAT_TRACING_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

#define TRACING_ROOT "/sys/kernel/tracing"

/**
 * tracing_mount - have tracefs at TRACING_ROOT
 * @err: says why this kernel or machine refuses
 *
 * Return: 0 or -errno.
 */
int tracing_mount(struct err *err);

/**
 * tracing_instance_new - create an instance named after this process
 * @ret_dir: its directory; a string the caller frees
 * @err: names the directory
 *
 * Instances left by processes that have died are removed. Return: 0 or -errno.
 */
int tracing_instance_new(char **ret_dir, struct err *err);

/**
 * tracing_instance_remove - remove an instance and all that it recorded
 * @dir: as tracing_instance_new() gave it
 */
void tracing_instance_remove(const char *dir);

/**
 * tracing_is_kprobe - is it a system of events that have to be made first?
 * @system: any
 */
bool tracing_is_kprobe(const char *system);

/**
 * tracing_kprobe_add - make an event that tells when a function of the kernel begins, or ends
 * @system: of the event, see common/kprobes.h
 * @function: its name, and that of the event
 *
 * An event that is there already is fine. Return: 0, -ENOENT for an unknown function, or another -errno.
 */
int tracing_kprobe_add(const char *system, const char *function);

/**
 * tracing_kprobe_remove - take such an event away
 * @system: of the event
 * @function: its name
 *
 * Not before every instance that used it is gone.
 */
void tracing_kprobe_remove(const char *system, const char *function);

/**
 * tracing_write - write to a file of tracefs
 * @dir: an instance's directory, or TRACING_ROOT
 * @file: below it
 * @value: what to write
 * @err: names the file, and what the kernel says is wrong with the value
 *
 * Return: 0 or -errno.
 */
int tracing_write(const char *dir, const char *file, const char *value, struct err *err);

/**
 * tracing_read - read a file of tracefs
 * @dir: an instance's directory, or TRACING_ROOT
 * @file: below it
 * @ret_text: a string the caller frees
 * @ret_len: its length
 * @err: names the file
 *
 * Return: 0 or -errno.
 */
int tracing_read(const char *dir, const char *file, char **ret_text, size_t *ret_len, struct err *err);

/**
 * tracing_has - does a file or directory exist?
 * @dir: an instance's directory, or TRACING_ROOT
 * @file: below it
 */
bool tracing_has(const char *dir, const char *file);

/**
 * tracing_cpus - number of an instance's buffers
 * @dir: an instance's directory
 *
 * Return: one for each CPU that may ever be online.
 */
size_t tracing_cpus(const char *dir);

#endif
