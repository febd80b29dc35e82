// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agents/probe_loop.h"
#include "agents/worker.h"
#include "common/cleanup.h"
#include "common/fs.h"
#include "common/mono.h"
#include "common/stop.h"
#include "common/tsc.h"

#define START_TIMEOUT_MS 30000 /* an emulated CPU that is late */
#define STOP_TIMEOUT_MS 30000
#define ACT_TIMEOUT_NS 30000000000U
#define CALIBRATION_TURNS 4096
#define INTERVAL_MIN_NS 10000

/* In the probe's process; each returns 0 or -errno. */
struct kind {
	const char *name;
	enum probe_kind number;
	bool in_guest;				/* its ring is a guest's memory */
	int (*prepare)(struct probe_shared *s); /* on a housekeeping CPU; NULL: nothing to do */
	int (*calibrate)(struct probe_shared *s, uint64_t turns);
	int (*loop)(struct probe_shared *s); /* runs until the agent says PROBE_END */
};

static int calibrate_here(struct probe_shared *s, uint64_t turns)
{
	probe_ring_calibrate(&s->ring, turns);
	return 0;
}

static const struct kind kinds[] = {
	{ "spin", PROBE_SPIN, false, NULL, calibrate_here, probe_spin },
	{ "timer", PROBE_TIMER, false, NULL, calibrate_here, probe_timer },
	{ "bare", PROBE_SPIN, true, bare_prepare, bare_calibrate, bare_spin },
};

struct probe {
	struct worker worker;
	struct probe_shared *shared;
	const struct stimulus_ops *act; /* NULL: none */
	json_t *act_params;
	const struct kind *kind;
	uint64_t capacity; /* what the ring says of itself may be a guest's word */
	int pid;
	bool stopped;
};

/* What the worker needs to know before it begins. */
struct start {
	const struct kind *kind;
	const struct probe_options *options;
	const struct stimulus_ops *act;
};

static int compare_cycles(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Shortest and median turn of a loop like the one to come. */
static int calibrate(struct probe_shared *s, const struct start *start)
{
	uint64_t capacity = start->options->capacity;
	size_t turns = capacity < CALIBRATION_TURNS ? capacity : CALIBRATION_TURNS;
	uint64_t turn[CALIBRATION_TURNS];
	int ret = start->kind->calibrate(s, turns);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < turns; i++)
		turn[i] = s->ring.record[i].t0;
	qsort(turn, turns, sizeof(turn[0]), compare_cycles);
	s->header.loop_cycles = turn[0];
	s->header.loop_p50_cycles = turn[turns / 2];
	return 0;
}

static int set_policy(const struct probe_options *o)
{
	const struct sched_param param = { .sched_priority = o->policy == SCHED_FIFO ? o->priority : 0 };

	return sched_setscheduler(0, o->policy, &param) < 0 ? -errno : 0;
}

static void fill_header(struct probe_shared *s, const struct start *start)
{
	const struct probe_options *o = start->options;

	s->header = (struct probe_header){
		.version = PROBE_VERSION,
		.header_bytes = sizeof(struct probe_header),
		.record_bytes = sizeof(struct probe_record),
		.kind = start->kind->number,
		.cpu = start->kind->in_guest ? 0 : (uint32_t)o->cpu, /* the only one there */
		.policy = (uint32_t)o->policy,
		.cycles_per_second = o->hz,
		.threshold_cycles = tsc_from_ns(o->threshold_ns, o->hz),
	};
	memcpy(s->header.magic, PROBE_MAGIC, sizeof(s->header.magic));
	s->interval_ns = o->interval_ns;
	s->ring.threshold_cycles = s->header.threshold_cycles;
	s->ring.capacity = o->capacity;
}

static int prepare_act(struct probe_shared *s, const struct start *start)
{
	s->act = start->act;
	s->act_state = (struct stimulus_state){ .fd = -1 };
	return s->act && s->act->prepare ? s->act->prepare(&s->act_state, start->options->act_params) : 0;
}

uint64_t probe_obey(struct probe_shared *s, int word, uint64_t last)
{
	stimulus_shoot(s->act, &s->act_state, word == PROBE_SHAM, 0, &s->shot);
	probe_acted(&s->ring, word);
	return s->act->bare ? last : tsc_read();
}

static int probe_body(struct worker *self, void *ctx)
{
	const struct start *start = ctx;
	struct probe_shared *s = self->shared;
	int ret;

	fill_header(s, start);
	ret = prepare_act(s, start);
	if (ret == 0 && start->kind->prepare)
		ret = start->kind->prepare(s);
	if (ret == 0)
		ret = worker_pin(self);
	if (ret == 0)
		ret = set_policy(start->options);
	if (ret == 0)
		ret = calibrate(s, start);
	if (ret < 0)
		return ret;
	worker_report(self);
	ret = start->kind->loop(s);
	worker_leave(self);
	if (ret == 0)
		worker_report(self);
	return ret;
}

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

static int check_options(const struct probe_options *o, struct err *err)
{
	if (!find_kind(o->kind))
		return err_set(err, -EINVAL, "probe kind '%s': spin, timer and bare are known", o->kind);
	if (o->cpu < 0 || o->cpu >= CPU_SETSIZE)
		return err_set(err, -EINVAL, "probe CPU %d: 0 to %d are possible", o->cpu, CPU_SETSIZE - 1);
	if (o->capacity < 1 || o->capacity > PROBE_CAPACITY_MAX)
		return err_set(err, -EINVAL, "probe capacity %llu: 1 to %u records are possible",
			       (unsigned long long)o->capacity, PROBE_CAPACITY_MAX);
	if (find_kind(o->kind)->number == PROBE_TIMER && o->interval_ns < INTERVAL_MIN_NS)
		return err_set(err, -EINVAL, "probe interval %llu ns: at least %d are possible",
			       (unsigned long long)o->interval_ns, INTERVAL_MIN_NS);
	if (o->threshold_ns < 1 || o->hz < 1)
		return err_set(err, -EINVAL, "probe threshold and clock rate must not be 0");
	return 0;
}

