// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Another kind's action many times a second, while tasks on CPUs fault pages, so that there is something to drain each
 * time. Afterwards all memory must be where the kernel says it is.
 */
#include "agents/stimulus.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agents/stimuli/node_memory.h"
#include "agents/worker.h"
#include "common/cleanup.h"
#include "common/cpulist.h"
#include "common/fs.h"
#include "common/log.h"
#include "common/mono.h"

#define TEXT_BYTES 64
#define RATE_MAX 1000UL
#define LENGTH_MAX 10000UL
#define LOAD_PAGES 7 /* a batch holds 15: they stay on the CPU until somebody drains it */
#define LOAD_US 5000
#define LOOKS 20
#define LOOK_US 20000
#define LOST_MAX 256 /* in a run: pages that come and go elsewhere; seen: below 100. One a drain is some 500 */
#define MAX_INFO_BYTES 65536

/* The mapping that the worker and the tasks it starts share; they only add to or read it. */
struct load {
	atomic_bool stop;
	atomic_ulong pages; /* faulted */
};

struct storming {
	const struct stimulus_ops *drain;
	struct stimulus_state state; /* of the drain */
	unsigned long rate;	     /* a second */
	unsigned long length_ms;
	cpu_set_t cpus;
	long known; /* pages before the first action; 0: not counted yet */
	struct load *load;
};

/* Pages of which the kernel says where they are; -1: unknown. */
static long known_pages(void)
{
	static const char *const where[] = {
		"MemFree",     "Active",     "Inactive",      "Unevictable", "Slab",
		"KernelStack", "PageTables", "SecPageTables", "Percpu",	     "VmallocUsed"
	};
	_cleanup_free_ char *text = NULL;
	struct node_memory lists;
	long kib = 0;
	char *rest;

	if (fs_read("/proc/meminfo", MAX_INFO_BYTES, &text, NULL, NULL) < 0 ||
	    node_memory_read(NODE_MEMORY_ALL, &lists) < 0)
		return -1;
	rest = text;
	for (char *line; (line = strsep(&rest, "\n"));) {
		char name[TEXT_BYTES];
		long n;

		for (size_t i = 0; i < ARRAY_SIZE(where); i++)
			if (sscanf(line, "%63[^:]: %ld kB", name, &n) == 2 && strcmp(name, where[i]) == 0)
				kib += n;
	}
	return kib * 1024 / sysconf(_SC_PAGESIZE) + lists.on_lists;
}

/*
 * Pages that the kernel has not known of any more since the first action: few a time add up. One that is really missing
 * is missing every time.
 */
static long lost_pages(long before)
{
	long least = before - known_pages();

	for (int i = 1; i < LOOKS && least > 0; i++) {
		long lost;

		usleep(LOOK_US);
		lost = before - known_pages();
		least = lost < least ? lost : least;
	}
	return least;
}

/* Never returns. */
static void fault_pages(int cpu, struct load *load)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *p = mmap(NULL, LOAD_PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (p == MAP_FAILED || worker_run_on(cpu) < 0)
		_exit(1);
	while (!atomic_load(&load->stop)) {
		for (size_t i = 0; i < LOAD_PAGES; i++)
			((volatile unsigned char *)p)[i * page] = 1;
		atomic_fetch_add(&load->pages, LOAD_PAGES);
		usleep(LOAD_US);
		madvise(p, LOAD_PAGES * page, MADV_DONTNEED);
	}
	_exit(0);
}

static int start_load(const struct storming *s)
{
	atomic_store(&s->load->stop, false);
	atomic_store(&s->load->pages, 0);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		pid_t pid = CPU_ISSET((size_t)cpu, &s->cpus) ? fork() : -1;

		if (pid < 0 && CPU_ISSET((size_t)cpu, &s->cpus))
			return -errno;
		if (pid == 0)
			fault_pages(cpu, s->load);
	}
	return 0;
}

static int end_load(const struct storming *s)
{
	int ret = 0;
	int status;

	atomic_store(&s->load->stop, true);
	while (wait(&status) > 0)
		if (status != 0)
			ret = -ECHILD;
	return ret;
}

