/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forms in which a comparison and its results leave the program. A writer renders what it
 * is given and computes no figure; it writes text into a stream and touches nothing else.
 */
#ifndef VCPULAT_WRITER_H
#define VCPULAT_WRITER_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"

/* All borrowed. */
struct writer_input {
	const json_t *comparison;
	const json_t *const *results;
	size_t count;
	const char *assets_dir; /* html only */
	const char *cause;	/* excerpt: the hit of this cause; NULL: of the first provoked one */
	const uint64_t *gap;	/* perfetto: numbers of gaps of every result; none: the typical hits */
	size_t gaps;
};

struct writer {
	const char *name; /* also of the option that asks for it */
	int (*write)(const struct writer_input *input, FILE *out, struct err *err);
};

/**
 * writer_find - look a writer up
 * @name: "html", "junit", "tap", "excerpt" or "perfetto"
 *
 * Return: static, or NULL.
 */
const struct writer *writer_find(const char *name);

/**
 * writer_to_file - write a file with a writer
 * @writer: which
 * @input: what
 * @path: replaced atomically
 * @err: says what failed
 *
 * Return: 0 or -errno.
 */
int writer_to_file(const struct writer *writer, const struct writer_input *input, const char *path, struct err *err);

/** writer_html - the page of html.h */
int writer_html(const struct writer_input *input, FILE *out, struct err *err);
/** writer_junit - JUnit XML: a suite a scenario, a case a verdict */
int writer_junit(const struct writer_input *input, FILE *out, struct err *err);
/** writer_tap - the Test Anything Protocol: a point a verdict or finding */
int writer_tap(const struct writer_input *input, FILE *out, struct err *err);
/** writer_excerpt - one hit in both layers as plain text of 72 columns, for a mailing list */
int writer_excerpt(const struct writer_input *input, FILE *out, struct err *err);
/** writer_perfetto - Chrome's trace JSON of some gaps, for ui.perfetto.dev */
int writer_perfetto(const struct writer_input *input, FILE *out, struct err *err);

#endif
