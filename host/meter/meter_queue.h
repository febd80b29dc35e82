/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a CPU's thread to the writer: a ring of records and a pool of step buffers. One
 * producer, one consumer; neither waits. A full ring loses the record, an empty pool loses
 * the steps; both are counted by the producer.
 */
#ifndef VCPULAT_METER_QUEUE_H
#define VCPULAT_METER_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/meter_format.h"

#define METER_QUEUE_ITEMS 1024 /* a power of two */
#define METER_DETAILS 32       /* step buffers a CPU: gaps that may be pending at once */

/* Steps of one gap. */
struct meter_detail {
	_Atomic bool taken; /* set by the producer, cleared by the consumer */
	uint32_t half;	    /* as struct meter_cpu */
	uint32_t step[];    /* 2 * half */
};

struct meter_item {
	union {
		struct meter_record head;
		struct meter_run_record run;
		struct meter_gap_record gap;
		struct meter_mark_record mark;
	};
	struct meter_detail *detail; /* of a gap; NULL: none was kept. The consumer gives it back */
};

struct meter_queue;

/**
 * meter_queue_new - an empty ring without step buffers
 *
 * Return: the queue, or NULL with errno ENOMEM.
 */
struct meter_queue *meter_queue_new(void);

/**
 * meter_queue_free - free ring and buffers
 * @queue: may be NULL; no thread uses it any more
 */
void meter_queue_free(struct meter_queue *queue);

/**
 * meter_queue_reserve - room for the next record
 * @queue: the producer's
 *
 * Return: a zeroed item that meter_queue_commit() hands over; NULL when the ring is full.
 */
struct meter_item *meter_queue_reserve(struct meter_queue *queue);

/**
 * meter_queue_commit - hand the reserved record over
 * @queue: the producer's
 */
void meter_queue_commit(struct meter_queue *queue);

/**
 * meter_queue_peek - the oldest record
 * @queue: the consumer's
 *
 * Return: borrowed until meter_queue_release(); NULL when there is none.
 */
struct meter_item *meter_queue_peek(struct meter_queue *queue);

/**
 * meter_queue_release - done with the oldest record and its steps
 * @queue: the consumer's
 */
void meter_queue_release(struct meter_queue *queue);

/**
 * meter_queue_provide - make the pool of step buffers, touching every page now
 * @queue: the producer's; a second call does nothing
 * @half: steps kept of either end of a gap
 *
 * Return: 0, or -ENOMEM: there is no pool, or a smaller one.
 */
int meter_queue_provide(struct meter_queue *queue, uint32_t half);

/**
 * meter_queue_take - a free step buffer
 * @queue: the producer's
 *
 * Return: the buffer; NULL when all are pending.
 */
struct meter_detail *meter_queue_take(struct meter_queue *queue);

/**
 * meter_detail_put - give a step buffer back
 * @detail: may be NULL
 */
void meter_detail_put(struct meter_detail *detail);

#endif
