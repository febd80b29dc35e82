// SPDX-License-Identifier: GPL-2.0-or-later
/* The instruction meter, driven without QEMU: synthetic blocks and marks in, records out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/marks.h"
#include "host/meter/meter.h"
#include "host/meter/meter_cpu.h"
#include "host/meter/meter_file.h"

#define NOP "\x90"
#define IRET "\x48\xcf"
#define RET "\xc3"
#define VMRUN "\x0f\x01\xd8"
#define REP_STOS "\xf3\xaa"

DEFINE_CLEANUP(struct meter *, meter_free)

static struct meter *make_meter(uint32_t steps, uint32_t blocks)
{
	const struct meter_options options = {
		.threshold_insns = 20, .steps_max = steps, .block_limit = blocks, .cpus = 2
	};
	struct meter *meter = meter_new(&options);

	assert_non_null(meter);
	return meter;
}

/* A block of @nops one-byte instructions and a last one. */
static struct meter_block *block_of(struct meter *meter, uint64_t pc, size_t nops, const char *last)
{
	struct meter_insn insns[64];

	assert_true(nops < 64);
	for (size_t i = 0; i < nops; i++)
		insns[i] = (struct meter_insn){ (const uint8_t *)NOP, 1 };
	insns[nops] = (struct meter_insn){ (const uint8_t *)last, strlen(last) };
	return meter_table_intern(meter_get_table(meter), pc, insns, nops + 1);
}

static const struct meter_gap_record *next_gap(struct meter *meter, uint32_t cpu)
{
	struct meter_queue *queue = meter_get_queue(meter, cpu);

	for (struct meter_item *item; (item = meter_queue_peek(queue)); meter_queue_release(queue)) {
		if (item->head.type == METER_GAP)
			return &item->gap;
	}
	return NULL;
}

static void drop_item(struct meter *meter, uint32_t cpu)
{
	meter_queue_release(meter_get_queue(meter, cpu));
}

/* The probe's loop: a block of ten instructions whose fifth is the mark. */
#define PROBE_PC 0x400000
#define PROBE_TAIL 6

static struct meter_block *probe_block(struct meter *meter)
{
	return block_of(meter, PROBE_PC, 9, RET); /* may go on anywhere */
}

static void turn(struct meter *meter, uint32_t cpu, bool gap)
{
	meter_block(meter, cpu, probe_block(meter));
	meter_mark(meter, cpu, MARK_TURN, PROBE_TAIL);
	if (gap)
		meter_mark(meter, cpu, MARK_GAP, PROBE_TAIL - 1);
}

static void test_counts_between_turns(void **state)
{
	_cleanup_(meter_freep) struct meter *meter = make_meter(64, 1000);

	(void)state;
	meter_mark(meter, 0, MARK_PROBE_START, 1);
	turn(meter, 0, false);
	turn(meter, 0, true);
	const struct meter_gap_record *gap = next_gap(meter, 0);

	assert_non_null(gap);
	assert_int_equal(gap->gap, 0);
	assert_int_equal(gap->flags, METER_GAP_BY_TIME);
	/* From the fifth instruction of one pass to the fourth of the next; too short for steps. */
	assert_int_equal(gap->insns[METER_HOST], 10);
	assert_int_equal(gap->turn, 2);
	assert_int_equal(gap->steps, 0);
	assert_int_equal(gap->slack, 0);
}

static void test_long_interval_without_gap_mark(void **state)
{
	_cleanup_(meter_freep) struct meter *meter = make_meter(64, 1000);

	(void)state;
	meter_mark(meter, 0, MARK_PROBE_START, 1);
	turn(meter, 0, false);
	meter_block(meter, 0, probe_block(meter));
	meter_block(meter, 0, probe_block(meter));
	turn(meter, 0, false);
	assert_null(next_gap(meter, 0)); /* MARK_GAP might still follow */
	turn(meter, 0, false);
	const struct meter_gap_record *gap = next_gap(meter, 0);

	assert_non_null(gap);
	assert_int_equal(gap->gap, METER_NO_GAP);
	assert_int_equal(gap->flags, METER_GAP_BY_INSNS);
	assert_int_equal(gap->insns[METER_HOST], 30);
	assert_int_equal(gap->steps, 4);
	assert_int_equal(gap->head_skip, 4);
	assert_int_equal(gap->tail_skip, PROBE_TAIL);
}

