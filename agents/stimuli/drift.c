// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimuli/drift.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agents/affinity.h"
#include "agents/worker.h"
#include "common/cleanup.h"
#include "common/cpulist.h"
#include "common/fs.h"
#include "common/mono.h"

#define BLOCK_PAGES 16	/* past the CPU's own list, and as much as its counter holds from 8 CPUs on */
#define PIPE_PAGES 1024 /* a pipe's list of so many fills a block */
#define BLOCKS_A_CPU 48
#define CACHE_PAGES 3000 /* of files: what reclaim is to find */
#define FREE_PAGES 150	 /* left when all is in place */
#define RENEW_MS 9000
#define SETTLED_US 20000
#define FOLDED_US 1600000 /* later nobody folds any more */

struct drift {
	int node;
	cpu_set_t cpus;
	size_t blocks;
	int block[]; /* descriptors; closing one frees its pages on the CPU that does so */
};

static bool is_of_node(const char *pid, int node)
{
	_cleanup_free_ char *path = str_printf("/proc/%s/comm", pid);
	_cleanup_free_ char *comm = NULL;
	char *number;

	if (!path || fs_read_line(path, &comm, NULL) < 0)
		return false;
	number = comm + strcspn(comm, "0123456789");
	if (!*number || strtol(number, NULL, 10) != node)
		return false;
	*number = '\0';
	return strcmp(comm, "kswapd") == 0 || strcmp(comm, "kcompactd") == 0;
}

/* As far as they let themselves be moved. */
static void move_threads(int node, const cpu_set_t *cpus)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strspn(entry->d_name, "0123456789") == strlen(entry->d_name) && is_of_node(entry->d_name, node))
			affinity_move((pid_t)strtol(entry->d_name, NULL, 10), cpus);
}

static int other_node(int node)
{
	return node == 0 ? 1 : 0;
}

static int node_cpus(int node, cpu_set_t *ret)
{
	_cleanup_free_ char *path = str_printf("/sys/devices/system/node/node%d/cpulist", node);
	_cleanup_free_ char *text = NULL;
	int r = path ? fs_read_line(path, &text, NULL) : -ENOMEM;

	return r < 0 ? r : cpulist_parse(text, ret);
}

/* Freed where and when its last end is closed, at once; a packet socket's ring would wait for RCU. */
static int hold_block(void)
{
	_cleanup_close_ int fd = -1;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	close(ends[1]);
	fd = ends[0];
	if (fcntl(fd, F_SETPIPE_SZ, PIPE_PAGES * (int)sysconf(_SC_PAGESIZE)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* What a pipe needs comes from the node of the CPU, whatever this thread is bound to. */
static int hold_blocks(struct drift *d, const cpu_set_t *here)
{
	const size_t all = BLOCKS_A_CPU * (size_t)CPU_COUNT(&d->cpus);
	cpu_set_t there;
	int ret = node_cpus(d->node, &there);

	if (ret == 0 && sched_setaffinity(0, sizeof(there), &there) < 0)
		ret = -errno;
	while (ret == 0 && d->blocks < all) {
		int fd = hold_block();

		if (fd < 0)
			ret = fd;
		else
			d->block[d->blocks++] = fd;
	}
	return sched_setaffinity(0, sizeof(*here), here) < 0 && ret == 0 ? -errno : ret;
}

/* Has the CPU free a block. It must be the last to close it, so it waits until this process has. */
static int free_block(struct drift *d, int cpu)
{
	int gate[2];
	char none;
	pid_t pid;
	int fd;

	if (!d->blocks)
		return -ENOBUFS;
	if (pipe2(gate, O_CLOEXEC) < 0)
		return -errno;
	fd = d->block[--d->blocks];
	pid = fork();
	if (pid == 0) {
		close(gate[1]);
		if (read(gate[0], &none, 1) == 0 && worker_run_on(cpu) == 0) {
			usleep(SETTLED_US); /* a CPU that ticked until it is idle folds what it holds back then */
			close(fd);
		}
		_exit(0);
	}
	close(fd);
	close(gate[0]);
	close(gate[1]);
	return pid < 0 || waitpid(pid, NULL, 0) < 0 ? -errno : 0;
}

static long held_back(int node)
{
	struct node_memory m;

	return node_memory_read(node, &m) < 0 ? 0 : m.free - m.counted;
}

/* A counter that overflows is emptied: then the CPU holds back less than before, and there is room for another block.
 */
static int fill_counter(struct drift *d, int cpu)
{
	const long before = held_back(d->node);
	int ret = free_block(d, cpu);

	return ret == 0 && held_back(d->node) < before ? free_block(d, cpu) : ret;
}

/*
 * What a CPU holds back is folded within a second, unless its work for that is pending already; folding makes it so.
 * The work runs when the CPU ticks, as it may for a moment when a block is freed there. So some take a few times.
 */
int drift_renew(struct drift *drift)
{
	const long enough = (long)CPU_COUNT(&drift->cpus) * BLOCK_PAGES * 3 / 4;
	const int64_t end_ms = mono_ms() + RENEW_MS;
	int ret = 0;

	while (ret == 0 && held_back(drift->node) < enough && mono_ms() < end_ms) {
		for (int cpu = 0; ret == 0 && cpu < CPU_SETSIZE; cpu++)
			if (CPU_ISSET((size_t)cpu, &drift->cpus) && held_back(drift->node) < enough)
				ret = fill_counter(drift, cpu);
		usleep(FOLDED_US);
	}
	return ret;
}

int drift_new(int node, const cpu_set_t *cpus, struct drift **ret)
{
	struct drift *d = calloc(1, sizeof(*d) + BLOCKS_A_CPU * (size_t)CPU_COUNT(cpus) * sizeof(d->block[0]));
	cpu_set_t ours;
	int r = d ? node_memory_bind(other_node(node)) : -ENOMEM;

	if (r == 0 && sched_getaffinity(0, sizeof(ours), &ours) < 0)
		r = -errno;
	if (r < 0)
		return r;
	d->node = node;
	d->cpus = *cpus;
	move_threads(node, &ours);
	r = hold_blocks(d, &ours);
	*ret = d;
	if (r == 0)
		r = node_memory_fill(node, CACHE_PAGES, FREE_PAGES);
	if (r == 0)
		r = node_memory_bind(other_node(node));
	return r < 0 ? r : drift_renew(d);
}
