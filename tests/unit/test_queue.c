// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SOFTIRQ 0x10
#define HARDIRQ 0x08

struct step {
	enum trace_type type;
	uint64_t work;
	int32_t pid;
	uint16_t cpu;
	uint8_t flags;
	uint32_t name;
};

static const struct queued_work *play(struct queue *queue, const struct step *step, size_t n, enum trace_layer layer)
{
	const struct queued_work *found = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct trace_event event = { .tsc = 100 + i,
						   .arg = step[i].work,
						   .name = step[i].name,
						   .pid = step[i].pid,
						   .cpu = step[i].cpu,
						   .type = (uint8_t)step[i].type,
						   .layer = (uint8_t)layer,
						   .flags = step[i].flags };

		found = queue_feed(queue, &event);
	}
	return found;
}

#define PLAY(queue, layer, ...)                                                                                        \
	play(queue, (const struct step[]){ __VA_ARGS__ },                                                              \
	     sizeof((const struct step[]){ __VA_ARGS__ }) / sizeof(struct step), layer)

static void the_last_queuer_counts(void **state)
{
	struct queue queue = { 0 };
	const struct queued_work *by =
		PLAY(&queue, TRACE_HOST, { TRACE_WORK_QUEUE, 0xf00, 25, 0, 0, 0 },
		     { TRACE_WORK_QUEUE, 0xf00, 99, 1, SOFTIRQ, 0 }, { TRACE_SWITCH, 0xf00, 99, 1, 0, 0 },
		     { TRACE_WORK_START, 0xf00, 38, 1, 0, 0 });

	(void)state;
	assert_non_null(by);
	assert_int_equal(by->pid, 99);
	assert_int_equal(by->cpu, 1);
	assert_int_equal(by->tsc, 101);
	assert_int_equal(by->context, QUEUE_SOFTIRQ);
	assert_int_equal(by->stack, 0);
	assert_string_equal(queue_context_name(by->context), "softirq");
}

static void layers_and_items_are_apart(void **state)
{
	struct queue queue = { 0 };

	(void)state;
	assert_null(PLAY(&queue, TRACE_HOST, { TRACE_WORK_QUEUE, 0xf00, 25, 0, 0, 0 }));
	assert_null(PLAY(&queue, TRACE_GUEST, { TRACE_WORK_START, 0xf00, 38, 1, 0, 0 }));
	assert_null(PLAY(&queue, TRACE_HOST, { TRACE_WORK_START, 0xf08, 38, 1, 0, 0 }));
	assert_non_null(PLAY(&queue, TRACE_HOST, { TRACE_WORK_START, 0xf00, 38, 1, 0, 0 }));
}

/* Another CPU's events may lie between; another event of the same CPU ends the claim. */
static void stacks_go_to_their_event(void **state)
{
	struct queue queue = { 0 };
	const struct queued_work *by = PLAY(&queue, TRACE_HOST, { TRACE_WORK_QUEUE, 0xf00, 25, 0, HARDIRQ, 0 },
					    { TRACE_SWITCH, 0, 7, 1, 0, 0 }, { TRACE_STACK, 0, 25, 0, HARDIRQ, 77 },
					    { TRACE_STACK, 0, 25, 0, 0, 78 }, { TRACE_WORK_START, 0xf00, 38, 1, 0, 0 });

	(void)state;
	assert_int_equal(by->stack, 77);
	assert_int_equal(by->context, QUEUE_IRQ);
	by = PLAY(&queue, TRACE_HOST, { TRACE_WORK_QUEUE, 0xf00, 25, 0, 0, 0 }, { TRACE_SWITCH, 0, 25, 0, 0, 0 },
		  { TRACE_STACK, 0, 25, 0, 0, 79 }, { TRACE_WORK_START, 0xf00, 38, 1, 0, 0 });
	assert_int_equal(by->stack, 0);
	by = PLAY(&queue, TRACE_HOST, { TRACE_WORK_QUEUE, 0xf00, 25, 0, 0, 0 }, { TRACE_STACK, 0, 26, 0, 0, 80 },
		  { TRACE_WORK_START, 0xf00, 38, 1, 0, 0 });
	assert_int_equal(by->stack, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_queuer_counts),
		cmocka_unit_test(layers_and_items_are_apart),
		cmocka_unit_test(stacks_go_to_their_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