/* Host: vmrun; guest: probe; #VMEXIT; host: two blocks and vmrun again, at another site. */
static void test_world_switches_of_two_sites(void **state)
{
	_cleanup_(meter_freep) struct meter *meter = make_meter(64, 1000);

	(void)state;
	meter_block(meter, 0, block_of(meter, 0x1000, 4, VMRUN));
	meter_block(meter, 1, block_of(meter, 0x9000, 0, VMRUN));
	meter_block(meter, 0, probe_block(meter));
	meter_mark(meter, 0, MARK_PROBE_START, 1);
	turn(meter, 0, false);
	meter_block(meter, 1, probe_block(meter));
	meter_block(meter, 0, block_of(meter, 0x1007, 2, VMRUN));
	turn(meter, 0, false);
	meter_block(meter, 0, block_of(meter, 0x100c, 9, NOP));
	meter_block(meter, 0, block_of(meter, 0x1016, 9, VMRUN));
	turn(meter, 0, true);
	const struct meter_gap_record *gap = next_gap(meter, 0);

	assert_non_null(gap);
	assert_int_equal(gap->insns[METER_HOST], 20);
	assert_int_equal(gap->insns[METER_GUEST], 10);
	assert_int_equal(gap->exits, 1);
	assert_int_equal(gap->entries, 1);
	assert_int_equal(gap->exit_insns, 20);
	assert_int_equal(gap->entry_insns, 0);
}

/* A guest block of ten is left at its third instruction and goes on there: eight are not counted twice. */
static void test_block_cut_by_intercept(void **state)
{
	_cleanup_(meter_freep) struct meter *meter = make_meter(64, 1000);

	(void)state;
	meter_block(meter, 0, block_of(meter, 0x1000, 0, VMRUN));
	meter_block(meter, 0, probe_block(meter));
	meter_mark(meter, 0, MARK_PROBE_START, 1);
	turn(meter, 0, false);
	meter_block(meter, 0, block_of(meter, 0x5000, 9, RET));
	meter_block(meter, 0, block_of(meter, 0x1003, 3, VMRUN));
	meter_block(meter, 0, block_of(meter, 0x5002, 7, RET));
	meter_block(meter, 0, probe_block(meter));
	turn(meter, 0, true);
	const struct meter_gap_record *gap = next_gap(meter, 0);

	assert_non_null(gap);
	assert_int_equal(gap->insns[METER_GUEST], 10 + 10 + 10);
	assert_int_equal(gap->insns[METER_HOST], 4);
	/* Nothing was set aside that did not come back, but the probe's own loop never was cut. */
	assert_int_equal(gap->slack, 0);
}

/* A host block faults at its sixth instruction; the handler returns there. */
static void test_block_cut_by_fault(void **state)
{
	_cleanup_(meter_freep) struct meter *meter = make_meter(64, 1000);

	(void)state;
	meter_mark(meter, 0, MARK_PROBE_START, 1);
	turn(meter, 0, false);
	meter_block(meter, 0, block_of(meter, 0x5000, 9, NOP));
	meter_block(meter, 0, block_of(meter, 0x8000, 4, IRET));
	meter_block(meter, 0, block_of(meter, 0x5005, 4, RET));
	turn(meter, 0, true);
	const struct meter_gap_record *gap = next_gap(meter, 0);

	assert_non_null(gap);
	assert_int_equal(gap->insns[METER_HOST], 10 + 10 + 5);
	assert_int_equal(gap->slack, 0);
	assert_true(block_of(meter, 0x8000, 4, IRET)->flags & METER_BLOCK_ENTRY);
}

static void test_interrupt_between_blocks(void **state)
{
	_cleanup_(meter_freep) struct meter *meter = make_meter(64, 1000);

	(void)state;
	meter_mark(meter, 0, MARK_PROBE_START, 1);
	turn(meter, 0, false);
	meter_block(meter, 0, block_of(meter, 0x5000, 9, NOP));
	meter_block(meter, 0, block_of(meter, 0x8000, 4, IRET));
	meter_block(meter, 0, block_of(meter, 0x500a, 4, RET));
	turn(meter, 0, true);
	const struct meter_gap_record *gap = next_gap(meter, 0);

	assert_int_equal(gap->insns[METER_HOST], 10 + 10 + 5 + 5);
	assert_int_equal(gap->slack, 0);
}

