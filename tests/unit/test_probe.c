// SPDX-License-Identifier: GPL-2.0-or-later
/* The probe on a CPU of this machine: what it counts, keeps and writes; no root needed. */
#include "agents/probe.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "agents/cycles.h"
#include "agents/probe_loop.h"
#include "agents/stimulus.h"
#include "common/cleanup.h"
#include "common/mono.h"
#include "common/stop.h"
#include "common/tsc.h"

#define CAPACITY 100
#define HZ 1000000000ULL /* nominal: 1 cycle is 1 ns */

static cpu_set_t allowed;

static int setup(void **state)
{
	(void)state;
	return sched_getaffinity(0, sizeof(allowed), &allowed);
}

static int first_cpu(void)
{
	int cpu = 0;

	while (!CPU_ISSET((size_t)cpu, &allowed))
		cpu++;
	return cpu;
}

static struct probe_options options_of(const char *kind)
{
	return (struct probe_options){
		.kind = kind,
		.cpu = first_cpu(),
		.policy = SCHED_OTHER,
		.threshold_ns = 1, /* every turn is a gap */
		.interval_ns = 1000000,
		.capacity = CAPACITY,
		.hz = HZ,
		.act = "",
	};
}

static void run_until_lost(const struct probe_options *options, struct probe **ret)
{
	struct err err = { "" };

	if (probe_start(options, &allowed, ret, &err) < 0)
		fail_msg("%s", err.msg);
	while (probe_count(*ret).lost == 0)
		stop_wait(1);
}

static void full_ring_counts(void **state)
{
	struct probe_options options = options_of("spin");
	struct probe_counts counts;
	struct probe *probe;

	(void)state;
	run_until_lost(&options, &probe);
	assert_true(probe_running(probe));
	assert_int_equal(probe_write(probe, -1), -EBUSY);
	assert_int_equal(probe_stop(probe, NULL), 0);
	assert_int_equal(probe_stop(probe, NULL), 0);
	assert_false(probe_running(probe));
	counts = probe_count(probe);
	assert_int_equal(counts.gaps, CAPACITY);
	assert_int_equal(counts.gaps + counts.lost, counts.turns);
	probe_free(probe);
}

static void spin_writes_its_file(void **state)
{
	struct probe_options options = options_of("spin");
	_cleanup_close_ int fd = memfd_create("probe.bin", MFD_CLOEXEC);
	struct probe_record record[CAPACITY];
	struct probe_header header;
	struct probe *probe;

	(void)state;
	run_until_lost(&options, &probe);
	assert_int_equal(probe_stop(probe, NULL), 0);
	assert_int_equal(probe_write(probe, fd), 0);
	assert_int_equal(pread(fd, &header, sizeof(header), 0), sizeof(header));
	assert_int_equal(pread(fd, record, sizeof(record), sizeof(header)), sizeof(record));
	assert_memory_equal(header.magic, PROBE_MAGIC, 8);
	assert_int_equal(header.version, PROBE_VERSION);
	assert_int_equal(header.header_bytes, sizeof(header));
	assert_int_equal(header.record_bytes, sizeof(record[0]));
	assert_int_equal(header.kind, PROBE_SPIN);
	assert_int_equal(header.cpu, first_cpu());
	assert_int_equal(header.cycles_per_second, HZ);
	assert_int_equal(header.threshold_cycles, 1);
	assert_true(header.loop_cycles > 0 && header.loop_cycles <= header.loop_p50_cycles);
	assert_int_equal(header.count, CAPACITY);
	assert_int_equal(header.lost, header.turns - CAPACITY);
	assert_true(record[0].t0 >= header.start_tsc && record[CAPACITY - 1].t1 <= header.end_tsc);
	for (size_t i = 0; i < CAPACITY; i++) {
		assert_int_equal(record[i].turn, i + 1);
		assert_true(record[i].t0 < record[i].t1);
		assert_true(i == 0 || record[i].t0 == record[i - 1].t1);
	}
	probe_free(probe);
}

