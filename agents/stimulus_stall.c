// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A page fault that does not return. A memory node is filled until few pages are free, and a part of those is only in
 * the counters of CPUs that nobody folds (agents/drift.h). kswapd counts exactly and sees no reason to run;
 * allow_direct_reclaim() does not (kernel mm/vmscan.c, 6.1), and has whoever needs memory wait for kswapd.
 */
#include "agents/stimulus.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agents/drift.h"
#include "agents/node_memory.h"
#include "agents/worker.h"
#include "common/cleanup.h"
#include "common/cpulist.h"
#include "common/fs.h"
#include "common/mono.h"
#include "common/tsc.h"

#define LIST_BYTES 64
#define MORE_PAGES 100UL /* than are free, that are touched: a few turns of reclaim */
#define LOOK_MS 20
#define STACK_LOOKS 20
#define LIMIT_MS 3000 /* a fault that takes so long is not waited for */
#define MAX_STAT_BYTES 65536
#define MAX_STACK_BYTES 4096

struct stalling {
	int node;
	cpu_set_t touchers; /* of the node: a list of pages far from their CPU is emptied every few seconds */
	struct drift *drift;
};

/* What the kernel has counted since it booted. */
struct counts {
	long reclaims;	/* by those who need memory */
	long throttled; /* of those, that had to wait for kswapd */
	long kswapd;	/* its turns */
};

/* One action. */
struct round {
	pid_t toucher[CPU_SETSIZE]; /* 0: none, or it has ended */
	struct node_memory before;
	struct node_memory lowest; /* counted */
	struct counts counts;
	char *where; /* NULL: all have ended */
};

static struct counts read_counts(void)
{
	_cleanup_free_ char *text = NULL;
	struct counts c = { 0 };
	char *rest;

	if (fs_read("/proc/vmstat", MAX_STAT_BYTES, &text, NULL, NULL) < 0)
		return c;
	rest = text;
	for (char *line; (line = strsep(&rest, "\n"));) {
		long n;

		if (sscanf(line, "allocstall_%*s %ld", &n) == 1)
			c.reclaims += n;
		else if (sscanf(line, "pgscan_direct_throttle %ld", &n) == 1)
			c.throttled = n;
		else if (sscanf(line, "pageoutrun %ld", &n) == 1)
			c.kswapd = n;
	}
	return c;
}

/* Where a task waits, innermost first: "throttle_direct_reclaim < try_to_free_pages < ...". NULL: unknown. */
static char *read_stack(pid_t pid)
{
	_cleanup_free_ char *path = str_printf("/proc/%d/stack", (int)pid);
	_cleanup_free_ char *text = NULL;
	char *where = NULL;
	char *rest;

	if (!path || fs_read(path, MAX_STACK_BYTES, &text, NULL, NULL) < 0)
		return NULL;
	rest = text;
	for (char *line; (line = strsep(&rest, "\n"));) {
		_cleanup_free_ char *inner = where;
		char name[64];

		if (sscanf(line, "[<%*x>] %63[^+.]", name) == 1)
			where = str_printf("%s%s%s", inner ? inner : "", inner ? " < " : "", name);
		else
			inner = NULL;
	}
	return where;
}

static void describe(const struct round *r, char ret[static STIMULUS_DETAIL_BYTES])
{
	const struct node_memory *b = &r->before;
	const struct node_memory *l = &r->lowest;
	const struct counts now = read_counts();

	snprintf(ret, STIMULUS_DETAIL_BYTES,
		 "%ld pages free: %ld counted, %ld held back by CPUs; at the lowest %ld free: %ld counted, "
		 "%ld held back, and %ld on lists of CPUs; watermarks %ld, %ld, %ld; %ld direct reclaims, %ld "
		 "throttled, "
		 "%ld turns of kswapd%s%s",
		 b->free, b->counted, b->free - b->counted, l->free, l->counted, l->free - l->counted, l->on_lists,
		 l->min, l->low, l->high, now.reclaims - r->counts.reclaims, now.throttled - r->counts.throttled,
		 now.kswapd - r->counts.kswapd, r->where ? "; waits in " : "", r->where ? r->where : "");
}