/* After a ret nothing says whether the block was complete: once its handler is known it is set aside. */
static void test_what_cannot_be_proved_is_slack(void **state)
{
	_cleanup_(meter_freep) struct meter *meter = make_meter(64, 1000);

	(void)state;
	meter_mark(meter, 0, MARK_PROBE_START, 1);
	meter_block(meter, 0, block_of(meter, 0x5000, 9, NOP));
	meter_block(meter, 0, block_of(meter, 0x8000, 4, IRET));
	meter_block(meter, 0, block_of(meter, 0x500a, 4, RET));
	turn(meter, 0, false);
	meter_block(meter, 0, block_of(meter, 0x6000, 6, RET));
	meter_block(meter, 0, block_of(meter, 0x8000, 4, IRET));
	meter_block(meter, 0, block_of(meter, 0x7000, 1, RET));
	turn(meter, 0, true);
	const struct meter_gap_record *gap = next_gap(meter, 0);

	assert_int_equal(gap->insns[METER_HOST], 10 + 7 + 5 + 2);
	assert_int_equal(gap->slack, 7);
}

static void test_block_starts_again_by_itself(void **state)
{
	_cleanup_(meter_freep) struct meter *meter = make_meter(64, 1000);

	(void)state;
	meter_mark(meter, 0, MARK_PROBE_START, 1);
	turn(meter, 0, false);
	meter_block(meter, 0, block_of(meter, 0x5000, 9, NOP));
	meter_block(meter, 0, block_of(meter, 0x5004, 0, NOP));
	meter_block(meter, 0, block_of(meter, 0x5005, 4, RET));
	turn(meter, 0, true);
	const struct meter_gap_record *gap = next_gap(meter, 0);

	assert_int_equal(gap->insns[METER_HOST], 10 + 10);
	assert_int_equal(gap->slack, 0);
}

/* Three nops and rep stosb: five iterations, interrupted after the third. */
static void test_rep_counts_once(void **state)
{
	_cleanup_(meter_freep) struct meter *meter = make_meter(64, 1000);

	(void)state;
	meter_mark(meter, 0, MARK_PROBE_START, 1);
	turn(meter, 0, false);
	meter_block(meter, 0, block_of(meter, 0x5000, 3, REP_STOS));
	meter_block(meter, 0, block_of(meter, 0x5003, 0, REP_STOS));
	meter_block(meter, 0, block_of(meter, 0x5003, 0, REP_STOS));
	meter_block(meter, 0, block_of(meter, 0x8000, 4, IRET));
	meter_block(meter, 0, block_of(meter, 0x5003, 0, REP_STOS));
	meter_block(meter, 0, block_of(meter, 0x5003, 0, REP_STOS));
	meter_block(meter, 0, block_of(meter, 0x5005, 1, RET));
	turn(meter, 0, true);
	const struct meter_gap_record *gap = next_gap(meter, 0);

	assert_int_equal(gap->insns[METER_HOST], 10 + 4 + 5 + 2);
	assert_int_equal(gap->rep[METER_HOST], 4);
	assert_int_equal(gap->slack, 0);
}

static void test_long_gap_keeps_both_ends(void **state)
{
	_cleanup_(meter_freep) struct meter *meter = make_meter(16, 1000);

	(void)state;
	meter_mark(meter, 0, MARK_PROBE_START, 1);
	turn(meter, 0, false);
	for (uint64_t i = 0; i < 100; i++)
		meter_block(meter, 0, block_of(meter, 0x5000 + i * 10, 9, NOP));
	turn(meter, 0, true);
	const struct meter_gap_record *gap = next_gap(meter, 0);

	assert_int_equal(gap->insns[METER_HOST], 10 + 1000);
	assert_int_equal(gap->steps, 102);
	assert_int_equal(gap->steps_head, 8);
	assert_int_equal(gap->steps_tail, 8);
}

static void test_writer_behind_loses_steps_not_counts(void **state)
{
	_cleanup_(meter_freep) struct meter *meter = make_meter(16, 1000);
	uint32_t gaps = 0;
	uint32_t bare = 0;

	(void)state;
	meter_mark(meter, 0, MARK_PROBE_START, 1);
	turn(meter, 0, false);
	for (int i = 0; i < METER_DETAILS + 3; i++) {
		meter_block(meter, 0, block_of(meter, 0x5000, 19, RET));
		turn(meter, 0, true);
	}
	for (const struct meter_gap_record *gap; (gap = next_gap(meter, 0)); drop_item(meter, 0)) {
		assert_int_equal(gap->insns[METER_HOST], 30);
		assert_int_equal(gap->gap, gaps++);
		bare += (gap->flags & METER_GAP_DETAIL_LOST) != 0;
	}
	assert_int_equal(gaps, METER_DETAILS + 3);
	assert_int_equal(bare, 4); /* one buffer is always being filled */
}

