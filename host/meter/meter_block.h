/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The blocks that an emulated host has executed, interned by address, length and bytes:
 * translating code again yields the block that is there already. Bounded: when the table is
 * full a block is represented by an anonymous one of the same number of instructions, so
 * that counts stay right. User space, where every program start brings new addresses, may
 * fill half of the table only.
 *
 * Threads: interning takes a lock (translation is no hot path); blocks never move or change
 * but for the ENTRY flag, which any thread may set.
 */
#ifndef VCPULAT_METER_BLOCK_H
#define VCPULAT_METER_BLOCK_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/meter_format.h"

#define METER_BLOCK_INSNS 512		/* QEMU's limit of instructions a block (TCG_MAX_INSNS) */
#define METER_NOWHERE UINT64_MAX	/* no address: nothing compares equal to it */
#define METER_ANYWHERE (UINT64_MAX - 1) /* of anonymous blocks in the kernel's half of the address space */
#define METER_ANYWHERE_USER (METER_USER_END - 1)
#define METER_USER_END (1ULL << 47)

struct meter_block {
	uint64_t pc;	 /* of the first instruction */
	uint64_t next;	 /* address after the last one */
	uint64_t target; /* of the direct jump or call at the end; METER_NOWHERE: none */
	uint64_t hash;	 /* of the bytes */
	uint32_t id;	 /* counted from 0; the anonymous ones come first */
	uint16_t insns;
	uint16_t last_bytes;   /* length of the last instruction */
	_Atomic uint8_t flags; /* METER_BLOCK_* */
	uint8_t length[];      /* of each instruction */
};

/* What QEMU hands over of a block under translation. */
struct meter_insn {
	const uint8_t *code;
	size_t bytes;
};

struct meter_table;

/**
 * meter_table_new - an empty table
 * @limit: blocks to hold at most, anonymous ones not counted
 *
 * Return: the table, or NULL with errno ENOMEM.
 */
struct meter_table *meter_table_new(uint32_t limit);

/**
 * meter_table_free - free the table and every block
 * @table: may be NULL
 */
void meter_table_free(struct meter_table *table);

/**
 * meter_table_intern - find or add a block
 * @table: the table
 * @pc: address of the first instruction
 * @insns: its instructions
 * @count: how many, 1 to METER_BLOCK_INSNS; more are cut off
 *
 * Return: the block, valid as long as the table; an anonymous one when there is no room.
 */
struct meter_block *meter_table_intern(struct meter_table *table, uint64_t pc, const struct meter_insn *insns,
				       size_t count);

/**
 * meter_table_get - the block of an id
 * @table: the table
 * @id: as in a step
 *
 * Return: borrowed, or NULL for an id that was never given out.
 */
const struct meter_block *meter_table_get(struct meter_table *table, uint32_t id);

/**
 * meter_table_counts - how full the table is
 * @table: the table
 * @ret_blocks: interned blocks
 * @ret_anonymous: translations that found no room
 */
void meter_table_counts(struct meter_table *table, uint64_t *ret_blocks, uint64_t *ret_anonymous);

/**
 * meter_block_rest - instructions from an address to a block's end
 * @block: the block
 * @pc: an address
 *
 * Return: 1 to insns when an instruction of the block begins at @pc, else 0.
 */
uint32_t meter_block_rest(const struct meter_block *block, uint64_t pc);

/**
 * meter_insn_decode - how an instruction that ends a block may go on
 * @insn: its bytes
 * @next: address after it
 * @ret_target: set to where a direct jump or call leads, or METER_NOWHERE
 *
 * Return: METER_BLOCK_* flags.
 */
uint8_t meter_insn_decode(const struct meter_insn *insn, uint64_t next, uint64_t *ret_target);

#endif