static int drain_often(struct storming *s, unsigned long *ret_drains)
{
	const uint64_t start_ns = mono_ns();
	const uint64_t end_ns = start_ns + s->length_ms * 1000000U;
	unsigned long n = 0;
	int ret = 0;

	while (ret == 0 && mono_ns() < end_ns) {
		uint64_t next_ns = start_ns + ++n * 1000000000U / s->rate;
		uint64_t now_ns;

		ret = s->drain->act(&s->state);
		now_ns = mono_ns();
		if (next_ns > now_ns)
			usleep((useconds_t)((next_ns - now_ns) / 1000));
	}
	*ret_drains = n;
	return ret;
}

static int act(struct stimulus_state *state)
{
	struct storming *s = state->own;
	unsigned long drains = 0;
	int ended;
	long lost;
	int ret;

	if (!s->known)
		s->known = known_pages();
	if (s->known < 0)
		return -EIO;
	ret = start_load(s);
	if (ret == 0)
		ret = drain_often(s, &drains);
	ended = end_load(s);
	lost = lost_pages(s->known);
	snprintf(state->detail, sizeof(state->detail), "drains=%lu times, faulted=%lu pages, lost=%ld pages", drains,
		 atomic_load(&s->load->pages), lost > 0 ? lost : 0);
	if (ret == 0)
		ret = ended;
	return ret == 0 && lost > LOST_MAX ? -ENOTRECOVERABLE : ret;
}

static int get_cpus(const char *list, cpu_set_t *ret)
{
	_cleanup_free_ char *online = NULL;
	int r = strcmp(list, "all") == 0 ? fs_read_line("/sys/devices/system/cpu/online", &online, NULL) : 0;

	return r < 0 ? r : cpulist_parse(online ? online : list, ret);
}

/* What is wrong is told here: of a worker's preparation only the errno comes home. */
static int find_drain(const char *name, const struct stimulus_ops **ret)
{
	const struct stimulus_ops *drain;
	struct err err = { "" };

	drain = stimulus_kind(name, &err);
	if (!drain)
		log_error("drain=%s: %s", name, err.msg);
	else if (drain->act == act || drain->repay)
		log_error("drain=%s: a storm is made of kinds that owe nothing, and not of storms", name);
	if (!drain || drain->act == act || drain->repay)
		return -EINVAL;
	*ret = drain;
	return 0;
}

static int get_params(const json_t *params, struct storming *s)
{
	char text[TEXT_BYTES];
	int ret = stimulus_param(params, "drain", text, sizeof(text));

	if (ret == 0)
		ret = find_drain(text, &s->drain);
	if (ret == 0)
		ret = stimulus_param_number(params, "rate", 1, RATE_MAX, &s->rate);
	if (ret == 0)
		ret = stimulus_param_number(params, "length", 1, LENGTH_MAX, &s->length_ms);
	if (ret == 0)
		ret = stimulus_param(params, "load", text, sizeof(text));
	if (ret == 0)
		ret = get_cpus(text, &s->cpus);
	return ret;
}

static int prepare(struct stimulus_state *state, const json_t *params)
{
	struct storming *s = calloc(1, sizeof(*s));
	int ret = s ? get_params(params, s) : -ENOMEM;

	state->own = s; /* lives as long as the worker, as does the mapping */
	if (ret < 0)
		return ret;
	s->state = (struct stimulus_state){ .fd = -1 };
	s->load =
		mmap(NULL, sizeof(*s->load), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (s->load == MAP_FAILED)
		return -errno;
	return s->drain->prepare ? s->drain->prepare(&s->state, params) : 0;
}

static void clean(const json_t *params)
{
	struct storming s;

	if (get_params(params, &s) == 0 && s.drain->clean)
		s.drain->clean(params);
}

const struct stimulus_ops *stimulus_storm(void)
{
	static const struct stimulus_ops ops = {
		.name = "storm", .role = STIMULUS_STIMULUS, .prepare = prepare, .act = act, .clean = clean
	};

	return &ops;
}
