/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an emulated host does once it is up: the text of its job.sh. Pure. */
#ifndef VCPULAT_LAB_JOB_H
#define VCPULAT_LAB_JOB_H

#include <jansson.h>

#include "common/schema.h"

#define LAB_DIR "/run/vcpulat" /* where in/ of the stage directory lies inside */

/* What to run; all borrowed. */
struct lab_job {
	const struct schema_strings *scenarios; /* names, or paths inside the emulated host */
	uint32_t guests;			/* bit i: enum guest_kind i; 0: those of the scenario */
	const char *probe;			/* NULL: that of the scenario */
	uint64_t seed;				/* of windows and phases */
	bool no_trace;				/* in either layer */
	const json_t *done;			/* array: paths of bundles of runs that need not be repeated */
};

/**
 * lab_job_run - run scenarios
 * @job: which, and how
 *
 * Return: a script the caller frees, or NULL when there is no memory.
 */
char *lab_job_run(const struct lab_job *job);

/**
 * lab_job_exec - run one command, its output on our terminal
 * @argv: NULL-terminated
 *
 * Return: as lab_job_run().
 */
char *lab_job_exec(char *const argv[]);

/**
 * lab_job_shell - an interactive shell
 * @rows: of our terminal
 * @columns: of our terminal
 * @term: value of TERM; NULL: "linux"
 *
 * Return: as lab_job_run().
 */
char *lab_job_shell(unsigned int rows, unsigned int columns, const char *term);

#endif
