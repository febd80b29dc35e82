/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of one NUMA node, for stimuli that make it short. */
#ifndef VCPULAT_NODE_MEMORY_H
#define VCPULAT_NODE_MEMORY_H

#define NODE_MEMORY_MAX_NODE 63 /* of a mask of one word */

/**
 * node_memory_bind - whatever this thread allocates from now on comes from one node
 * @node: its number; -1: from any
 *
 * Return: 0 or -errno.
 */
int node_memory_bind(int node);

/**
 * node_memory_free_pages - what is free of a node, whatever its counters say
 * @node: its number
 *
 * Return: pages; -1 when it cannot be read.
 */
long node_memory_free_pages(int node);

/**
 * node_memory_fill - leave few pages of a node free, for as long as this process lives
 * @node: its number
 * @cache_pages: of files are read into it, at least: what reclaim is to find; the rest is locked
 * @left_pages: are left free, about
 *
 * Return: 0, -ENODATA when there are not so many files to read, or another -errno.
 */
int node_memory_fill(int node, long cache_pages, long left_pages);

#endif
