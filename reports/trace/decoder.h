/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Raw records to struct trace_event. Fields are looked up once per kind of event, function
 * pointers and symbolic values once per value. Pure; records may be hostile.
 */
#ifndef VCPULAT_DECODER_H
#define VCPULAT_DECODER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"
#include "reports/names.h"
#include "reports/trace/trace_event.h"

struct decoder;

/**
 * decoder_new - a decoder that knows no event yet
 * @layer: put into each event
 * @names: where names go; must outlive the decoder
 *
 * Return: the decoder, or NULL with errno ENOMEM.
 */
struct decoder *decoder_new(enum trace_layer layer, struct names *names);

/** decoder_free - drop it; NULL is fine */
void decoder_free(struct decoder *decoder);
DEFINE_CLEANUP(struct decoder *, decoder_free)

/**
 * decoder_add - learn one kind of event
 * @decoder: the decoder
 * @system: e.g. "sched"
 * @text: the kernel's description (event_format.h); only lent
 *
 * A text that is no description is skipped. Return: 0 or -ENOMEM.
 */
int decoder_add(struct decoder *decoder, const char *system, const char *text);

/* The name of the function at an address, or NULL. */
typedef const char *decoder_find_fn(void *ctx, uint64_t address);

/**
 * decoder_set_functions - where functions get their names
 * @decoder: the decoder
 * @find: asked once per address; NULL: addresses stay numbers
 * @ctx: for @find
 */
void decoder_set_functions(struct decoder *decoder, decoder_find_fn *find, void *ctx);

/**
 * decoder_decode - one record
 * @decoder: the decoder
 * @data: the record as it lies in the ring buffer
 * @len: its length
 * @ret: filled, but for tsc and cpu, which are the caller's
 *
 * Return: false for a record that is too short to be one.
 */
bool decoder_decode(struct decoder *decoder, const void *data, size_t len, struct trace_event *ret);

#endif
