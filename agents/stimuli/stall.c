// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A page fault that does not return. A memory node is filled until few pages are free, and a part of those is only in
 * the counters of CPUs that nobody folds (agents/stimuli/drift.h). kswapd counts exactly and sees no reason to run;
 * allow_direct_reclaim() does not (kernel mm/vmscan.c, 6.1), and has whoever needs memory wait for kswapd.
 */
#include "agents/stimulus.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agents/stimuli/drift.h"
#include "agents/stimuli/node_course.h"
#include "agents/stimuli/node_memory.h"
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
#define MAX_RECORD_BYTES 8192
#define MAX_TASKS 16UL /* a CPU */
#define MAX_TOUCHERS 128

struct stalling {
	int node;
	cpu_set_t touchers;  /* of the node: a list of pages far from their CPU is emptied every few seconds */
	unsigned long tasks; /* on each of them */
	struct drift *drift;
};

/* What the kernel has counted since it booted. */
struct counts {
	long reclaims;	/* by those who need memory */
	long throttled; /* of those, that had to wait for kswapd */
	long kswapd;	/* its turns */
	long oom_kills;
};

struct toucher {
	pid_t pid; /* 0: it has ended */
	bool done; /* it has touched all, and keeps it */
};

/* One action. */
struct round {
	struct toucher toucher[MAX_TOUCHERS];
	size_t touchers;
	size_t left;		/* that have not touched all */
	int64_t preparation_ms; /* until the CPUs held pages back */
	struct node_course course;
	struct counts counts; /* before */
	int log;	      /* the kernel's, behind what it said before; -1: not to be read */
	char *where;	      /* one of those left waits; NULL: there is none */
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
		else if (sscanf(line, "oom_kill %ld", &n) == 1)
			c.oom_kills = n;
	}
	return c;
}

static int open_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* Allocations that failed and were not to fail in silence; the kernel does not tell all of many at once. */
static long failures_in_log(int log)
{
	char record[MAX_RECORD_BYTES];
	long n = 0;
	ssize_t bytes;

	while ((bytes = read(log, record, sizeof(record) - 1)) > 0 || (bytes < 0 && errno == EPIPE)) {
		record[bytes > 0 ? bytes : 0] = '\0';
		n += strstr(record, "page allocation failure") != NULL;
	}
	return n;
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

/* As items of common/stimulus_figures.h. */
static void describe(const struct round *r, char ret[static STIMULUS_DETAIL_BYTES])
{
	const struct node_course *c = &r->course;
	const struct node_memory *l = &c->lowest;
	const struct counts now = read_counts();
	const struct {
		const char *name;
		long value;
		const char *unit;
	} figures[] = {
		{ "preparation", (long)r->preparation_ms, "ms" },
		{ "free before", c->first.free, "pages" },
		{ "held back before", c->first.free - c->first.counted, "pages" },
		{ "held back at most", c->most_held, "pages" },
		{ "held back at least", c->least_held, "pages" },
		{ "free at least", c->least_free, "pages" },
		{ "counted at least", l->counted, "pages" },
		{ "free then", l->free, "pages" },
		{ "on CPU lists then", l->on_lists, "pages" },
		{ "on CPU lists at the end", c->last.on_lists, "pages" },
		{ "watermark min", l->min, "pages" },
		{ "watermark low", l->low, "pages" },
		{ "watermark high", l->high, "pages" },
		{ "below min", c->below_min_ms, "ms" },
		{ "falsely used up", c->false_alarm_ms, "ms" },
		{ "used up unseen", c->unseen_ms, "ms" },
		{ "direct reclaims", now.reclaims - r->counts.reclaims, "times" },
		{ "throttled", now.throttled - r->counts.throttled, "times" },
		{ "turns of kswapd", now.kswapd - r->counts.kswapd, "times" },
		{ "OOM kills", now.oom_kills - r->counts.oom_kills, "times" },
		{ "left waiting", (long)r->left, "tasks" },
	};
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_SIZE(figures) && used < STIMULUS_DETAIL_BYTES; i++)
		used += (size_t)snprintf(ret + used, STIMULUS_DETAIL_BYTES - used, "%s=%ld %s, ", figures[i].name,
					 figures[i].value, figures[i].unit);
	if (used < STIMULUS_DETAIL_BYTES && r->log >= 0)
		used += (size_t)snprintf(ret + used, STIMULUS_DETAIL_BYTES - used, "failures in the log=%ld times, ",
					 failures_in_log(r->log));
	if (used < STIMULUS_DETAIL_BYTES && r->where)
		snprintf(ret + used, STIMULUS_DETAIL_BYTES - used, "waits in %s", r->where);
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
	s->tasks = 1;
	ret = get_cpus(params, "touchers", &s->touchers);
	if (ret == 0)
		ret = stimulus_param_number_or(params, "tasks", 1, MAX_TASKS, &s->tasks);
	if (ret == 0 && s->tasks * (unsigned long)CPU_COUNT(&s->touchers) > MAX_TOUCHERS)
		ret = -E2BIG;
	if (ret == 0)
		ret = get_cpus(params, "stuck", &stuck);
	return ret < 0 ? ret : drift_new(s->node, &stuck, &s->drift);
}