int probe_start(const struct probe_options *options, const cpu_set_t *housekeeping, struct probe **ret, struct err *err)
{
	const struct worker_options worker = {
		.name = "vcpulat-probe",
		.cpu = options->cpu,
		.housekeeping = housekeeping,
		.shared_bytes = sizeof(struct probe_shared) + options->capacity * sizeof(struct probe_record),
	};
	struct start start = { .kind = find_kind(options->kind), .options = options };
	struct probe *probe;
	int r = check_options(options, err);

	if (r == 0 && *options->act && !(start.act = stimulus_kind(options->act, err)))
		r = -EINVAL;
	if (r < 0)
		return r;
	probe = calloc(1, sizeof(*probe));
	if (!probe)
		return err_sys(err, -ENOMEM, "cannot start the probe");
	probe->act = start.act;
	probe->act_params = json_incref(options->act_params);
	probe->capacity = options->capacity;
	probe->kind = start.kind;
	r = worker_start(&worker, probe_body, &start, START_TIMEOUT_MS, &probe->worker, err);
	if (r < 0) {
		probe_free(probe);
		return r;
	}
	probe->shared = probe->worker.shared;
	probe->pid = probe->worker.pid;
	*ret = probe;
	return 0;
}

static void seal_header(struct probe *probe)
{
	struct probe_counts counts = probe_count(probe);

	probe->shared->header.turns = counts.turns;
	probe->shared->header.count = counts.gaps;
	probe->shared->header.lost = counts.lost;
	probe->shared->header.start_tsc = probe->shared->ring.start_tsc;
	probe->shared->header.end_tsc = probe->shared->ring.end_tsc;
}

struct stimulus_shot probe_ring_shot(const struct probe_ring *ring)
{
	return (struct stimulus_shot){ .t0 = ring->act_t0,
				       .t1 = ring->act_t1,
				       .result = ring->act_result == -ENOSPC ? -ENOSPC
						 : ring->act_result	     ? -EIO
									     : 0 };
}

int probe_act(struct probe *probe, bool sham, struct stimulus_shot *ret, struct err *err)
{
	const uint64_t end_ns = mono_ns() + ACT_TIMEOUT_NS;
	struct probe_shared *s = probe->shared;
	const int word = sham ? PROBE_SHAM : PROBE_ACT;

	if (!probe->act || probe->stopped)
		return err_set(err, -ENODATA, "the probe does not act itself");
	/* Pairs with the load in probe_word(). */
	atomic_store_explicit(&s->ring.word, word, memory_order_relaxed);
	/* Pairs with the exchange in probe_acted(): the shot is complete. Looked at, not waited for: waking us is work.
	 */
	while (atomic_load_explicit(&s->ring.word, memory_order_acquire) == word) {
		if (mono_ns() > end_ns)
			return err_set(err, -ETIMEDOUT, "the probe does not act");
		if (stop_wait(1) < 0)
			return err_sys(err, -EINTR, "waiting");
	}
	*ret = probe->kind->in_guest ? probe_ring_shot(&s->ring) : s->shot;
	return 0;
}

int probe_stop(struct probe *probe, struct err *err)
{
	int ret;

	if (probe->stopped)
		return 0;
	/* Pairs with the load in probe_word(). */
	atomic_store_explicit(&probe->shared->ring.word, PROBE_END, memory_order_relaxed);
	ret = worker_wait(&probe->worker, STOP_TIMEOUT_MS, err);
	if (ret < 0)
		return err_prefix(err, ret, "the probe on CPU %d does not stop", probe->worker.cpu);
	worker_reap(&probe->worker);
	seal_header(probe);
	probe->stopped = true;
	return 0;
}

struct probe_counts probe_ring_counts(const struct probe_ring *ring, uint64_t capacity)
{
	/* These loads pair with the stores in probe_turn() and probe_record(). */
	uint64_t gaps = atomic_load_explicit(&ring->gaps, memory_order_relaxed);

	return (struct probe_counts){
		.gaps = gaps < capacity ? gaps : capacity,
		.lost = atomic_load_explicit(&ring->lost, memory_order_relaxed),
		.turns = atomic_load_explicit(&ring->turns, memory_order_relaxed),
	};
}

struct probe_counts probe_count(const struct probe *probe)
{
	return probe_ring_counts(&probe->shared->ring, probe->capacity);
}

const struct probe_header *probe_header(const struct probe *probe)
{
	return &probe->shared->header;
}

bool probe_running(const struct probe *probe)
{
	return probe && !probe->stopped;
}

int probe_pid(const struct probe *probe)
{
	return probe->pid;
}

int probe_write(const struct probe *probe, int fd)
{
	const struct probe_shared *s = probe->shared;
	int ret;

	if (!probe->stopped)
		return -EBUSY;
	ret = fs_write_all(fd, &s->header, sizeof(s->header));
	return ret < 0 ? ret : fs_write_all(fd, s->ring.record, s->header.count * sizeof(s->ring.record[0]));
}

void probe_free(struct probe *probe)
{
	if (!probe)
		return;
	worker_end(&probe->worker);
	if (probe->act && probe->act->clean)
		probe->act->clean(probe->act_params);
	json_decref(probe->act_params);
	free(probe);
}
