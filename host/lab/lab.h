/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boots of emulated hosts under test, one at a time: sets the stage, watches the boot, ends
 * one that hangs and tries again, brings the bundles home. Judges nothing.
 *
 * Layout of what it leaves, below lab_params.out:
 *   lab.json                            boots, order, retries
 *   ARM/REPEAT/SCENARIO-GUEST/          a bundle, with console-host.log of its boot; console.log is the guest's
 *   ARM/REPEAT/run.log console.log      what `vcpulat run` and the kernel said
 *   ARM/REPEAT/attempt-N/               what is left of an attempt that was given up
 */
#ifndef VCPULAT_LAB_H
#define VCPULAT_LAB_H

#include <jansson.h>
#include <stdbool.h>

#include "common/schema.h"
#include "host/kernel/arm.h"
#include "host/kernel/kernel.h"
#include "host/lab/plan.h"

#define LAB_ATTEMPTS 3 /* the first, and at most two retries */

/* A kernel to boot. */
struct lab_kernel {
	struct arm arm;
	struct kernel_entry entry;
};

struct lab_params {
	const char *out;     /* existing directory for the results */
	const char *command; /* that makes all of it again; for the bundles */
	/* what is done inside: a fixed job, or scenarios; see job.h */
	const char *job;
	const struct schema_strings *scenarios;	 /* names or paths there, when job is NULL */
	uint32_t guests;			 /* bit i: enum guest_kind i; 0: those of the scenario */
	const struct lab_kernel *guest;		 /* NULL: the host's kernel */
	const struct schema_strings *given;	 /* names of scenarios that are handed in as files */
	const struct schema_strings *given_text; /* their YAML */
	const struct schema_strings *files;	 /* paths; copies lie in the job's working directory */
	unsigned int cpus;
	unsigned int isolated;
	uint64_t memory_bytes;
	uint64_t node1_bytes;
	const char *meter;  /* the instruction meter, see paths_meter(); NULL: functional mode only */
	const char *append; /* more kernel command line of the emulated host; NULL: none */
	const struct schema_strings *qemu_args;
	uint64_t seed;
	unsigned int patience_s; /* seconds of silence that end a boot; six times so long without progress */
	const char *probe;	 /* "spin" or "timer"; NULL: what a scenario names */
	bool no_trace;		 /* runs without tracing: the meter alone sees them */
	bool terminal;		 /* stdin goes to the emulated host */
	bool quiet;		 /* no status lines once the job runs */
	bool keep;		 /* leave the stage directory */
};

/**
 * lab_run - boot one turn, with retries, and bring home what it made
 * @p: how
 * @kernel: the host's kernel
 * @turn: its repeat is used for names
 * @boots: number of all boots, for the status line
 * @number: of this one, from 1
 * @lab: lab.json in the making: members "boots" and "retries" are appended to
 * @err: says what failed last
 *
 * Return: the job's exit code, or -ETIMEDOUT when all attempts hung, -EINTR on a stop
 * request, or another -errno.
 */
int lab_run(const struct lab_params *p, const struct lab_kernel *kernel, const struct lab_turn *turn, size_t boots,
	    size_t number, json_t *lab, struct err *err);

/**
 * lab_kernel_load - find or build the kernel of an arm
 * @name: an arm, or the path of a bzImage
 * @ret: to be given to lab_kernel_done(), also after a failure
 * @err: says what is missing
 *
 * Return: 0, -EINTR on a stop request, or another -errno.
 */
int lab_kernel_load(const char *name, struct lab_kernel *ret, struct err *err);

/**
 * lab_kernel_done - free what lab_kernel_load() filled in
 * @kernel: may be zeroed
 */
void lab_kernel_done(struct lab_kernel *kernel);

#endif