/* Stops when all is touched, for pages kept until all others are there too. Never returns. */
static void touch(int node, int cpu, size_t pages)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *p = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (p == MAP_FAILED || worker_run_on(cpu) < 0 || node_memory_bind(node) < 0)
		_exit(1);
	for (size_t i = 0; i < pages; i++)
		((volatile unsigned char *)p)[i * page] = 1;
	kill(getpid(), SIGSTOP);
	_exit(0);
}

static int start_on(const struct stalling *s, struct round *r, int cpu, size_t pages)
{
	for (unsigned long i = 0; i < s->tasks; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return -errno;
		if (pid == 0)
			touch(s->node, cpu, pages);
		r->toucher[r->touchers++].pid = pid;
	}
	return 0;
}

static int start_all(const struct stalling *s, struct round *r)
{
	const size_t pages = (size_t)r->course.first.free + MORE_PAGES;
	const size_t each = pages / ((size_t)CPU_COUNT(&s->touchers) * s->tasks);
	int ret = 0;

	for (int cpu = 0; ret == 0 && cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((size_t)cpu, &s->touchers))
			ret = start_on(s, r, cpu, each);
	return ret;
}

static void update(struct toucher *t)
{
	int status;

	if (!t->pid || waitpid(t->pid, &status, WNOHANG | WUNTRACED) == 0)
		return;
	t->done = true;
	if (!WIFSTOPPED(status))
		t->pid = 0;
}

/* The first that has not touched all; 0: all have. */
static pid_t one_left(struct round *r)
{
	pid_t first = 0;

	r->left = 0;
	for (size_t i = 0; i < r->touchers; i++) {
		update(&r->toucher[i]);
		if (r->toucher[i].done)
			continue;
		first = first ? first : r->toucher[i].pid;
		r->left++;
	}
	return first;
}

static void end_all(struct round *r)
{
	for (size_t i = 0; i < r->touchers; i++)
		if (r->toucher[i].pid && kill(r->toucher[i].pid, SIGKILL) == 0)
			waitpid(r->toucher[i].pid, NULL, 0);
}

static int look(const struct stalling *s, struct round *r)
{
	struct node_memory m;
	int ret = node_memory_read(s->node, &m);

	if (ret == 0)
		node_course_add(&r->course, &m, mono_ms());
	return ret;
}

static void watch(const struct stalling *s, struct round *r)
{
	const int64_t end_ms = mono_ms() + LIMIT_MS;
	pid_t pid;

	while ((pid = one_left(r)) && mono_ms() < end_ms) {
		look(s, r);
		usleep(LOOK_MS * 1000);
	}
	for (int i = 0; pid && !r->where && i < STACK_LOOKS; i++) {
		r->where = read_stack(pid); /* a task that runs at the moment shows none */
		usleep(LOOK_MS * 1000);
	}
}

static int act_round(struct stimulus_state *state, struct round *r)
{
	const struct stalling *s = state->own;
	const int64_t begin_ms = mono_ms();
	int ret = drift_renew(s->drift);

	r->preparation_ms = mono_ms() - begin_ms;
	if (ret == 0)
		ret = look(s, r);
	if (ret < 0)
		return ret;
	r->counts = read_counts();
	state->began = tsc_read();
	ret = start_all(s, r);
	if (ret == 0)
		watch(s, r);
	describe(r, state->detail);
	end_all(r);
	return ret;
}

/* Returns when all is touched, or when that took too long: then who touches is killed, and gives its pages back. */
static int act(struct stimulus_state *state)
{
	_cleanup_close_ int log = open_log();
	struct round r = { .log = log };
	int ret;

	state->detail[0] = '\0'; /* what fails early says nothing */
	ret = act_round(state, &r);
	free(r.where);
	return ret;
}

const struct stimulus_ops *stimulus_stall(void)
{
	static const struct stimulus_ops ops = {
		.name = "stall", .role = STIMULUS_STIMULUS, .prepare = prepare, .act = act
	};

	return &ops;
}