static void timer_wakes_up_after_its_due_times(void **state)
{
	struct probe_options options = options_of("timer");
	_cleanup_close_ int fd = memfd_create("probe.bin", MFD_CLOEXEC);
	struct probe_record record[CAPACITY];
	struct probe *probe;

	(void)state;
	options.hz = cycles_measure();
	run_until_lost(&options, &probe);
	assert_int_equal(probe_stop(probe, NULL), 0);
	assert_int_equal(probe_write(probe, fd), 0);
	assert_int_equal(probe_header(probe)->kind, PROBE_TIMER);
	assert_int_equal(pread(fd, record, sizeof(record), sizeof(struct probe_header)), sizeof(record));
	for (size_t i = 1; i < CAPACITY; i++) {
		assert_true(record[i].t0 < record[i].t1);
		/* Due times lie one interval apart, or a whole number of them; a tenth is for clock reading. */
		assert_true(record[i].t0 - record[i - 1].t0 > options.hz / 1000 * 9 / 10);
	}
	probe_free(probe);
}

static void nothing_below_the_threshold(void **state)
{
	struct probe_options options = options_of("spin");
	struct probe *probe;

	(void)state;
	options.threshold_ns = 3600000000000ULL;
	assert_int_equal(probe_start(&options, &allowed, &probe, NULL), 0);
	while (probe_count(probe).turns < 1000)
		stop_wait(1);
	assert_int_equal(probe_stop(probe, NULL), 0);
	assert_int_equal(probe_count(probe).gaps, 0);
	assert_int_equal(probe_count(probe).lost, 0);
	probe_free(probe);
}

/* By the probe itself, also while its loop sleeps; a sham takes its time stamps and nothing else. */
static void probe_acts_itself(void **state)
{
	static const char *const kinds[] = { "spin", "timer" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct probe_options options = options_of(kinds[i]);
		struct stimulus_shot shot = { .result = 1 };
		struct probe *probe;
		uint64_t before;

		options.act = "mlock";
		options.threshold_ns = 3600000000000ULL;
		assert_int_equal(probe_start(&options, &allowed, &probe, NULL), 0);
		before = tsc_read();
		assert_int_equal(probe_act(probe, false, &shot, NULL), 0);
		assert_int_equal(shot.result, 0);
		assert_true(before < shot.t0 && shot.t0 < shot.t1);
		before = shot.t1;
		assert_int_equal(probe_act(probe, true, &shot, NULL), 0);
		assert_true(before < shot.t0 && shot.t0 < shot.t1);
		assert_int_equal(probe_stop(probe, NULL), 0);
		assert_int_equal(probe_act(probe, true, &shot, NULL), -ENODATA);
		probe_free(probe);
	}
}

static void what_it_does_is_no_gap(void **state)
{
	struct probe_options options = options_of("spin");
	const struct probe_header *header;
	struct probe_record record;
	struct stimulus_shot shot;
	_cleanup_close_ int fd = memfd_create("probe.bin", MFD_CLOEXEC);
	struct probe *probe;

	(void)state;
	options.act = "mlock";
	options.capacity = 1 << 20;
	assert_int_equal(probe_start(&options, &allowed, &probe, NULL), 0);
	assert_int_equal(probe_act(probe, false, &shot, NULL), 0);
	assert_int_equal(probe_stop(probe, NULL), 0);
	assert_int_equal(probe_write(probe, fd), 0);
	header = probe_header(probe);
	assert_true(header->count > 0);
	for (uint64_t i = 0; i < header->count; i++) {
		off_t at = (off_t)(sizeof(*header) + i * sizeof(record));

		assert_int_equal(pread(fd, &record, sizeof(record), at), sizeof(record));
		assert_false(record.t0 < shot.t1 && record.t1 > shot.t0);
	}
	probe_free(probe);
}

static int busy(struct stimulus_state *state)
{
	const uint64_t end_ns = mono_ns() + 1000000;

	(void)state;
	while (mono_ns() < end_ns)
		;
	return 0;
}

static void *run_timer(void *shared)
{
	probe_timer(shared);
	return NULL;
}

static void act_and_end(struct probe_shared *s)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, run_timer, s), 0);
	/* Pairs with the exchange in probe_acted(). */
	atomic_store(&s->ring.word, PROBE_ACT);
	while (atomic_load(&s->ring.word) == PROBE_ACT)
		stop_wait(1);
	atomic_store(&s->ring.word, PROBE_END);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

