/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In whose name did a block execute? Follows both layers of a gap through interrupts, work
 * items, softirqs and changes of tasks. See reports/exact/meter.h for what contexts mean.
 *
 * What runs outside interrupts and work items can be named only when the gap is over and it
 * is known what else the task did: until then its context is a placeholder.
 */
#ifndef VCPULAT_METER_CONTEXT_H
#define VCPULAT_METER_CONTEXT_H

#include "reports/exact/meter.h"
#include "reports/exact/meter_class.h"

/* A function of a kernel, or user space, as a block enters or goes on in it. */
struct meter_place {
	uint32_t function; /* name */
	enum meter_class class;
	bool start;	/* its first instruction */
	uint32_t flags; /* of the block, METER_BLOCK_* */
};

struct meter_contexts;

/**
 * meter_contexts_new - before the first block of a gap
 * @names: gets the contexts' names; borrowed
 * @probe_layer: layer of the probe
 *
 * Return: to be given to meter_contexts_free(), or NULL with errno ENOMEM.
 */
struct meter_contexts *meter_contexts_new(struct names *names, enum meter_layer probe_layer);

/**
 * meter_contexts_free - drop it
 * @contexts: may be NULL
 */
void meter_contexts_free(struct meter_contexts *contexts);

/**
 * meter_contexts_step - a block executes
 * @contexts: the gap's
 * @layer: where
 * @place: what
 * @ret: set to its context, maybe a placeholder
 *
 * Return: 0 or -ENOMEM.
 */
int meter_contexts_step(struct meter_contexts *contexts, enum meter_layer layer, const struct meter_place *place,
			uint32_t *ret);

/**
 * meter_contexts_finish - the gap is over: placeholders can be resolved, roots are known
 * @contexts: the gap's
 *
 * Return: 0 or -ENOMEM.
 */
int meter_contexts_finish(struct meter_contexts *contexts);

/**
 * meter_contexts_name - the name of a context
 * @contexts: finished
 * @context: from meter_contexts_step()
 */
uint32_t meter_contexts_name(struct meter_contexts *contexts, uint32_t context);

/**
 * meter_contexts_take_roots - what caused the gap
 * @contexts: finished
 * @ret: set to heap memory, or NULL when there are none
 *
 * Return: how many.
 */
size_t meter_contexts_take_roots(struct meter_contexts *contexts, struct meter_root **ret);

#endif
