/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes a bundle: a new directory, files as they come, and last the manifest with the
 * hash of each. A directory without manifest.json is no bundle. Reading: reports/.
 */
#ifndef VCPULAT_BUNDLE_WRITER_H
#define VCPULAT_BUNDLE_WRITER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/err.h"

struct bundle_writer;

/* One line of stimuli.jsonl. */
struct bundle_action {
	const char *role;
	const char *kind;
	const char *layer;
	bool by_probe; /* itself, not by a task of its own */
	int cpu;       /* of that layer; -1: any of its housekeeping CPUs */
	uint64_t t0;   /* TSC of that layer */
	uint64_t t1;
	size_t window;	    /* index in the manifest's windows */
	const char *result; /* the agent's word, "ok" usually */
	const char *detail; /* what this action was, of kinds whose actions differ; "": nothing to say */
};

#define BUNDLE_STALLED ".stalled" /* ends the name of a bundle whose run was repeated */

/**
 * bundle_writer_open - create a bundle's directory
 * @parent: created if need be
 * @name: of the bundle; "-2", "-3" ... is added where it exists
 * @ret: handle
 * @err: says what failed
 *
 * Return: 0 or -errno.
 */
int bundle_writer_open(const char *parent, const char *name, struct bundle_writer **ret, struct err *err);

/**
 * bundle_writer_set_aside - rename a sealed bundle whose run is repeated: kept, but no result
 * @w: sealed; its name gets BUNDLE_STALLED at its end, after a number where that exists
 * @err: says what failed
 *
 * Return: 0 or -errno.
 */
int bundle_writer_set_aside(struct bundle_writer *w, struct err *err);

/** bundle_writer_dir - the bundle's directory; owned by the writer */
const char *bundle_writer_dir(const struct bundle_writer *writer);

/**
 * bundle_writer_path - path of a file in the bundle
 * @writer: handle
 * @file: its name
 *
 * Return: a string the caller frees, or NULL with errno ENOMEM.
 */
char *bundle_writer_path(const struct bundle_writer *writer, const char *file);

/**
 * bundle_writer_action - add a line to stimuli.jsonl
 * @writer: handle
 * @action: copied
 * @err: says what failed
 *
 * Return: 0 or -errno.
 */
int bundle_writer_action(struct bundle_writer *writer, const struct bundle_action *action, struct err *err);

/**
 * bundle_writer_json - write a JSON file
 * @writer: handle
 * @file: its name
 * @value: stolen, also after a failure; NULL gives -ENOMEM
 * @err: says what failed
 *
 * Return: 0 or -errno.
 */
int bundle_writer_json(struct bundle_writer *writer, const char *file, json_t *value, struct err *err);

/**
 * bundle_writer_seal - hash all files and write the manifest
 * @writer: handle; nothing is to be added later
 * @manifest: borrowed; gets its member "files"
 * @err: says what failed
 *
 * Return: 0 or -errno.
 */
int bundle_writer_seal(struct bundle_writer *writer, json_t *manifest, struct err *err);

/**
 * bundle_writer_close - free the handle
 * @writer: NULL is fine
 */
void bundle_writer_close(struct bundle_writer *writer);

DEFINE_CLEANUP(struct bundle_writer *, bundle_writer_close)
#define _cleanup_bundle_writer_ _cleanup_(bundle_writer_closep)

#endif
