/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent: what it holds between two requests. */
#ifndef VCPULAT_AGENT_H
#define VCPULAT_AGENT_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "agents/symbols.h"

#define AGENT_STIMULI_MAX 32

struct capture;
struct nudge;
struct probe;
struct stimulus;

struct agent {
	int link_fd;		/* to the controller */
	cpu_set_t housekeeping; /* where everything but probe and stimuli runs */
	uint64_t hz;		/* TSC cycles per second; 0: not measured yet */
	struct probe *probe;	/* NULL: none */
	struct capture *capture;
	struct nudge *nudge;
	struct stimulus *stimulus[AGENT_STIMULI_MAX]; /* by id */
	int stimuli;
	struct symbols symbols; /* of the kernel it runs on */
	bool quit;		/* the controller said so */
};

#endif
