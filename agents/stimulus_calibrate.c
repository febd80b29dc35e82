// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An interruption of known length, to check the instruction meter with: between its two
 * MARK_CALIBRATE lie the instructions asked for and a constant. Parameters: insns=N and
 * payload=plain, fault (spread over pages that are touched for the first time, so that blocks
 * are cut short by page faults) or rep (one string instruction of N iterations).
 */
#include "agents/stimulus.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/marks.h"

#define FAULT_PAGES 64
#define INSNS_DEFAULT 10000
#define INSNS_MAX 100000000UL /* some seconds of an emulated CPU; the rep payload writes that many bytes */

enum payload { PAYLOAD_PLAIN, PAYLOAD_FAULT, PAYLOAD_REP };

/* Two instructions a round. */
static void execute(uint64_t insns)
{
	uint64_t rounds = insns / 2;

	__asm__ volatile("1:\n\tdec %0\n\tjnz 1b" : "+r"(rounds) : : "cc");
}

static void execute_faulting(unsigned char *room, uint64_t insns)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < FAULT_PAGES; i++) {
		__asm__ volatile("nop\n\tnop\n\tmovb $1, (%0)\n\tnop\n\tnop" : : "r"(room + i * page) : "memory");
		execute(insns / FAULT_PAGES);
	}
}

static void execute_rep(unsigned char *room, uint64_t iterations)
{
	__asm__ volatile("rep stosb" : "+D"(room), "+c"(iterations) : "a"(0) : "memory");
}

static int read_params(const json_t *params, struct stimulus_state *state)
{
	static const char *const name[] = { "plain", "fault", "rep", NULL };
	const char *payload = json_string_value(json_object_get(params, "payload"));
	const json_t *insns = json_object_get(params, "insns");

	state->payload = PAYLOAD_PLAIN;
	while (payload && name[state->payload] && strcmp(name[state->payload], payload) != 0)
		state->payload++;
	state->insns = insns ? (uint64_t)json_integer_value(insns) : INSNS_DEFAULT;
	if (!name[state->payload] || state->insns < 2 * FAULT_PAGES || state->insns > INSNS_MAX)
		return -EINVAL;
	return 0;
}

static size_t room_bytes(const struct stimulus_state *state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return state->payload == PAYLOAD_REP ? (state->insns + page - 1) / page * page : FAULT_PAGES * page;
}

static int prepare(struct stimulus_state *state, const json_t *params)
{
	int ret = read_params(params, state);

	if (ret < 0)
		return ret;
	state->page = mmap(NULL, room_bytes(state), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (state->page == MAP_FAILED)
		return -errno;
	memset(state->page, 1, room_bytes(state));
	return 0;
}

/* The worker has locked its memory: pages are only given back when they are unlocked first. */
static int give_pages_back(const struct stimulus_state *state)
{
	if (munlock(state->page, room_bytes(state)) < 0 || madvise(state->page, room_bytes(state), MADV_DONTNEED) < 0)
		return -errno;
	return 0;
}

static int act(struct stimulus_state *state)
{
	int ret = state->payload == PAYLOAD_FAULT ? give_pages_back(state) : 0;

	if (ret < 0)
		return ret;
	MARK(MARK_CALIBRATE);
	switch ((enum payload)state->payload) {
	case PAYLOAD_PLAIN:
		execute(state->insns);
		break;
	case PAYLOAD_FAULT:
		execute_faulting(state->page, state->insns);
		break;
	case PAYLOAD_REP:
		execute_rep(state->page, state->insns);
		break;
	}
	MARK(MARK_CALIBRATE);
	return 0;
}

const struct stimulus_ops *stimulus_calibrate(void)
{
	static const struct stimulus_ops ops = {
		.name = "calibrate", .role = STIMULUS_PRIMER, .prepare = prepare, .act = act
	};

	return &ops;
}
