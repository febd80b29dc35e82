// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/meter/meter_block.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ANONYMOUS (2 * METER_BLOCK_INSNS) /* the kernel's, then user space's */

struct meter_table {
	pthread_mutex_t lock;
	struct meter_block **block; /* by id */
	struct meter_block **slot;  /* open addressing, a power of two, at most half full */
	uint32_t count;		    /* blocks by id */
	uint32_t room;		    /* of block */
	uint32_t slots;
	uint32_t limit;
	uint32_t user_count; /* of count */
	uint64_t anonymous;
};

/* FNV-1a: short inputs, no adversary but a guest that would only spoil its own figures. */
static uint64_t hash_bytes(uint64_t hash, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ data[i]) * 0x100000001b3ULL;
	return hash;
}

static uint64_t hash_insns(const struct meter_insn *insns, size_t count)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < count; i++)
		hash = hash_bytes(hash, insns[i].code, insns[i].bytes);
	return hash;
}

static int64_t read_signed(const uint8_t *data, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value |= (uint64_t)data[i] << (8 * i);
	return len && len < 8 && data[len - 1] & 0x80 ? (int64_t)(value | UINT64_MAX << (8 * len)) : (int64_t)value;
}

/* Legacy prefixes, then one REX. In 16- and 32-bit code REX is inc or dec, which ends in nothing here: harmless. */
static size_t skip_prefixes(const struct meter_insn *insn, bool *ret_rep)
{
	size_t i = 0;

	for (; i < insn->bytes && memchr("\x66\x67\xf0\xf2\xf3\x2e\x36\x3e\x26\x64\x65", insn->code[i], 11); i++)
		*ret_rep |= insn->code[i] == 0xf2 || insn->code[i] == 0xf3;
	if (i < insn->bytes && (insn->code[i] & 0xf0) == 0x40)
		i++;
	return i;
}

static uint8_t decode_two_byte(const struct meter_insn *insn, size_t at, uint64_t next, uint64_t *ret_target)
{
	uint8_t op = insn->code[at];

	if (op >= 0x80 && op <= 0x8f) {
		*ret_target = next + (uint64_t)read_signed(insn->code + at + 1, insn->bytes - at - 1);
		return 0;
	}
	if (op == 0x01 && at + 1 < insn->bytes && insn->code[at + 1] == 0xd8)
		return METER_BLOCK_VMRUN;
	/* syscall, sysret, sysenter, sysexit, rsm */
	return op == 0x05 || op == 0x07 || op == 0x34 || op == 0x35 || op == 0xaa ? METER_BLOCK_INDIRECT : 0;
}

static uint8_t decode_group5(uint8_t modrm)
{
	switch (modrm >> 3 & 7) {
	case 2:
	case 3:
		return METER_BLOCK_INDIRECT | METER_BLOCK_CALL;
	case 4:
	case 5:
		return METER_BLOCK_INDIRECT;
	}
	return 0;
}

static bool is_string_op(uint8_t op)
{
	return (op >= 0x6c && op <= 0x6f) || (op >= 0xa4 && op <= 0xa7) || (op >= 0xaa && op <= 0xaf);
}

uint8_t meter_insn_decode(const struct meter_insn *insn, uint64_t next, uint64_t *ret_target)
{
	bool rep = false;
	size_t at = skip_prefixes(insn, &rep);

	*ret_target = METER_NOWHERE;
	if (at >= insn->bytes)
		return 0;

	uint8_t op = insn->code[at++];
	bool relative =
		(op >= 0x70 && op <= 0x7f) || (op >= 0xe0 && op <= 0xe3) || op == 0xe8 || op == 0xe9 || op == 0xeb;

	if (op == 0x0f && at < insn->bytes)
		return decode_two_byte(insn, at, next, ret_target);
	if (op == 0xff && at < insn->bytes)
		return decode_group5(insn->code[at]);
	if (relative) {
		*ret_target = next + (uint64_t)read_signed(insn->code + at, insn->bytes - at);
		return op == 0xe8 ? METER_BLOCK_CALL : 0;
	}
	if (op == 0xcf)
		return METER_BLOCK_INDIRECT | METER_BLOCK_IRET;
	/* ret, far ret, far call, far jump, int3, int, into, int1 */
	if (memchr("\xc2\xc3\xca\xcb\x9a\xea\xcc\xcd\xce\xf1", op, 10))
		return METER_BLOCK_INDIRECT;
	return rep && is_string_op(op) ? METER_BLOCK_REP : 0;
}

uint32_t meter_block_rest(const struct meter_block *block, uint64_t pc)
{
	uint64_t at = block->pc;

	if (pc < at || pc >= block->next || block->flags & METER_BLOCK_ANONYMOUS)
		return 0;
	for (uint32_t i = 0; i < block->insns; i++) {
		if (at == pc)
			return block->insns - i;
		at += block->length[i];
	}
	return 0;
}

static struct meter_block *make_anonymous(uint32_t id)
{
	struct meter_block *block = calloc(1, sizeof(*block));

	if (!block)
		return NULL;
	block->pc = id < METER_BLOCK_INSNS ? METER_ANYWHERE : METER_ANYWHERE_USER;
	block->next = METER_NOWHERE;
	block->target = METER_NOWHERE;
	block->id = id;
	block->insns = (uint16_t)(id % METER_BLOCK_INSNS + 1);
	block->flags = METER_BLOCK_ANONYMOUS | METER_BLOCK_INDIRECT;
	return block;
}

