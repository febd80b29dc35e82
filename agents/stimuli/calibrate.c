// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interruptions of known length, to check the instruction meter with. Parameters: insns=N,N... and
 * payload=P,P...; every action takes the next of all their pairs, and says which. Payloads:
 *   plain  a loop without jumps inside
 *   fault  the same, spread over pages that are touched for the first time: blocks are cut short by page faults
 *   rep    one string instruction of N iterations
 *   irq    a timer interrupt some milliseconds later, see agents/interrupt.h
 * What a task executes lies between two MARK_CALIBRATE, with a constant.
 */
#include "agents/stimulus.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agents/interrupt.h"
#include "common/cleanup.h"
#include "common/marks.h"

#define ROUND_INSNS 50
#define FAULT_PAGES 16
#define FAULT_INSNS 7 /* of a page, beside its loop */
#define INSNS_DEFAULT "10000"
#define INSNS_MIN 1000U
#define INSNS_MAX 10000000U /* the rep payload writes that many bytes */
#define LENGTHS_MAX 16
#define TEXT_BYTES 128

enum payload { PAYLOAD_PLAIN, PAYLOAD_FAULT, PAYLOAD_REP, PAYLOAD_IRQ, PAYLOAD_MAX };

static const char *const payload_names[PAYLOAD_MAX] = { "plain", "fault", "rep", "irq" };

struct calibrate {
	uint64_t insns[LENGTHS_MAX];
	struct interrupt interrupt[LENGTHS_MAX]; /* where the payload irq is wanted */
	size_t lengths;
	enum payload payload[PAYLOAD_MAX];
	size_t payloads;
	size_t actions;
	unsigned char *pages; /* FAULT_PAGES */
	unsigned char *bytes; /* as many as the rep payload writes */
};

/* ROUND_INSNS a round: long blocks, so that the meter keeps all steps of the longest. */
static void execute(uint64_t rounds)
{
	__asm__ volatile("1:\n\t.rept %c1 - 2\n\tnop\n\t.endr\n\tdec %0\n\tjnz 1b"
			 : "+r"(rounds)
			 : "i"(ROUND_INSNS)
			 : "cc");
}

static void execute_faulting(unsigned char *page, uint64_t rounds)
{
	uint64_t left = FAULT_PAGES;
	uint64_t round;

	__asm__ volatile("1:\n\tmov %[rounds], %[round]\n"
			 "2:\n\t.rept %c[insns] - 2\n\tnop\n\t.endr\n\tdec %[round]\n\tjnz 2b\n\t"
			 "nop\n\tmovb $1, (%[page])\n\tnop\n\tadd $4096, %[page]\n\tdec %[left]\n\tjnz 1b"
			 : [page] "+r"(page), [left] "+r"(left), [round] "=&r"(round)
			 : [rounds] "r"(rounds), [insns] "i"(ROUND_INSNS)
			 : "cc", "memory");
}

static void execute_rep(unsigned char *room, uint64_t iterations)
{
	__asm__ volatile("rep stosb" : "+D"(room), "+c"(iterations) : "a"(0) : "memory");
}

static uint64_t fault_rounds(uint64_t insns)
{
	return (insns / FAULT_PAGES - FAULT_INSNS) / ROUND_INSNS;
}

/* What a payload of about @insns executes, or its iterations. */
static uint64_t known_insns(enum payload payload, uint64_t insns)
{
	switch (payload) {
	case PAYLOAD_PLAIN:
		return insns / ROUND_INSNS * ROUND_INSNS;
	case PAYLOAD_FAULT:
		return FAULT_PAGES * (ROUND_INSNS * fault_rounds(insns) + FAULT_INSNS);
	case PAYLOAD_IRQ:
		return insns / INTERRUPT_OP_INSNS * INTERRUPT_OP_INSNS;
	case PAYLOAD_REP:
	case PAYLOAD_MAX:
		break;
	}
	return insns;
}

