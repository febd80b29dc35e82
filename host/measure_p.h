/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of a measurement, for each other:
 *   measure          what comes before and after the windows: stimuli, traces, probe, clocks, files
 *   measure_actions  primers and stimuli: preparing them, having them act
 *   measure_windows  the windows themselves, one after the other
 */
#ifndef VCPULAT_MEASURE_P_H
#define VCPULAT_MEASURE_P_H

#include "host/clock_track.h"
#include "host/measure.h"
#include "host/plan.h"

#define STATUS_NS 1000000000U

/* A worker of an agent that waits to act. */
struct prepared {
	struct agent *agent; /* NULL: there is none */
	enum action_kind kind;
	enum layer layer;
	int cpu;
	bool by_probe; /* it is the probe itself; no id */
	json_int_t id;
	unsigned int ms;
};

struct measuring {
	const struct measure_params *p;
	struct measured *out;
	struct plan plan;
	struct prepared primer;
	struct prepared stimulus;
	struct prepared settle[LAYER_MAX];
	struct clock_track clock;
	size_t window;	   /* index of the present one */
	uint64_t start_ns; /* CLOCK_MONOTONIC of the first window */
	uint64_t deadline_ns;
	uint64_t status_ns;  /* of the last look at the probe */
	uint64_t release_ns; /* CLOCK_MONOTONIC: when a FIFO thread lets go of its CPU; 0: there is none, or it has */
	bool probing;
	bool tracing[LAYER_MAX];
};

/** measure_agent - the agent of a layer; NULL: there is none */
struct agent *measure_agent(const struct measuring *m, enum layer layer);

/** measure_layer - where the probe's agent is */
enum layer measure_layer(const struct measuring *m);

/** measure_cpu - the measured CPU, by its number in a layer */
int measure_cpu(const struct measuring *m, enum layer layer);

/** measure_vmm - the process that runs the guest; 0: there is none, or not yet */
pid_t measure_vmm(const struct measuring *m);

/** measure_show_life - while the host's agent is silent, as its workers take long: for whoever watches the run */
void measure_show_life(struct measuring *m);

/**
 * measure_params - "pages=2" as "pages": 2 where it is a number, and the process of the guest for SCENARIO_VMM
 * @m: says which guest
 * @params: of an action
 *
 * Return: a new reference.
 */
json_t *measure_params(const struct measuring *m, const struct schema_strings *params);

/**
 * measure_prepare - workers for all that the scenario has act
 * @m: its settle, primer and stimulus are filled
 * @err: who could not be prepared, and why
 *
 * Return: 0 or -errno.
 */
int measure_prepare(struct measuring *m, struct err *err);

/** measure_probe_primer - the primer where the probe itself is that; starting the probe says what it is to do */
struct prepared measure_probe_primer(const struct measuring *m);

/**
 * measure_fire - have a worker act, and record that
 * @m: its present window is recorded too
 * @who: prepared
 * @role: as what
 * @ms: how long, where it heeds that
 * @err: what failed; that it acted and failed is recorded and is no error
 *
 * Return: 0 or -errno.
 */
int measure_fire(struct measuring *m, const struct prepared *who, enum action_role role, unsigned int ms,
		 struct err *err);

/**
 * measure_windows - run all windows of the plan
 * @m: planned, prepared, traced, its probe running
 * @err: what failed
 *
 * Return: 0, -EINTR on a stop request, -ETIME when the scenario's time limit is over, or another -errno.
 */
int measure_windows(struct measuring *m, struct err *err);

#endif
