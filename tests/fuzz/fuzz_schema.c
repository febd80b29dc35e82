// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as a YAML document, against a table with every type. What is accepted must be in range. */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "common/schema.h"

#define KEY(struct_, name_, type_, ...)                                                                                \
	{                                                                                                              \
		.key = #name_, .type = SCHEMA_##type_, .offset = offsetof(struct struct_, name_), __VA_ARGS__          \
	}

struct leaf {
	char *what;
	uint64_t every;
	struct schema_strings words;
};

struct tree {
	uint64_t count;
	bool on;
	bool has_count;
	char *name;
	uint64_t wait;
	uint64_t room;
	int kind;
	uint32_t layers;
	struct leaf leaf;
	struct schema_list list;
};

static const char *const words[] = { "host", "guest", NULL };
static const struct schema_field leaf_fields[] = {
	KEY(leaf, what, STRING, .required = true),
	KEY(leaf, every, DURATION, .min = 1000, .max = 1000000000, .fallback = "1ms"),
	KEY(leaf, words, STRINGS, .fallback = "[a, b]"),
	{ .key = NULL },
};
static const struct schema_field fields[] = {
	KEY(tree, count, UINT, .min = 1, .max = 16, .fallback = "1", .has_offset = offsetof(struct tree, has_count)),
	KEY(tree, on, BOOL),
	KEY(tree, name, STRING, .fallback = "x"),
	KEY(tree, wait, DURATION),
	KEY(tree, room, SIZE, .max = 1 << 30),
	KEY(tree, kind, ENUM, .names = words),
	KEY(tree, layers, FLAGS, .names = words, .fallback = "guest"),
	KEY(tree, leaf, STRUCT, .fields = leaf_fields),
	KEY(tree, list, LIST, .fields = leaf_fields, .item_bytes = sizeof(struct leaf)),
	{ .key = NULL },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tree nothing;
	struct err err = { "" };
	struct tree tree;
	int ret = schema_parse("f", (const char *)data, size, fields, sizeof(tree), &tree, &err);

	assert((ret == 0) == !err.msg[0]);
	if (ret == 0) {
		const struct leaf *items = tree.list.item;

		assert(tree.count >= 1 && tree.count <= 16 && tree.room <= 1 << 30 && tree.name && tree.kind <= 1 &&
		       tree.layers <= 3 && tree.leaf.every >= 1000);
		for (size_t i = 0; i < tree.list.count; i++)
			assert(items[i].what && items[i].every >= 1000 && items[i].every <= 1000000000);
		schema_clear(fields, sizeof(tree), &tree);
	}
	assert(!memcmp(&tree, &nothing, sizeof(tree)));
	return 0;
}
