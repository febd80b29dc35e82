// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/node_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fs.h"

#define MAX_BUDDY_BYTES 65536

int node_memory_bind(int node)
{
	unsigned long mask = node < 0 ? 0 : 1UL << node;

	return syscall(SYS_set_mempolicy, node < 0 ? MPOL_DEFAULT : MPOL_BIND, node < 0 ? NULL : &mask,
		       node < 0 ? 0 : sizeof(mask) * 8) < 0
		       ? -errno
		       : 0;
}

/* Free pages of the node, whatever counters say: "Node 1, zone Normal 3 2 ..." lists blocks by order. */
long node_memory_free_pages(int node)
{
	_cleanup_free_ char *start = str_printf("Node %d, zone", node);
	_cleanup_free_ char *text = NULL;
	long pages = 0;
	char *rest;

	if (!start || fs_read("/proc/buddyinfo", MAX_BUDDY_BYTES, &text, NULL, NULL) < 0)
		return -1;
	rest = text;
	for (char *line; (line = strsep(&rest, "\n"));) {
		char *at = line + strlen(start);

		if (strncmp(line, start, strlen(start)) != 0)
			continue;
		at += strspn(at, " ");
		at += strcspn(at, " ");
		for (int order = 0; *at; order++)
			pages += strtol(at, &at, 10) << order, at += strspn(at, " ");
	}
	return pages;
}

/* Reads files into memory of the node. */
static int fill_cache(int node, long pages)
{
	static char buffer[1 << 20];
	FILE *list = popen("exec find /usr/bin /usr/lib/*-linux-gnu -maxdepth 1 -type f -size +4096k", "r");
	const long until = node_memory_free_pages(node) - pages;
	char path[4096];

	while (list && node_memory_free_pages(node) > until && fgets(path, sizeof(path), list)) {
		_cleanup_close_ int fd = -1;

		path[strcspn(path, "\n")] = '\0';
		fd = open(path, O_RDONLY | O_CLOEXEC);
		while (fd >= 0 && node_memory_free_pages(node) > until && read(fd, buffer, sizeof(buffer)) > 0)
			;
	}
	if (list)
		pclose(list);
	return node_memory_free_pages(node) > until ? -ENODATA : 0;
}

int node_memory_fill(int node, long cache_pages, long left_pages)
{
	const long page = sysconf(_SC_PAGESIZE);
	int ret = node_memory_bind(node);
	long bytes;

	if (ret == 0)
		ret = fill_cache(node, cache_pages);
	bytes = (node_memory_free_pages(node) - left_pages) * page;
	if (ret == 0 && bytes > 0 &&
	    mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0) ==
		    MAP_FAILED)
		ret = -errno;
	return ret < 0 ? ret : node_memory_bind(-1);
}
