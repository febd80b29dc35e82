// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A page fault that does not return. A memory node is filled until few pages are free, and a part of those is only in
 * the counters of CPUs that nobody folds, because they are isolated and their own work for it never comes to run.
 * kswapd counts exactly and sees no reason to run; allow_direct_reclaim() does not (kernel mm/vmscan.c, 6.1), and has
 * whoever needs memory wait for kswapd.
 */
#include "agents/stimulus.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agents/node_memory.h"
#include "common/cleanup.h"
#include "common/cpulist.h"
#include "common/fs.h"
#include "common/mono.h"

#define LIST_BYTES 64
#define BLOCK_PAGES 16	 /* past the CPU's own list, and below the threshold of its counters from 8 CPUs on */
#define CACHE_PAGES 3000 /* of files: what reclaim is to find */
#define FREE_PAGES 150	 /* left when all is in place */
#define MORE_PAGES 150	 /* than are free, that are touched: a few turns of reclaim */
#define STICK_MS 4000	 /* the counters are folded every second */
#define READY_MS 25000
#define LIMIT_MS 3000 /* a fault that takes so long is not waited for */
#define MAX_ZONES_BYTES (1 << 20)

struct stalling {
	int node;
	int toucher;	     /* CPU of the node: a list of pages far from their CPU is emptied every few seconds */
	atomic_size_t stuck; /* CPUs that are */
};

static int pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) < 0 ? -errno : 0;
}

/* Free pages of the node as the kernel's counters have it, without what CPUs still hold back. */
static long counted_pages(int node)
{
	_cleanup_free_ char *text = NULL;
	bool ours = false;
	long pages = 0;
	char *rest;

	if (fs_read("/proc/zoneinfo", MAX_ZONES_BYTES, &text, NULL, NULL) < 0)
		return -1;
	rest = text;
	for (char *line; (line = strsep(&rest, "\n"));) {
		long n;
		int seen;

		if (sscanf(line, "Node %d, zone", &seen) == 1)
			ours = seen == node;
		else if (ours && sscanf(line, " nr_free_pages %ld", &n) == 1)
			pages += n;
	}
	return pages;
}

/* Where the toucher waits, and what the node has then. */
static void describe(const struct stalling *s, pid_t pid, char ret[static STIMULUS_DETAIL_BYTES])
{
	_cleanup_free_ char *path = str_printf("/proc/%d/wchan", (int)pid);
	_cleanup_free_ char *where = NULL;
	_cleanup_free_ char *text = NULL;

	if (!path || fs_read_line(path, &where, NULL) < 0)
		return;
	text = str_printf("in %s, %ld free, %ld counted", where, node_memory_free_pages(s->node),
			  counted_pages(s->node));
	snprintf(ret, STIMULUS_DETAIL_BYTES, "%.*s", STIMULUS_DETAIL_BYTES - 1, text ? text : where);
}

/* A block of pages of the node; closing the socket frees it on the CPU that does so. */
static int hold_block(void)
{
	const unsigned int page = (unsigned int)sysconf(_SC_PAGESIZE);
	struct tpacket_req ring = {
		.tp_block_size = BLOCK_PAGES * page, .tp_block_nr = 1, .tp_frame_size = page, .tp_frame_nr = BLOCK_PAGES
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)) < 0)
		return -errno;
	return fd;
}

/*
 * Dirties the CPU's counters and spins until they were folded: the work for it re-arms itself, and then stays pending
 * on a CPU that does not tick. What is freed here afterwards stays in this CPU's counters.
 */
static void be_stuck(struct stalling *s, int cpu, int block_fd)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const int64_t end_ms = mono_ms() + STICK_MS;
	void *p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (pin(cpu) < 0 || p == MAP_FAILED || mlock(p, page) < 0)
		_exit(1);
	while (mono_ms() < end_ms)
		;
	close(block_fd);
	atomic_fetch_add(&s->stuck, 1);
	for (;;)
		pause();
}

/* Not with the node's memory: what the child allocates and frees would be counted there, too. */
static int stick(struct stalling *s, int cpu)
{
	int ret = node_memory_bind(s->node);
	int fd = ret == 0 ? hold_block() : ret;
	pid_t pid;

	if (fd < 0)
		return fd;
	ret = node_memory_bind(-1);
	pid = ret == 0 ? fork() : -1;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		be_stuck(s, cpu, fd);
	}
	close(fd);
	return pid < 0 ? -errno : 0;
}

static int get_params(const json_t *params, struct stalling *s, cpu_set_t *stuck)
{
	char text[LIST_BYTES];
	unsigned long node = 0;
	unsigned long toucher = 0;
	int ret = stimulus_param_number(params, "node", 0, NODE_MEMORY_MAX_NODE, &node);

	if (ret == 0)
		ret = stimulus_param_number(params, "toucher", 0, CPU_SETSIZE - 1, &toucher);
	s->node = (int)node;
	s->toucher = (int)toucher;
	if (ret == 0)
		ret = stimulus_param(params, "stuck", text, sizeof(text));
	return ret < 0 ? ret : cpulist_parse(text, stuck);
}

static int prepare(struct stimulus_state *state, const json_t *params)
{
	struct stalling *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	const int64_t end_ms = mono_ms() + READY_MS;
	cpu_set_t stuck;
	int ret;

	if (s == MAP_FAILED)
		return -errno;
	state->own = s; /* lives as long as the worker */
	ret = get_params(params, s, &stuck);
	for (size_t cpu = 0; ret == 0 && cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &stuck))
			ret = stick(s, (int)cpu);
	if (ret == 0)
		ret = node_memory_fill(s->node, CACHE_PAGES, FREE_PAGES);
	while (ret == 0 && atomic_load(&s->stuck) < (size_t)CPU_COUNT(&stuck)) {
		usleep(100000);
		if (mono_ms() > end_ms)
			ret = -ETIMEDOUT;
	}
	return ret;
}

static void touch(const struct stalling *s, size_t pages)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *p = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || pin(s->toucher) < 0 || node_memory_bind(s->node) < 0)
		_exit(1);
	for (size_t i = 0; i < pages; i++)
		((volatile unsigned char *)p)[i * page] = 1;
	_exit(0);
}

/* Returns when all is touched, or when that took too long: then the toucher is killed, and gives its pages back. */
static int act(struct stimulus_state *state)
{
	struct stalling *s = state->own;
	const int64_t end_ms = mono_ms() + LIMIT_MS;
	const long pages = node_memory_free_pages(s->node) + MORE_PAGES;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		touch(s, (size_t)pages);
	}
	state->detail[0] = '\0';
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		usleep(10000);
		if (mono_ms() < end_ms || state->detail[0])
			continue;
		describe(s, pid, state->detail);
		kill(pid, SIGKILL);
	}
	return 0;
}

const struct stimulus_ops *stimulus_stall(void)
{
	static const struct stimulus_ops ops = {
		.name = "stall", .role = STIMULUS_STIMULUS, .prepare = prepare, .act = act
	};

	return &ops;
}
