// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The bare guest's payload, run here from a copy at another address: it must not need anything
 * outside its section. What a guest may write into the ring does no harm to who reads it.
 */
#include "agents/bare.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "agents/probe.h"
#include "agents/probe_loop.h"
#include "common/stop.h"
#include "guest/bare/payload.h"

#define CAPACITY 100
#define PAGES 4
#define HZ 1000000000ULL

struct guest {
	unsigned char *code; /* a copy of the section */
	struct probe_ring *ring;
	uint64_t memory[PAGES][512];
	bool numbered;
	pthread_t thread;
};

typedef void calibrate_fn(struct probe_ring *ring, uint64_t turns);
typedef void spin_fn(struct probe_ring *ring, uint64_t at, uint64_t pages, uint64_t page_bytes, bool numbered);

static void *copy_of(const struct guest *g, const void *function)
{
	return g->code + ((const unsigned char *)function - __start_bare_payload);
}

static int setup(void **state)
{
	size_t bytes = (size_t)(__stop_bare_payload - __start_bare_payload);
	struct guest *g = calloc(1, sizeof(*g));

	assert_non_null(g);
	g->code = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(g->code, MAP_FAILED);
	memcpy(g->code, __start_bare_payload, bytes);
	assert_int_equal(mprotect(g->code, bytes, PROT_READ | PROT_EXEC), 0);
	g->ring = aligned_alloc(CACHE_LINE, 1 << 16);
	assert_non_null(g->ring);
	memset(g->ring, 0, 1 << 16);
	g->ring->capacity = CAPACITY;
	g->ring->threshold_cycles = 1; /* every turn is a gap */
	*state = g;
	return 0;
}

static int teardown(void **state)
{
	struct guest *g = *state;

	munmap(g->code, (size_t)(__stop_bare_payload - __start_bare_payload));
	free(g->ring);
	free(g);
	return 0;
}

static void *run(void *ctx)
{
	struct guest *g = ctx;
	spin_fn *spin = (spin_fn *)copy_of(g, payload_spin);

	spin(g->ring, (uintptr_t)g->memory, PAGES, sizeof(g->memory[0]), g->numbered);
	return NULL;
}

static void start(struct guest *g)
{
	assert_int_equal(pthread_create(&g->thread, NULL, run, g), 0);
}

static void tell(struct guest *g, int word)
{
	atomic_store(&g->ring->word, word);
	while (word != PROBE_END && atomic_load(&g->ring->word) == word)
		sched_yield();
}

static void end(struct guest *g)
{
	tell(g, PROBE_END);
	assert_int_equal(pthread_join(g->thread, NULL), 0);
}

static void it_calibrates(void **state)
{
	struct guest *g = *state;
	calibrate_fn *calibrate = (calibrate_fn *)copy_of(g, payload_calibrate);

	calibrate(g->ring, 10);
	for (size_t i = 0; i < 10; i++)
		assert_true(g->ring->record[i].t0 > 0);
	assert_int_equal(g->ring->record[10].t0, 0);
}

static void it_spins(void **state)
{
	struct guest *g = *state;
	struct probe_counts counts;

	start(g);
	while (probe_ring_counts(g->ring, CAPACITY).lost == 0)
		sched_yield();
	end(g);
	counts = probe_ring_counts(g->ring, CAPACITY);
	assert_int_equal(counts.gaps, CAPACITY);
	assert_int_equal(counts.gaps + counts.lost, counts.turns);
	assert_int_equal(g->ring->record[CAPACITY].t0, 0);
	assert_true(g->ring->start_tsc == g->ring->record[0].t0);
	assert_true(g->ring->end_tsc >= g->ring->record[CAPACITY - 1].t1);
}

static void it_reads_page_after_page(void **state)
{
	struct guest *g = *state;

	g->numbered = true;
	g->ring->threshold_cycles = UINT64_MAX;
	g->memory[1][0] = 1;
	g->memory[2][0] = 7; /* not what belongs there */
	g->memory[3][0] = 3;
	start(g);
	tell(g, PROBE_SHAM);
	assert_int_equal(probe_ring_shot(g->ring).result, 0);
	assert_true(g->ring->act_t0 < g->ring->act_t1);
	tell(g, PROBE_ACT);
	assert_int_equal(probe_ring_shot(g->ring).result, 0);
	tell(g, PROBE_ACT);
	assert_int_equal(probe_ring_shot(g->ring).result, -EIO);
	tell(g, PROBE_ACT);
	assert_int_equal(probe_ring_shot(g->ring).result, 0);
	tell(g, PROBE_ACT);
	assert_int_equal(probe_ring_shot(g->ring).result, -ENOSPC);
	end(g);
}

static void it_writes_round_and_round(void **state)
{
	struct guest *g = *state;

	g->ring->threshold_cycles = UINT64_MAX;
	start(g);
	tell(g, PROBE_SHAM);
	assert_int_equal(g->memory[0][0], 0);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < PAGES; i++) {
			assert_int_equal(g->memory[i][0], 0);
			tell(g, PROBE_ACT);
			assert_int_equal(probe_ring_shot(g->ring).result, 0);
			assert_int_equal(g->memory[i][0], 1);
		}
		memset(g->memory, 0, sizeof(g->memory));
	}
	end(g);
}

static void what_a_guest_says_is_bounded(void **state)
{
	struct guest *g = *state;

	atomic_store(&g->ring->gaps, UINT64_MAX);
	g->ring->capacity = UINT64_MAX;
	g->ring->act_result = INT64_MIN;
	assert_int_equal(probe_ring_counts(g->ring, CAPACITY).gaps, CAPACITY);
	assert_int_equal(probe_ring_shot(g->ring).result, -EIO);
}

/* Where there is no KVM, this says so; where there is, the guest really runs. */
static void it_runs_under_kvm(void **state)
{
	struct probe_options options = {
		.kind = "bare", .policy = SCHED_OTHER, .threshold_ns = 1, .capacity = CAPACITY, .hz = HZ, .act = ""
	};
	struct probe *probe = NULL;
	struct err err = { "" };
	cpu_set_t allowed;
	int ret;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
	while (!CPU_ISSET((size_t)options.cpu, &allowed))
		options.cpu++;
	ret = probe_start(&options, &allowed, &probe, &err);
	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		assert_int_equal(ret, -errno);
		return;
	}
	if (ret < 0)
		fail_msg("%s", err.msg);
	while (probe_count(probe).lost == 0)
		stop_wait(1);
	assert_int_equal(probe_stop(probe, &err), 0);
	assert_int_equal(probe_count(probe).gaps, CAPACITY);
	probe_free(probe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_calibrates, setup, teardown),
		cmocka_unit_test_setup_teardown(it_spins, setup, teardown),
		cmocka_unit_test_setup_teardown(it_reads_page_after_page, setup, teardown),
		cmocka_unit_test_setup_teardown(it_writes_round_and_round, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_guest_says_is_bounded, setup, teardown),
		cmocka_unit_test(it_runs_under_kvm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