static void test_full_queue_is_counted(void **state)
{
	_cleanup_(meter_freep) struct meter *meter = make_meter(16, 1000);
	uint64_t lost = 0;
	uint64_t stray = 0;

	(void)state;
	meter_mark(meter, 0, MARK_PROBE_START, 1);
	turn(meter, 0, false);
	for (int i = 0; i < METER_QUEUE_ITEMS + 4; i++)
		turn(meter, 0, true);
	meter_get_losses(meter, &lost, &stray);
	assert_int_equal(lost, 5); /* the run's record had a place */
	assert_int_equal(stray, 0);
}

static void test_migrated_probe_takes_its_run_along(void **state)
{
	_cleanup_(meter_freep) struct meter *meter = make_meter(64, 1000);

	(void)state;
	meter_mark(meter, 0, MARK_PROBE_START, 1);
	turn(meter, 0, false);
	turn(meter, 0, true);
	turn(meter, 1, true);
	turn(meter, 1, true);
	const struct meter_gap_record *gap = next_gap(meter, 1);

	assert_int_equal(gap->gap, 1);
	assert_int_equal(gap->flags, METER_GAP_BY_TIME | METER_GAP_MIGRATED);
	assert_int_equal(gap->insns[METER_HOST], 0);
	drop_item(meter, 1);
	gap = next_gap(meter, 1);
	assert_int_equal(gap->gap, 2);
	assert_int_equal(gap->flags, METER_GAP_BY_TIME);
}

static void test_two_probes_stay_apart(void **state)
{
	_cleanup_(meter_freep) struct meter *meter = make_meter(64, 1000);

	(void)state;
	meter_mark(meter, 0, MARK_PROBE_START, 1);
	meter_mark(meter, 1, MARK_PROBE_START, 1);
	turn(meter, 0, false);
	turn(meter, 1, false);
	turn(meter, 0, true);
	turn(meter, 1, true);
	assert_int_equal(next_gap(meter, 0)->run, 0);
	assert_int_equal(next_gap(meter, 1)->run, 1);
	assert_int_equal(next_gap(meter, 1)->gap, 0);
}

static void test_interning(void **state)
{
	_cleanup_(meter_freep) struct meter *meter = make_meter(64, 6);
	struct meter_block *a = block_of(meter, 0x1000, 3, NOP);
	uint64_t blocks = 0;
	uint64_t anonymous = 0;

	(void)state;
	assert_ptr_equal(a, block_of(meter, 0x1000, 3, NOP));
	assert_ptr_not_equal(a, block_of(meter, 0x1000, 3, RET));
	assert_ptr_not_equal(a, block_of(meter, 0x2000, 3, NOP));
	struct meter_block *full = block_of(meter, 0x3000, 6, NOP);

	assert_int_equal(full->insns, 7);
	assert_true(full->flags & METER_BLOCK_ANONYMOUS);
	meter_table_counts(meter_get_table(meter), &blocks, &anonymous);
	assert_int_equal(blocks, 3);
	assert_int_equal(anonymous, 1);
	assert_false(block_of(meter, 0xffffffff81000000, 6, NOP)->flags & METER_BLOCK_ANONYMOUS);
	assert_int_equal(meter_block_rest(a, 0x1001), 3);
	assert_int_equal(meter_block_rest(a, 0x1004), 0);
	assert_int_equal(meter_block_rest(a, 0xfff), 0);
}

static void test_table_grows(void **state)
{
	_cleanup_(meter_freep) struct meter *meter = make_meter(64, 100000);

	(void)state;
	struct meter_block *first = block_of(meter, 0, 1, NOP);

	for (uint64_t pc = 0; pc < 40000; pc++)
		block_of(meter, pc * 16, 1, NOP);
	assert_ptr_equal(first, block_of(meter, 0, 1, NOP));
	assert_ptr_equal(meter_table_get(meter_get_table(meter), first->id), first);
	assert_null(meter_table_get(meter_get_table(meter), 1000000));
}