static struct meter_block *make_block(uint64_t pc, const struct meter_insn *insns, size_t count, uint64_t hash)
{
	struct meter_block *block = calloc(1, sizeof(*block) + count);

	if (!block)
		return NULL;
	block->pc = pc;
	block->next = pc;
	block->hash = hash;
	block->insns = (uint16_t)count;
	for (size_t i = 0; i < count; i++) {
		block->length[i] = (uint8_t)insns[i].bytes;
		block->next += insns[i].bytes;
	}
	block->last_bytes = (uint16_t)insns[count - 1].bytes;
	block->flags = meter_insn_decode(&insns[count - 1], block->next, &block->target);
	return block;
}

static uint32_t slot_of(const struct meter_table *table, uint64_t pc, uint64_t hash)
{
	uint64_t mixed = (pc ^ hash) * 0x9e3779b97f4a7c15ULL;

	return (uint32_t)(mixed >> 32) & (table->slots - 1);
}

static int grow_slots(struct meter_table *table)
{
	uint32_t old_slots = table->slots;
	struct meter_block **old = table->slot;
	struct meter_block **slot = calloc((size_t)old_slots * 2, sizeof(struct meter_block *));

	if (!slot)
		return -1;
	table->slot = slot;
	table->slots = old_slots * 2;
	for (uint32_t i = 0; i < old_slots; i++) {
		if (!old[i])
			continue;
		uint32_t at = slot_of(table, old[i]->pc, old[i]->hash);

		while (slot[at])
			at = (at + 1) & (table->slots - 1);
		slot[at] = old[i];
	}
	free(old);
	return 0;
}

static int grow_ids(struct meter_table *table)
{
	uint32_t room = table->room * 2;
	struct meter_block **block = realloc(table->block, room * sizeof(struct meter_block *));

	if (!block)
		return -1;
	table->block = block;
	table->room = room;
	return 0;
}

static int table_init(struct meter_table *table, uint32_t limit)
{
	pthread_mutex_init(&table->lock, NULL);
	table->limit = limit;
	table->room = METER_BLOCK_INSNS * 8;
	table->slots = 1U << 14;
	table->block = calloc(table->room, sizeof(struct meter_block *));
	table->slot = calloc(table->slots, sizeof(struct meter_block *));
	if (!table->block || !table->slot)
		return -1;
	for (uint32_t i = 0; i < ANONYMOUS; i++) {
		table->block[i] = make_anonymous(i);
		if (!table->block[i])
			return -1;
		table->count++;
	}
	return 0;
}

struct meter_table *meter_table_new(uint32_t limit)
{
	struct meter_table *table = calloc(1, sizeof(*table));

	if (table && table_init(table, limit)) {
		meter_table_free(table);
		return NULL;
	}
	return table;
}

void meter_table_free(struct meter_table *table)
{
	if (!table)
		return;
	for (uint32_t i = 0; table->block && i < table->count; i++)
		free(table->block[i]);
	free(table->block);
	free(table->slot);
	pthread_mutex_destroy(&table->lock);
	free(table);
}

static struct meter_block *add(struct meter_table *table, uint64_t pc, const struct meter_insn *insns, size_t count,
			       uint64_t hash)
{
	bool user = pc < METER_USER_END;

	if (table->count - ANONYMOUS >= table->limit || (user && table->user_count >= table->limit / 2))
		return NULL;
	if (table->count == table->room && grow_ids(table))
		return NULL;
	if (table->count * 2 >= table->slots && grow_slots(table))
		return NULL;

	struct meter_block *block = make_block(pc, insns, count, hash);

	if (!block)
		return NULL;
	block->id = table->count;
	table->block[table->count++] = block;
	table->user_count += user;

	uint32_t at = slot_of(table, pc, hash);

	while (table->slot[at])
		at = (at + 1) & (table->slots - 1);
	table->slot[at] = block;
	return block;
}

static struct meter_block *find(const struct meter_table *table, uint64_t pc, size_t count, uint64_t hash)
{
	for (uint32_t at = slot_of(table, pc, hash); table->slot[at]; at = (at + 1) & (table->slots - 1)) {
		struct meter_block *block = table->slot[at];

		if (block->pc == pc && block->hash == hash && block->insns == count)
			return block;
	}
	return NULL;
}

struct meter_block *meter_table_intern(struct meter_table *table, uint64_t pc, const struct meter_insn *insns,
				       size_t count)
{
	if (count > METER_BLOCK_INSNS)
		count = METER_BLOCK_INSNS;

	uint64_t hash = hash_insns(insns, count);

	pthread_mutex_lock(&table->lock);
	struct meter_block *block = find(table, pc, count, hash);

	if (!block)
		block = add(table, pc, insns, count, hash);
	if (!block) {
		block = table->block[count - 1 + (pc < METER_USER_END ? METER_BLOCK_INSNS : 0)];
		table->anonymous++;
	}
	pthread_mutex_unlock(&table->lock);
	return block;
}

const struct meter_block *meter_table_get(struct meter_table *table, uint32_t id)
{
	pthread_mutex_lock(&table->lock);
	const struct meter_block *block = id < table->count ? table->block[id] : NULL;

	pthread_mutex_unlock(&table->lock);
	return block;
}

void meter_table_counts(struct meter_table *table, uint64_t *ret_blocks, uint64_t *ret_anonymous)
{
	pthread_mutex_lock(&table->lock);
	*ret_blocks = table->count - ANONYMOUS;
	*ret_anonymous = table->anonymous;
	pthread_mutex_unlock(&table->lock);
}
