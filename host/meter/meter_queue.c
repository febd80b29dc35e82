// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/meter/meter_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct meter_queue {
	_Atomic uint32_t tail __attribute__((aligned(128))); /* next to be written; the producer's */
	uint32_t turn;					     /* where the producer looks for a buffer first */
	struct meter_detail *detail[METER_DETAILS];
	_Atomic uint32_t head __attribute__((aligned(128))); /* next to be read; the consumer's */
	struct meter_item item[METER_QUEUE_ITEMS] __attribute__((aligned(128)));
};

struct meter_queue *meter_queue_new(void)
{
	struct meter_queue *queue = aligned_alloc(128, sizeof(*queue));

	if (queue)
		memset(queue, 0, sizeof(*queue));
	return queue;
}

void meter_queue_free(struct meter_queue *queue)
{
	if (!queue)
		return;
	for (int i = 0; i < METER_DETAILS; i++)
		free(queue->detail[i]);
	free(queue);
}

struct meter_item *meter_queue_reserve(struct meter_queue *queue)
{
	uint32_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);

	/* Pairs with the release in meter_queue_release(): the consumer has left the item. */
	if (tail - atomic_load_explicit(&queue->head, memory_order_acquire) == METER_QUEUE_ITEMS)
		return NULL;

	struct meter_item *item = &queue->item[tail % METER_QUEUE_ITEMS];

	memset(item, 0, sizeof(*item));
	return item;
}

void meter_queue_commit(struct meter_queue *queue)
{
	uint32_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);

	/* Pairs with the acquire in meter_queue_peek(): the item and its steps are visible before it counts. */
	atomic_store_explicit(&queue->tail, tail + 1, memory_order_release);
}

struct meter_item *meter_queue_peek(struct meter_queue *queue)
{
	uint32_t head = atomic_load_explicit(&queue->head, memory_order_relaxed);

	/* Pairs with the release in meter_queue_commit(). */
	if (head == atomic_load_explicit(&queue->tail, memory_order_acquire))
		return NULL;
	return &queue->item[head % METER_QUEUE_ITEMS];
}

void meter_queue_release(struct meter_queue *queue)
{
	uint32_t head = atomic_load_explicit(&queue->head, memory_order_relaxed);

	meter_detail_put(queue->item[head % METER_QUEUE_ITEMS].detail);
	/* Pairs with the acquire in meter_queue_reserve(). */
	atomic_store_explicit(&queue->head, head + 1, memory_order_release);
}

int meter_queue_provide(struct meter_queue *queue, uint32_t half)
{
	size_t bytes = sizeof(struct meter_detail) + 2 * (size_t)half * sizeof(uint32_t);

	for (int i = 0; i < METER_DETAILS; i++) {
		if (queue->detail[i])
			continue;
		queue->detail[i] = malloc(bytes);
		if (!queue->detail[i])
			return -ENOMEM;
		memset(queue->detail[i], 0, bytes);
		queue->detail[i]->half = half;
	}
	return 0;
}

struct meter_detail *meter_queue_take(struct meter_queue *queue)
{
	for (int i = 0; i < METER_DETAILS; i++) {
		struct meter_detail *detail = queue->detail[queue->turn++ % METER_DETAILS];

		/* Pairs with the release in meter_detail_put(): the consumer has read the steps. */
		if (detail && !atomic_load_explicit(&detail->taken, memory_order_acquire)) {
			atomic_store_explicit(&detail->taken, true, memory_order_relaxed);
			return detail;
		}
	}
	return NULL;
}

void meter_detail_put(struct meter_detail *detail)
{
	/* Pairs with the acquire in meter_queue_take(). */
	if (detail)
		atomic_store_explicit(&detail->taken, false, memory_order_release);
}
