// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The page-fault rate with 1, 2, 3 ... threads, measured as the pft test does: threads of one process, each on a CPU
 * of its own, touch the new pages of a mapping of their own, all at the same time, round after round. Unmapping and
 * mapping again lies between the rounds, and is not timed. Every action takes one thread more, and one again after the
 * last. For the instruction meter each thread's touching lies between two MARK_FAULTS.
 */
#include "agents/stimulus.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agents/worker.h"
#include "common/cpulist.h"
#include "common/fault_rate.h"
#include "common/ipis.h"
#include "common/marks.h"
#include "common/mono.h"

#define THREADS_MAX 64
#define PAGES_MAX 65536
#define PAGES_USUAL 512
#define LENGTH_MAX_MS 2000 /* shorter than what is taken for a hang */
#define LENGTH_USUAL_MS 400
#define ALIGNMENT ((size_t)2 << 20) /* what a page of page tables covers: no thread shares one with another */
#define LIST_BYTES 128

struct toucher {
	struct touching *all;
	pthread_t thread;
	int cpu;
	unsigned char *room;
	uint64_t t0_ns; /* of the present round */
	uint64_t t1_ns;
	uint64_t cpu_ns; /* of all rounds */
	uint64_t faults;
	int result;
};

struct touching {
	struct toucher toucher[THREADS_MAX];
	size_t cpus;
	size_t page; /* bytes */
	unsigned long pages;
	unsigned long length_ms;
	size_t actions;
	size_t threads; /* of the present action */
	uint64_t end_ns;
	uint64_t wall_ns;
	bool over; /* written between the barriers `end` and `begin`, read behind `begin` */
	pthread_barrier_t begin;
	pthread_barrier_t end;
};

/* Where there is none to run on, it is better known now. */
static int add_cpu(struct touching *t, int cpu)
{
	int ret = t->cpus == THREADS_MAX ? -E2BIG : worker_run_on(cpu);

	if (ret == 0)
		t->toucher[t->cpus++] = (struct toucher){ .all = t, .cpu = cpu };
	return ret;
}

