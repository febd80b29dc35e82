// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/node_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char buddyinfo[] = "Node 0, zone      DMA      0      1      0\n"
				"Node 0, zone   Normal      7      0      2\n"
				"Node 1, zone   Normal     10      3      1\n";

static const char zoneinfo[] = "Node 0, zone   Normal\n"
			       "  per-node stats\n"
			       "      nr_inactive_anon 5\n"
			       "  pages free     500\n"
			       "        min      300\n"
			       "        low      400\n"
			       "        high     500\n"
			       "      nr_free_pages 14\n"
			       "    cpu: 0\n"
			       "              count: 9\n"
			       "              high:  60\n"
			       "Node 1, zone      DMA\n"
			       "  pages free     0\n"
			       "        min      0\n"
			       "Node 1, zone   Normal\n"
			       "  pages free     12\n"
			       "        boost    0\n"
			       "        min      16\n"
			       "        low      22\n"
			       "        high     28\n"
			       "        spanned  65536\n"
			       "      nr_free_pages 12\n"
			       "  pagesets\n"
			       "    cpu: 0\n"
			       "              count: 3\n"
			       "              high:  60\n"
			       "              batch: 15\n"
			       "  vm stats threshold: 16\n"
			       "    cpu: 1\n"
			       "              count: 40\n"
			       "              high:  60\n";

static void parse(int node, struct node_memory *ret)
{
	char buddy[sizeof(buddyinfo)];
	char zones[sizeof(zoneinfo)];

	memcpy(buddy, buddyinfo, sizeof(buddy));
	memcpy(zones, zoneinfo, sizeof(zones));
	node_memory_parse(buddy, zones, node, ret);
}

static void one_node(void **state)
{
	struct node_memory m;

	(void)state;
	parse(1, &m);
	assert_int_equal(m.free, 10 + 2 * 3 + 4);
	assert_int_equal(m.counted, 12);
	assert_int_equal(m.on_lists, 43);
	assert_int_equal(m.min, 16);
	assert_int_equal(m.low, 22);
	assert_int_equal(m.high, 28);
}

static void all_nodes(void **state)
{
	struct node_memory m;

	(void)state;
	parse(NODE_MEMORY_ALL, &m);
	assert_int_equal(m.free, 20 + 2 + 15);
	assert_int_equal(m.counted, 26);
	assert_int_equal(m.on_lists, 52);
	assert_int_equal(m.high, 528);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_node),
		cmocka_unit_test(all_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