static int read_lengths(const json_t *params, struct calibrate *c)
{
	char text[TEXT_BYTES] = INSNS_DEFAULT;
	char *rest = text;
	int ret = stimulus_param(params, "insns", text, sizeof(text));

	if (ret < 0 && ret != -ENOENT)
		return ret;
	for (char *word; (word = strsep(&rest, ","));) {
		char *end;
		uint64_t insns = strtoull(word, &end, 10);

		if (*end || insns < INSNS_MIN || insns > INSNS_MAX || c->lengths == LENGTHS_MAX)
			return -EINVAL;
		c->insns[c->lengths++] = insns;
	}
	return 0;
}

static int add_payload(struct calibrate *c, const char *name)
{
	for (int i = 0; i < PAYLOAD_MAX && c->payloads < PAYLOAD_MAX; i++) {
		if (strcmp(payload_names[i], name) != 0)
			continue;
		c->payload[c->payloads++] = (enum payload)i;
		return 0;
	}
	return -EINVAL;
}

static int read_payloads(const json_t *params, struct calibrate *c)
{
	char text[TEXT_BYTES] = "plain";
	char *rest = text;
	int ret = stimulus_param(params, "payload", text, sizeof(text));

	if (ret == -ENOENT)
		ret = 0;
	for (char *word; ret == 0 && (word = strsep(&rest, ","));)
		ret = add_payload(c, word);
	return ret;
}

static int map_pages(size_t bytes, unsigned char **ret)
{
	void *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (room == MAP_FAILED)
		return -errno;
	memset(room, 1, bytes);
	*ret = room;
	return 0;
}

static int prepare_payload(struct calibrate *c, enum payload payload)
{
	uint64_t most = 0;
	int ret = 0;

	for (size_t i = 0; i < c->lengths; i++)
		most = c->insns[i] > most ? c->insns[i] : most;
	if (payload == PAYLOAD_FAULT)
		return map_pages(FAULT_PAGES * 4096, &c->pages);
	if (payload == PAYLOAD_REP)
		return map_pages(most, &c->bytes);
	for (size_t i = 0; payload == PAYLOAD_IRQ && ret == 0 && i < c->lengths; i++)
		ret = interrupt_prepare((uint32_t)(c->insns[i] / INTERRUPT_OP_INSNS), &c->interrupt[i]);
	return ret;
}

static int prepare(struct stimulus_state *state, const json_t *params)
{
	struct calibrate *c = calloc(1, sizeof(*c));
	int ret = c ? read_lengths(params, c) : -ENOMEM;

	state->own = c; /* lives as long as the worker */
	if (ret == 0)
		ret = read_payloads(params, c);
	for (size_t i = 0; ret == 0 && i < c->payloads; i++)
		ret = prepare_payload(c, c->payload[i]);
	return ret;
}

static void execute_between_marks(const struct calibrate *c, enum payload payload, uint64_t insns)
{
	uint64_t rounds = payload == PAYLOAD_FAULT ? fault_rounds(insns) : insns / ROUND_INSNS;

	MARK(MARK_CALIBRATE);
	if (payload == PAYLOAD_PLAIN)
		execute(rounds);
	else if (payload == PAYLOAD_FAULT)
		execute_faulting(c->pages, rounds);
	else
		execute_rep(c->bytes, insns);
	MARK(MARK_CALIBRATE);
}

static int act(struct stimulus_state *state)
{
	struct calibrate *c = state->own;
	size_t length = c->actions / c->payloads % c->lengths;
	enum payload payload = c->payload[c->actions++ % c->payloads];
	uint64_t insns = c->insns[length];

	snprintf(state->detail, sizeof(state->detail), "%s %" PRIu64, payload_names[payload],
		 known_insns(payload, insns));
	if (payload == PAYLOAD_IRQ)
		return interrupt_arm(&c->interrupt[length]);
	if (payload == PAYLOAD_FAULT && madvise(c->pages, FAULT_PAGES * 4096, MADV_DONTNEED) < 0)
		return -errno;
	execute_between_marks(c, payload, insns);
	return 0;
}

const struct stimulus_ops *stimulus_calibrate(void)
{
	static const struct stimulus_ops ops = {
		.name = "calibrate", .role = STIMULUS_PRIMER, .prepare = prepare, .act = act
	};

	return &ops;
}