static void test_decode(void **state)
{
	static const struct {
		const char *code;
		size_t bytes;
		unsigned int flags;
		uint64_t target; /* of an instruction that ends at 0x1000 */
	} rows[] = {
		{ "\x74\x10", 2, 0, 0x1010 },
		{ "\x75\xf0", 2, 0, 0xff0 },
		{ "\x0f\x84\x00\x01\x00\x00", 6, 0, 0x1100 },
		{ "\xe9\x00\xff\xff\xff", 5, 0, 0xf00 },
		{ "\xe8\x04\x00\x00\x00", 5, METER_BLOCK_CALL, 0x1004 },
		{ "\xeb\xfe", 2, 0, 0xffe },
		{ "\xe3\x02", 2, 0, 0x1002 },
		{ "\xff\xd0", 2, METER_BLOCK_INDIRECT | METER_BLOCK_CALL, METER_NOWHERE },
		{ "\x41\xff\xe3", 3, METER_BLOCK_INDIRECT, METER_NOWHERE },
		{ "\xff\xc0", 2, 0, METER_NOWHERE },
		{ "\xf3\xc3", 2, METER_BLOCK_INDIRECT, METER_NOWHERE },
		{ "\x48\xcf", 2, METER_BLOCK_INDIRECT | METER_BLOCK_IRET, METER_NOWHERE },
		{ "\x48\x0f\x07", 3, METER_BLOCK_INDIRECT, METER_NOWHERE },
		{ "\x0f\x01\xd8", 3, METER_BLOCK_VMRUN, METER_NOWHERE },
		{ "\xf3\x48\xab", 3, METER_BLOCK_REP, METER_NOWHERE },
		{ "\xf3\x90", 2, 0, METER_NOWHERE },
		{ "\xf4", 1, 0, METER_NOWHERE },
		{ "\x66", 1, 0, METER_NOWHERE },
		{ "\x0f", 1, 0, METER_NOWHERE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct meter_insn insn = { (const uint8_t *)rows[i].code, rows[i].bytes };
		uint64_t target = 1;

		assert_int_equal(meter_insn_decode(&insn, 0x1000, &target), rows[i].flags);
		assert_int_equal(target, rows[i].target);
	}
}

/* While nothing is counted the layer is known, and gaps have no counts; the first whole interval after that has. */
static void test_counting_begins_with_a_probe(void **state)
{
	_cleanup_(meter_freep) struct meter *meter = make_meter(64, 1000);
	const struct meter_gap_record *gap;
	struct meter_item *item;

	(void)state;
	meter_set_counting(meter, false);
	assert_false(meter_wanted(meter));
	meter_skim(meter, 0, block_of(meter, 0x1000, 3, VMRUN));
	meter_mark(meter, 0, MARK_PROBE_START, 1);
	assert_true(meter_wanted(meter));
	item = meter_queue_peek(meter_get_queue(meter, 0));
	assert_int_equal(item->head.type, METER_RUN);
	assert_int_equal(item->run.layer, METER_GUEST);
	meter_mark(meter, 0, MARK_TURN, PROBE_TAIL);
	meter_mark(meter, 0, MARK_TURN, PROBE_TAIL);
	meter_mark(meter, 0, MARK_GAP, PROBE_TAIL - 1);
	meter_set_counting(meter, true);
	turn(meter, 0, true);
	gap = next_gap(meter, 0);
	assert_int_equal(gap->flags, METER_GAP_BY_TIME | METER_GAP_UNCOUNTED);
	drop_item(meter, 0);
	gap = next_gap(meter, 0);
	assert_int_equal(gap->flags, METER_GAP_BY_TIME | METER_GAP_UNCOUNTED);
	drop_item(meter, 0);
	meter_block(meter, 0, block_of(meter, 0x1006, 29, NOP)); /* follows VMRUN: the host */
	turn(meter, 0, true);
	gap = next_gap(meter, 0);
	assert_int_equal(gap->gap, 2);
	assert_int_equal(gap->flags, METER_GAP_BY_TIME | METER_GAP_BY_INSNS);
	assert_int_equal(gap->exits, 1);
	assert_int_equal(gap->insns[METER_HOST] + gap->insns[METER_GUEST], 40);
	meter_mark(meter, 0, MARK_PROBE_STOP, 1);
	assert_false(meter_wanted(meter));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_between_turns),
		cmocka_unit_test(test_long_interval_without_gap_mark),
		cmocka_unit_test(test_world_switches_of_two_sites),
		cmocka_unit_test(test_block_cut_by_intercept),
		cmocka_unit_test(test_block_cut_by_fault),
		cmocka_unit_test(test_interrupt_between_blocks),
		cmocka_unit_test(test_what_cannot_be_proved_is_slack),
		cmocka_unit_test(test_block_starts_again_by_itself),
		cmocka_unit_test(test_rep_counts_once),
		cmocka_unit_test(test_long_gap_keeps_both_ends),
		cmocka_unit_test(test_writer_behind_loses_steps_not_counts),
		cmocka_unit_test(test_full_queue_is_counted),
		cmocka_unit_test(test_migrated_probe_takes_its_run_along),
		cmocka_unit_test(test_two_probes_stay_apart),
		cmocka_unit_test(test_interning),
		cmocka_unit_test(test_table_grows),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_counting_begins_with_a_probe),
	};

	return cmocka_run_group_tests_name("meter", tests, NULL, NULL);
}