/* Also one that is over long before the next wake-up is due; not one that makes system calls. */
static void timer_keeps_an_action_that_is_a_gap(void **state)
{
	const size_t bytes = sizeof(struct probe_shared) + CAPACITY * sizeof(struct probe_record);

	(void)state;
	for (int bare = 0; bare < 2; bare++) {
		const struct stimulus_ops ops = { .name = "busy", .bare = bare, .act = busy };
		_cleanup_free_ struct probe_shared *s =
			aligned_alloc(PROBE_PAGE, (bytes / PROBE_PAGE + 1) * PROBE_PAGE);
		bool kept = false;

		memset(s, 0, bytes);
		s->act = &ops;
		s->interval_ns = 20000000;
		s->header.cycles_per_second = cycles_measure();
		s->ring.threshold_cycles = 1;
		s->ring.capacity = CAPACITY;
		act_and_end(s);
		for (uint64_t i = 0; i < s->ring.gaps; i++)
			kept |= s->ring.record[i].t0 <= s->shot.t0 && s->ring.record[i].t1 >= s->shot.t1;
		assert_true(s->shot.t1 > s->shot.t0);
		assert_true(kept == bare);
	}
}

static void running_probe_can_be_dropped(void **state)
{
	struct probe_options options = options_of("spin");
	struct probe *probe;

	(void)state;
	assert_int_equal(probe_start(&options, &allowed, &probe, NULL), 0);
	probe_free(probe);
	probe_free(NULL);
}

/* One line an option that must be refused by name. */
static const struct bad {
	const char *kind;
	int cpu;
	uint64_t threshold_ns;
	uint64_t interval_ns;
	uint64_t capacity;
	const char *says;
} bad[] = {
	{ "sleep", 0, 1, 1000000, 1, "probe kind 'sleep'" },
	{ "", 0, 1, 1000000, 1, "probe kind ''" },
	{ "spin", -1, 1, 1000000, 1, "probe CPU -1" },
	{ "spin", CPU_SETSIZE, 1, 1000000, 1, "probe CPU" },
	{ "spin", 0, 0, 1000000, 1, "threshold" },
	{ "spin", 0, 1, 1000000, 0, "probe capacity 0" },
	{ "spin", 0, 1, 1000000, PROBE_CAPACITY_MAX + 1ULL, "probe capacity" },
	{ "spin", 0, 1, 1000000, UINT64_MAX, "probe capacity" },
	{ "timer", 0, 1, 0, 1, "probe interval 0" },
};

static void bad_options_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct probe_options options = options_of(bad[i].kind);
		struct probe *probe = NULL;
		struct err err = { "" };

		options.cpu = bad[i].cpu;
		options.threshold_ns = bad[i].threshold_ns;
		options.interval_ns = bad[i].interval_ns;
		options.capacity = bad[i].capacity;
		assert_int_equal(probe_start(&options, &allowed, &probe, &err), -EINVAL);
		assert_non_null(strstr(err.msg, bad[i].says));
		assert_null(probe);
	}
}

static void unknown_act_is_refused(void **state)
{
	struct probe_options options = options_of("spin");
	struct probe *probe = NULL;
	struct err err = { "" };

	(void)state;
	options.act = "dance";
	assert_int_equal(probe_start(&options, &allowed, &probe, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "mlock"));
	assert_null(probe);
}

static void absent_cpu_is_an_error(void **state)
{
	struct probe_options options = options_of("spin");
	struct probe *probe = NULL;
	struct err err = { "" };

	(void)state;
	options.cpu = CPU_SETSIZE - 1;
	assert_int_equal(probe_start(&options, &allowed, &probe, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "on CPU 1023"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_ring_counts),
		cmocka_unit_test(spin_writes_its_file),
		cmocka_unit_test(timer_wakes_up_after_its_due_times),
		cmocka_unit_test(nothing_below_the_threshold),
		cmocka_unit_test(probe_acts_itself),
		cmocka_unit_test(what_it_does_is_no_gap),
		cmocka_unit_test(timer_keeps_an_action_that_is_a_gap),
		cmocka_unit_test(running_probe_can_be_dropped),
		cmocka_unit_test(bad_options_are_refused),
		cmocka_unit_test(unknown_act_is_refused),
		cmocka_unit_test(absent_cpu_is_an_error),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
