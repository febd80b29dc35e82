/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The free memory of a NUMA node, as the kernel's lists and as its counters have it, in pages. */
#ifndef VCPULAT_NODE_MEMORY_H
#define VCPULAT_NODE_MEMORY_H

#define NODE_MEMORY_ALL (-1)
#define NODE_MEMORY_MAX_NODE 63 /* of a mask of one word */

struct node_memory {
	long free;     /* on the free lists, whatever counters say */
	long counted;  /* by the counters, without what CPUs still hold back */
	long on_lists; /* on the lists of CPUs: in neither of the two */
	long min;      /* watermarks */
	long low;
	long high;
};

/**
 * node_memory_parse - what the kernel's files say
 * @buddyinfo: text of /proc/buddyinfo; taken apart
 * @zoneinfo: text of /proc/zoneinfo; taken apart
 * @node: its number, or NODE_MEMORY_ALL
 * @ret: sums over the zones
 */
void node_memory_parse(char *buddyinfo, char *zoneinfo, int node, struct node_memory *ret);

/**
 * node_memory_read - the state of now
 * @node: its number, or NODE_MEMORY_ALL
 * @ret: untouched on failure
 *
 * Lists and counters are read one after the other. Return: 0 or -errno.
 */
int node_memory_read(int node, struct node_memory *ret);

/**
 * node_memory_bind - where this thread's new pages, and those of its children, come from
 * @node: its number, or NODE_MEMORY_ALL: from anywhere
 *
 * Return: 0 or -errno.
 */
int node_memory_bind(int node);

/**
 * node_memory_fill - leave few pages of a node free, for as long as this process lives
 * @node: its number
 * @cache_pages: of files are read into it, at least: what reclaim is to find; the rest is locked
 * @left_pages: are left free, about
 *
 * This thread's pages come from anywhere afterwards. Return: 0, -ENODATA when there are not so many files to read, or
 * another -errno.
 */
int node_memory_fill(int node, long cache_pages, long left_pages);

#endif
