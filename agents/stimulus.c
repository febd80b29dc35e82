// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimulus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/worker.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/marks.h"
#include "common/tsc.h"

#define READY_TIMEOUT_MS 60000
#define FIRE_TIMEOUT_MS 60000 /* on top of the spin: flush_work() behind a busy FIFO task */
#define SPIN_MAX_MS 60000
#define NAME_BYTES 32

#define KIND(symbol, name, help) stimulus_##name,
static const struct stimulus_ops *(*const kinds[])(void) = { STIMULUS_KINDS(KIND) };
#undef KIND

/* The mapping that agent and worker share. Ordered by worker_wake() and worker_report(). */
struct shared {
	bool sham;		     /* written by the agent */
	uint64_t spin_cycles;	     /* written by the agent */
	struct stimulus_shot shot;   /* written by the worker */
	struct stimulus_state state; /* of the worker */
};

struct stimulus {
	const struct stimulus_ops *ops;
	struct worker worker;
	json_t *params;
	uint64_t hz;
};

struct start {
	const struct stimulus_ops *ops;
	const json_t *params;
};

static void mark_begin(enum stimulus_role role, bool sham)
{
	if (role == STIMULUS_SETTLE)
		return;
	if (sham)
		MARK(MARK_SHAM);
	else if (role == STIMULUS_PRIMER)
		MARK(MARK_PRIMER);
	else
		MARK(MARK_STIMULUS);
}

static void mark_end(enum stimulus_role role)
{
	if (role != STIMULUS_SETTLE)
		MARK(MARK_ACTED);
}

void stimulus_shoot(const struct stimulus_ops *ops, struct stimulus_state *state, bool sham, uint64_t spin_cycles,
		    struct stimulus_shot *ret)
{
	const char *detail;
	uint64_t t0;

	mark_begin(ops->role, sham);
	t0 = tsc_read();
	while (tsc_read() - t0 < spin_cycles)
		;
	state->began = 0;
	ret->result = sham ? 0 : ops->act(state);
	ret->t0 = state->began ? state->began : t0;
	ret->t1 = tsc_read();
	detail = sham ? "" : state->detail;
	memcpy(ret->detail, detail, strlen(detail) + 1);
	mark_end(ops->role);
}

static int stimulus_body(struct worker *self, void *ctx)
{
	const struct start *start = ctx;
	struct shared *s = self->shared;
	int ret;

	s->state = (struct stimulus_state){ .fd = -1 };
	ret = start->ops->prepare ? start->ops->prepare(&s->state, start->params) : 0;
	if (ret < 0)
		return ret;
	ret = worker_pin(self);
	if (ret < 0)
		return ret;
	for (;;) {
		worker_report(self);
		ret = worker_await(self);
		if (ret < 0)
			return ret;
		stimulus_shoot(start->ops, &s->state, s->sham, s->spin_cycles, &s->shot);
	}
}

const struct stimulus_ops *stimulus_kind(const char *name, struct err *err)
{
	char known[512] = "";

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i]()->name, name) == 0)
			return kinds[i]();
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		strncat(known, " ", sizeof(known) - strlen(known) - 1);
		strncat(known, kinds[i]()->name, sizeof(known) - strlen(known) - 1);
	}
	err_set(err, -EINVAL, "stimulus kind '%s' is unknown; this agent has:%s", name, known);
	return NULL;
}

int stimulus_param(const json_t *params, const char *name, char *ret, size_t bytes)
{
	const json_t *value = json_object_get(params, name);
	int n;

	if (!value)
		return -ENOENT;
	if (json_is_integer(value))
		n = snprintf(ret, bytes, "%lld", (long long)json_integer_value(value));
	else
		n = snprintf(ret, bytes, "%s", json_is_string(value) ? json_string_value(value) : "");
	return (size_t)n < bytes ? 0 : -ENAMETOOLONG;
}