static int get_cpus(const json_t *params, const char *name, cpu_set_t *ret)
{
	char text[LIST_BYTES];
	int r = stimulus_param(params, name, text, sizeof(text));

	return r < 0 ? r : cpulist_parse(text, ret);
}

static int get_node(const json_t *params, int *ret)
{
	unsigned long node = 0;
	int r = stimulus_param_number(params, "node", 0, NODE_MEMORY_MAX_NODE, &node);

	*ret = (int)node;
	return r;
}

static int prepare(struct stimulus_state *state, const json_t *params)
{
	struct stalling *s = calloc(1, sizeof(*s));
	cpu_set_t stuck;
	int ret = s ? get_node(params, &s->node) : -ENOMEM;

	state->own = s; /* lives as long as the worker */
	if (ret < 0)
		return ret;
	ret = get_cpus(params, "touchers", &s->touchers);
	if (ret == 0)
		ret = get_cpus(params, "stuck", &stuck);
	return ret < 0 ? ret : drift_new(s->node, &stuck, &s->drift);
}

/* Never returns. */
static void touch(int node, int cpu, size_t pages)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *p = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (p == MAP_FAILED || worker_run_on(cpu) < 0 || node_memory_bind(node) < 0)
		_exit(1);
	for (size_t i = 0; i < pages; i++)
		((volatile unsigned char *)p)[i * page] = 1;
	_exit(0);
}

static int start_all(const struct stalling *s, struct round *r)
{
	const size_t pages = (size_t)r->before.free + MORE_PAGES;
	const size_t each = pages / (size_t)CPU_COUNT(&s->touchers);

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		pid_t pid = CPU_ISSET((size_t)cpu, &s->touchers) ? fork() : 0;

		if (pid < 0)
			return -errno;
		if (pid == 0 && CPU_ISSET((size_t)cpu, &s->touchers))
			touch(s->node, cpu, each);
		r->toucher[cpu] = pid;
	}
	return 0;
}

/* The first that has not ended; 0: all have. */
static pid_t one_left(struct round *r)
{
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (r->toucher[cpu] && waitpid(r->toucher[cpu], NULL, WNOHANG) != 0)
			r->toucher[cpu] = 0;
		if (r->toucher[cpu])
			return r->toucher[cpu];
	}
	return 0;
}

static void end_all(struct round *r)
{
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (r->toucher[cpu])
			kill(r->toucher[cpu], SIGKILL);
	while (one_left(r))
		usleep(LOOK_MS * 1000);
}

static void watch(const struct stalling *s, struct round *r)
{
	const int64_t end_ms = mono_ms() + LIMIT_MS;
	pid_t pid;

	while ((pid = one_left(r)) && mono_ms() < end_ms) {
		struct node_memory m;

		if (node_memory_read(s->node, &m) == 0 && m.counted <= r->lowest.counted)
			r->lowest = m;
		usleep(LOOK_MS * 1000);
	}
	for (int i = 0; pid && !r->where && i < STACK_LOOKS; i++) {
		r->where = read_stack(pid); /* a task that runs at the moment shows none */
		usleep(LOOK_MS * 1000);
	}
}

/* Returns when all is touched, or when that took too long: then who touches is killed, and gives its pages back. */
static int act(struct stimulus_state *state)
{
	const struct stalling *s = state->own;
	struct round r = { 0 };
	int ret = drift_renew(s->drift);

	if (ret == 0)
		ret = node_memory_read(s->node, &r.before);
	if (ret < 0)
		return ret;
	r.lowest = r.before;
	r.counts = read_counts();
	state->began = tsc_read();
	ret = start_all(s, &r);
	if (ret == 0)
		watch(s, &r);
	describe(&r, state->detail);
	end_all(&r);
	free(r.where);
	return ret;
}

static void clean(const json_t *params)
{
	int node;

	if (get_node(params, &node) == 0)
		drift_clean(node);
}

const struct stimulus_ops *stimulus_stall(void)
{
	static const struct stimulus_ops ops = {
		.name = "stall", .role = STIMULUS_STIMULUS, .prepare = prepare, .act = act, .clean = clean
	};

	return &ops;
}