/* Those of the parameter, or all that the worker may run on: the housekeeping CPUs. */
static int read_cpus(const json_t *params, struct touching *t)
{
	char text[LIST_BYTES];
	cpu_set_t own;
	cpu_set_t set;
	int ret = sched_getaffinity(0, sizeof(own), &own) < 0 ? -errno : 0;

	set = own;
	if (ret == 0 && json_object_get(params, "cpus"))
		ret = stimulus_param(params, "cpus", text, sizeof(text));
	if (ret == 0 && json_object_get(params, "cpus"))
		ret = cpulist_parse(text, &set);
	for (int cpu = 0; ret == 0 && cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			ret = add_cpu(t, cpu);
	if (ret == 0 && t->cpus == 0)
		ret = -EINVAL;
	return sched_setaffinity(0, sizeof(own), &own) < 0 ? -errno : ret;
}

/* Room between two mappings keeps them apart. */
static int reserve(struct touching *t)
{
	size_t bytes = (t->pages * t->page + 2 * ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	void *all =
		mmap(NULL, t->cpus * bytes + ALIGNMENT, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned char *room = (unsigned char *)(((uintptr_t)all + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1));

	if (all == MAP_FAILED)
		return -errno;
	for (size_t i = 0; i < t->cpus; i++)
		t->toucher[i].room = room + i * bytes;
	return 0;
}

static int prepare(struct stimulus_state *state, const json_t *params)
{
	struct touching *t = calloc(1, sizeof(*t));
	int ret = t ? 0 : -ENOMEM;

	state->own = t; /* lives as long as the worker */
	if (ret < 0)
		return ret;
	t->page = (size_t)sysconf(_SC_PAGESIZE);
	t->pages = PAGES_USUAL;
	t->length_ms = LENGTH_USUAL_MS;
	ret = stimulus_param_number_or(params, "pages", 1, PAGES_MAX, &t->pages);
	if (ret == 0)
		ret = stimulus_param_number_or(params, "length", 1, LENGTH_MAX_MS, &t->length_ms);
	if (ret == 0)
		ret = read_cpus(params, t);
	return ret < 0 ? ret : reserve(t);
}

/* In place of what the round before left there. */
static int map_fresh(const struct toucher *t)
{
	size_t bytes = t->all->pages * t->all->page;
	void *room = mmap(t->room, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (room == MAP_FAILED)
		return -errno;
	madvise(room, bytes, MADV_NOHUGEPAGE); /* fails where the kernel has no huge pages, and is not needed there */
	return 0;
}

static uint64_t own_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return (uint64_t)usage.ru_minflt;
}

static void touch(struct toucher *t)
{
	const size_t page = t->all->page;
	const size_t bytes = t->all->pages * page;
	uint64_t faults = own_faults();
	uint64_t cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	t->t0_ns = mono_ns();
	MARK(MARK_FAULTS);
	for (size_t i = 0; i < bytes; i += page)
		((volatile unsigned char *)t->room)[i] = 1;
	MARK(MARK_FAULTS);
	t->t1_ns = mono_ns();
	t->cpu_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_ns;
	t->faults += own_faults() - faults;
}

static void end_round(struct touching *t)
{
	uint64_t t0_ns = t->toucher[0].t0_ns;
	uint64_t t1_ns = t->toucher[0].t1_ns;

	for (size_t i = 0; i < t->threads; i++) {
		const struct toucher *one = &t->toucher[i];

		t0_ns = one->t0_ns < t0_ns ? one->t0_ns : t0_ns;
		t1_ns = one->t1_ns > t1_ns ? one->t1_ns : t1_ns;
		t->over |= one->result < 0;
	}
	t->wall_ns += t1_ns - t0_ns;
	t->over |= mono_ns() >= t->end_ns;
}

static void *run(void *arg)
{
	struct toucher *t = arg;

	for (;;) {
		t->result = map_fresh(t);
		pthread_barrier_wait(&t->all->begin);
		if (t->all->over)
			return NULL;
		if (t->result == 0)
			touch(t);
		if (pthread_barrier_wait(&t->all->end) == PTHREAD_BARRIER_SERIAL_THREAD)
			end_round(t->all);
	}
}

/* One that is missing would have the others wait for ever: the worker ends then, with the reason. */
static void start(struct toucher *t)
{
	pthread_attr_t attr;
	cpu_set_t set;
	int err = pthread_attr_init(&attr);

	CPU_ZERO(&set);
	CPU_SET((size_t)t->cpu, &set);
	t->cpu_ns = 0;
	t->faults = 0;
	if (err == 0)
		err = pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	if (err == 0)
		err = pthread_create(&t->thread, &attr, run, t);
	if (err)
		_exit(err);
	pthread_attr_destroy(&attr);
}

static int run_all(struct touching *t)
{
	int ret = 0;

	t->over = false;
	t->wall_ns = 0;
	pthread_barrier_init(&t->begin, NULL, (unsigned int)t->threads);
	pthread_barrier_init(&t->end, NULL, (unsigned int)t->threads);
	t->end_ns = mono_ns() + t->length_ms * 1000000;
	for (size_t i = 0; i < t->threads; i++)
		start(&t->toucher[i]);
	for (size_t i = 0; i < t->threads; i++) {
		pthread_join(t->toucher[i].thread, NULL);
		ret = t->toucher[i].result < 0 ? t->toucher[i].result : ret;
	}
	pthread_barrier_destroy(&t->begin);
	pthread_barrier_destroy(&t->end);
	return ret;
}

static void describe(const struct touching *t, uint64_t ipis, char ret[static STIMULUS_DETAIL_BYTES])
{
	struct fault_rate rate = { .threads = (unsigned int)t->threads, .wall_ns = t->wall_ns, .ipis = ipis };

	for (size_t i = 0; i < t->threads; i++) {
		rate.faults += t->toucher[i].faults;
		rate.cpu_ns += t->toucher[i].cpu_ns;
	}
	snprintf(ret, STIMULUS_DETAIL_BYTES, FAULT_RATE_FORMAT, rate.threads, rate.faults, rate.wall_ns, rate.cpu_ns,
		 rate.ipis);
}

static int act(struct stimulus_state *state)
{
	struct touching *t = state->own;
	uint64_t before = 0;
	uint64_t after = 0;
	int ret = ipis_read(&before);

	state->detail[0] = '\0';
	t->threads = 1 + t->actions++ % t->cpus;
	if (ret == 0)
		ret = run_all(t);
	if (ret == 0)
		ret = ipis_read(&after);
	if (ret == 0)
		describe(t, after - before, state->detail);
	return ret;
}

const struct stimulus_ops *stimulus_fault_rate(void)
{
	static const struct stimulus_ops ops = {
		.name = "fault_rate", .role = STIMULUS_STIMULUS, .prepare = prepare, .act = act
	};

	return &ops;
}
