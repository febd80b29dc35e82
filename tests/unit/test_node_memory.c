// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimuli/node_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agents/stimuli/node_course.h"
#include "common/cleanup.h"

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

/* Half of the min watermark is 8 here. */
static void counters_say_more_or_less_than_there_is(void **state)
{
	static const struct node_memory looks[] = {
		{ .free = 60, .counted = 12, .on_lists = 1, .min = 16 },
		{ .free = 40, .counted = 8, .on_lists = 2, .min = 16 },	 /* looks used up, is not */
		{ .free = 8, .counted = 30, .on_lists = 3, .min = 16 },	 /* is, and does not look so */
		{ .free = 16, .counted = 9, .on_lists = 4, .min = 16 },	 /* below min, neither used up */
		{ .free = 7, .counted = 8, .on_lists = 5, .min = 16 },	 /* both used up */
		{ .free = 17, .counted = 17, .on_lists = 6, .min = 16 }, /* the last one lasts no time */
	};
	static const int64_t at_ms[] = { 1000, 1001, 1003, 1010, 1030, 1100 };
	struct node_course c = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
		node_course_add(&c, &looks[i], at_ms[i]);
	assert_int_equal(c.looks, ARRAY_SIZE(looks));
	assert_int_equal(c.first.free, 60);
	assert_int_equal(c.last.on_lists, 6);
	assert_int_equal(c.lowest.on_lists, 5); /* the later of two */
	assert_int_equal(c.least_free, 7);
	assert_int_equal(c.most_held, 48);
	assert_int_equal(c.least_held, -22);
	assert_int_equal(c.false_alarm_ms, 2);
	assert_int_equal(c.unseen_ms, 7);
	assert_int_equal(c.below_min_ms, 7 + 20 + 70);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_node),
		cmocka_unit_test(all_nodes),
		cmocka_unit_test(counters_say_more_or_less_than_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
