// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimuli/node_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fs.h"

#define BUDDYINFO "/proc/buddyinfo"
#define MAX_BUDDY_BYTES 65536
#define MAX_ZONES_BYTES (1 << 20)

/* "Node 1, zone Normal": a zone of ours? Both files begin zones like this. */
static bool is_ours(const char *line, int node)
{
	int seen;

	return sscanf(line, "Node %d, zone", &seen) == 1 && (node == NODE_MEMORY_ALL || seen == node);
}

/* "Node 1, zone   Normal      3      2 ...": blocks by order. */
static long pages_of(char *line)
{
	char *at = strstr(line, "zone") + strlen("zone");
	long pages = 0;

	at += strspn(at, " ");
	at += strcspn(at, " ");
	at += strspn(at, " ");
	for (int order = 0; *at; order++) {
		pages += strtol(at, &at, 10) << order;
		at += strspn(at, " ");
	}
	return pages;
}

static long sum_free(char *buddyinfo, int node)
{
	long pages = 0;

	for (char *line; (line = strsep(&buddyinfo, "\n"));)
		if (is_ours(line, node))
			pages += pages_of(line);
	return pages;
}

static void add_zone_line(const char *line, struct node_memory *m)
{
	const struct {
		const char *name;
		long *sum;
	} figures[] = { { "nr_free_pages", &m->counted },
			{ "count:", &m->on_lists },
			{ "min", &m->min },
			{ "low", &m->low },
			{ "high", &m->high } };
	char name[32];
	long n;

	if (sscanf(line, "%31s %ld", name, &n) != 2)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(figures); i++)
		if (strcmp(name, figures[i].name) == 0)
			*figures[i].sum += n;
}

void node_memory_parse(char *buddyinfo, char *zoneinfo, int node, struct node_memory *ret)
{
	bool ours = false;

	*ret = (struct node_memory){ .free = sum_free(buddyinfo, node) };
	for (char *line; (line = strsep(&zoneinfo, "\n"));) {
		if (strncmp(line, "Node ", 5) == 0)
			ours = is_ours(line, node);
		else if (ours)
			add_zone_line(line, ret);
	}
}

int node_memory_read(int node, struct node_memory *ret)
{
	_cleanup_free_ char *buddyinfo = NULL;
	_cleanup_free_ char *zoneinfo = NULL;
	int r = fs_read(BUDDYINFO, MAX_BUDDY_BYTES, &buddyinfo, NULL, NULL);

	if (r == 0)
		r = fs_read("/proc/zoneinfo", MAX_ZONES_BYTES, &zoneinfo, NULL, NULL);
	if (r == 0)
		node_memory_parse(buddyinfo, zoneinfo, node, ret);
	return r;
}

int node_memory_bind(int node)
{
	unsigned long mask = node < 0 ? 0 : 1UL << node;

	return syscall(SYS_set_mempolicy, node < 0 ? MPOL_DEFAULT : MPOL_BIND, node < 0 ? NULL : &mask,
		       node < 0 ? 0 : sizeof(mask) * 8) < 0
		       ? -errno
		       : 0;
}

static long free_pages(int node)
{
	_cleanup_free_ char *buddyinfo = NULL;

	return fs_read(BUDDYINFO, MAX_BUDDY_BYTES, &buddyinfo, NULL, NULL) < 0 ? -1 : sum_free(buddyinfo, node);
}

/* Reads files into memory of the node. */
static int fill_cache(int node, long pages)
{
	static char buffer[1 << 20];
	FILE *list = popen("exec find /usr/bin /usr/lib/*-linux-gnu -maxdepth 1 -type f -size +4096k", "r");
	const long until = free_pages(node) - pages;
	char path[4096];

	while (list && free_pages(node) > until && fgets(path, sizeof(path), list)) {
		_cleanup_close_ int fd = -1;

		path[strcspn(path, "\n")] = '\0';
		fd = open(path, O_RDONLY | O_CLOEXEC);
		while (fd >= 0 && free_pages(node) > until && read(fd, buffer, sizeof(buffer)) > 0)
			;
	}
	if (list)
		pclose(list);
	return free_pages(node) > until ? -ENODATA : 0;
}

int node_memory_fill(int node, long cache_pages, long left_pages)
{
	const long page = sysconf(_SC_PAGESIZE);
	int ret = node_memory_bind(node);
	void *locked = NULL; /* as long as the process lives */
	long bytes;

	if (ret == 0)
		ret = fill_cache(node, cache_pages);
	if (ret < 0)
		return ret;
	bytes = (free_pages(node) - left_pages) * page;
	if (bytes > 0)
		locked = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1,
			      0);
	return locked == MAP_FAILED ? -errno : node_memory_bind(NODE_MEMORY_ALL);
}