int stimulus_param_number(const json_t *params, const char *name, unsigned long min, unsigned long max,
			  unsigned long *ret)
{
	char text[NAME_BYTES];
	int r = stimulus_param(params, name, text, sizeof(text));
	unsigned long number;
	char *end;

	if (r < 0)
		return r;
	number = strtoul(text, &end, 10);
	if (end == text || *end || number < min || number > max) {
		log_error("%s=%s: %lu to %lu are allowed", name, text, min, max);
		return -EINVAL;
	}
	*ret = number;
	return 0;
}

int stimulus_param_number_or(const json_t *params, const char *name, unsigned long min, unsigned long max,
			     unsigned long *ret)
{
	int r = stimulus_param_number(params, name, min, max, ret);

	return r == -ENOENT ? 0 : r;
}

bool stimulus_param_is(const json_t *params, const char *name, const char *text)
{
	char said[NAME_BYTES];

	return stimulus_param(params, name, said, sizeof(said)) == 0 && strcmp(said, text) == 0;
}

int stimulus_new(const struct stimulus_options *options, struct stimulus **ret, struct err *err)
{
	struct start start = { .ops = stimulus_kind(options->kind, err), .params = options->params };
	char name[NAME_BYTES];
	const struct worker_options worker = {
		.name = name,
		.cpu = options->cpu,
		.housekeeping = options->housekeeping,
		.shared_bytes = sizeof(struct shared),
	};
	struct stimulus *stimulus;
	int r;

	if (!start.ops)
		return -EINVAL;
	snprintf(name, sizeof(name), "vcpulat-%s", start.ops->name);
	stimulus = calloc(1, sizeof(*stimulus));
	if (!stimulus)
		return err_sys(err, -ENOMEM, "stimulus '%s'", options->kind);
	*stimulus = (struct stimulus){ .ops = start.ops, .hz = options->hz, .params = json_deep_copy(options->params) };
	r = worker_start(&worker, stimulus_body, &start, READY_TIMEOUT_MS, &stimulus->worker, err);
	if (r < 0) {
		stimulus_free(stimulus);
		return r;
	}
	*ret = stimulus;
	return 0;
}

int stimulus_fire(struct stimulus *stimulus, bool sham, unsigned int spin_ms, struct stimulus_shot *ret,
		  struct err *err)
{
	struct shared *s = stimulus->worker.shared;
	int r;

	if (spin_ms > SPIN_MAX_MS)
		return err_set(err, -EINVAL, "%u ms: a stimulus spins at most %d ms", spin_ms, SPIN_MAX_MS);
	s->sham = sham;
	s->spin_cycles = tsc_from_ns((uint64_t)spin_ms * 1000000, stimulus->hz);
	r = worker_wake(&stimulus->worker);
	if (r < 0)
		return err_sys(err, r, "stimulus '%s'", stimulus->ops->name);
	r = worker_wait(&stimulus->worker, (int)spin_ms + FIRE_TIMEOUT_MS, err);
	if (r < 0) {
		worker_reap(&stimulus->worker); /* its late answer would be taken for the next one's */
		return err_prefix(err, r, "stimulus '%s'", stimulus->ops->name);
	}
	*ret = s->shot;
	return 0;
}

int stimulus_pid(const struct stimulus *stimulus)
{
	return stimulus->worker.pid;
}

void stimulus_free(struct stimulus *stimulus)
{
	const struct shared *s;
	bool gone;

	if (!stimulus)
		return;
	gone = worker_reap(&stimulus->worker);
	s = stimulus->worker.shared;
	if (s && gone && stimulus->ops->repay) /* one that is not gone may yet do what it began */
		stimulus->ops->repay(stimulus->params, s->state.owed);
	worker_end(&stimulus->worker);
	if (stimulus->ops->clean)
		stimulus->ops->clean(stimulus->params);
	json_decref(stimulus->params);
	free(stimulus);
}
