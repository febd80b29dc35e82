/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stimuli and primers: deliberate actions, each made by a worker that was prepared
 * beforehand and waits. A sham is the same task on the same CPU for the same time that
 * does not act: the worker's way there and back allocates nothing, touches no memory for
 * the first time and faults no page, so that it dirties nothing. The probe can do the same
 * in its own loop (agents/probe.h): then no second task comes to its CPU.
 *
 * A new kind is one file with a struct stimulus_ops, and one line in common/stimulus_kinds.h.
 */
#ifndef VCPULAT_STIMULUS_H
#define VCPULAT_STIMULUS_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "common/stimulus_kinds.h"

#define STIMULUS_DETAIL_BYTES 1024
#define STIMULUS_DEBTS_MAX 3

enum stimulus_role {
	STIMULUS_SETTLE,   /* only lets time pass; no mark */
	STIMULUS_PRIMER,   /* makes something dirty: MARK_PRIMER */
	STIMULUS_STIMULUS, /* makes a kernel queue work: MARK_STIMULUS */
};

/* What a kind keeps in its worker; the agent sees it, too, but not what it points to. */
struct stimulus_state {
	int fd;				    /* -1: none */
	unsigned char *page;		    /* NULL: none */
	size_t pages;			    /* there, that a bare guest can touch in act()'s stead; 0: it cannot */
	size_t page_bytes;		    /* of each of them */
	bool numbered;			    /* each is touched once, and begins with its number then */
	bool async;			    /* in a bare guest: the vCPU's thread is not to fetch them itself */
	bool on;			    /* of kinds that alternate */
	bool owed[STIMULUS_DEBTS_MAX];	    /* of kinds with repay(): what act() began and has not taken back */
	uint64_t began;			    /* TSC: act() may say when the action itself did; 0: at once */
	void *own;			    /* of kinds that need more; NULL: nothing */
	char detail[STIMULUS_DETAIL_BYTES]; /* of an action of kinds whose actions differ; "": nothing to say */
};

struct stimulus_ops {
	const char *name;
	enum stimulus_role role;
	bool bare; /* act() makes no system call: if the probe itself acts, what that takes is a gap like any other */
	/* In the worker, on a housekeeping CPU, once: opens and maps all that act() needs. NULL: nothing to do. */
	int (*prepare)(struct stimulus_state *state, const json_t *params);
	/* On the worker's CPU: acts once, with nothing but the action itself. Returns 0 or -errno. */
	int (*act)(struct stimulus_state *state);
	/* In the agent, once the worker is gone, perhaps killed: takes back what act() still owes. NULL: nothing. */
	void (*repay)(const json_t *params, const bool owed[static STIMULUS_DEBTS_MAX]);
	/* In the agent, once the worker is gone: takes back what prepare() left in the kernel. NULL: nothing. */
	void (*clean)(const json_t *params);
};

/* One action, or sham. */
struct stimulus_shot {
	uint64_t t0; /* TSC cycles: before the spin and the action, or when the action says it began */
	uint64_t t1; /* after both */
	int result;  /* what the action gave: 0 or -errno */
	char detail[STIMULUS_DETAIL_BYTES];
};

struct stimulus;

struct stimulus_options {
	const char *kind;
	int cpu; /* -1: the housekeeping CPUs */
	const cpu_set_t *housekeeping;
	const json_t *params; /* of the kind; borrowed; may be NULL */
	uint64_t hz;	      /* TSC cycles per second */
};

/**
 * stimulus_kind - what a kind does
 * @name: of the kind
 * @err: lists those there are
 *
 * Return: static, or NULL for an unknown kind.
 */
const struct stimulus_ops *stimulus_kind(const char *name, struct err *err);

/**
 * stimulus_shoot - act here and now, between two marks for the meter
 * @ops: of the kind
 * @state: prepared in this process
 * @sham: do everything but the action
 * @spin_cycles: keep the CPU busy that long first
 * @ret: when it was, and how it ended
 */
void stimulus_shoot(const struct stimulus_ops *ops, struct stimulus_state *state, bool sham, uint64_t spin_cycles,
		    struct stimulus_shot *ret);

/**
 * stimulus_new - fork and prepare a worker
 * @options: what and where
 * @ret: waits for stimulus_fire(); to be given to stimulus_free()
 * @err: says what failed
 *
 * Return: 0 or -errno.
 */
int stimulus_new(const struct stimulus_options *options, struct stimulus **ret, struct err *err);

/**
 * stimulus_fire - one action
 * @stimulus: prepared
 * @sham: do everything but the action
 * @spin_ms: keep the CPU busy that long first
 * @ret: when it was, and how it ended
 * @err: says what failed
 *
 * Return: 0 also when the action itself failed (see @ret), or -errno.
 */
int stimulus_fire(struct stimulus *stimulus, bool sham, unsigned int spin_ms, struct stimulus_shot *ret,
		  struct err *err);

/**
 * stimulus_pid - the worker's process
 * @stimulus: prepared
 */
int stimulus_pid(const struct stimulus *stimulus);

/**
 * stimulus_free - end the worker
 * @stimulus: may be NULL
 */
void stimulus_free(struct stimulus *stimulus);

/**
 * stimulus_param - a parameter of a kind
 * @params: of the kind; may be NULL
 * @name: of the parameter
 * @ret: its text; numbers come as they were written
 * @bytes: room in @ret
 *
 * Return: 0, -ENOENT without such a parameter, -ENAMETOOLONG.
 */
int stimulus_param(const json_t *params, const char *name, char *ret, size_t bytes);

/**
 * stimulus_param_number - a parameter that is a number
 * @params: of the kind; may be NULL
 * @name: of the parameter
 * @min: least
 * @max: greatest
 * @ret: the number; untouched on failure
 *
 * What is out of bounds is told on stderr, too: of a worker's preparation only the errno comes home.
 * Return: 0, -ENOENT without such a parameter, -ENAMETOOLONG, -EINVAL out of bounds.
 */
int stimulus_param_number(const json_t *params, const char *name, unsigned long min, unsigned long max,
			  unsigned long *ret);

/**
 * stimulus_param_number_or - a parameter that is a number, or what is usual
 * @params: of the kind; may be NULL
 * @name: of the parameter
 * @min: least
 * @max: greatest
 * @ret: holds what is usual, and keeps it without such a parameter or on failure
 *
 * Return: 0, -ENAMETOOLONG, -EINVAL out of bounds.
 */
int stimulus_param_number_or(const json_t *params, const char *name, unsigned long min, unsigned long max,
			     unsigned long *ret);

/**
 * stimulus_param_is - does a parameter say this?
 * @params: of the kind; may be NULL
 * @name: of the parameter
 * @text: what it may say
 */
bool stimulus_param_is(const json_t *params, const char *name, const char *text);

/* stimulus_mlock() and so on: what each kind of the list does. Return: static. */
#define STIMULUS_DECLARE(symbol, name, help) const struct stimulus_ops *stimulus_##name(void);
STIMULUS_KINDS(STIMULUS_DECLARE)
#undef STIMULUS_DECLARE

#endif
