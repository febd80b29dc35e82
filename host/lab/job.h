/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an emulated host does once it is up: the text of its job.sh. Pure. */
#ifndef VCPULAT_LAB_JOB_H
#define VCPULAT_LAB_JOB_H

#include "common/schema.h"

#define LAB_DIR "/run/vcpulat" /* where in/ of the stage directory lies inside */

/**
 * lab_job_run - run scenarios
 * @scenarios: names, or paths inside the emulated host
 * @guests: kinds of guest; empty: those of the scenario
 * @seed: of windows and phases
 * @trace: false: without tracing in either layer
 *
 * Return: a script the caller frees, or NULL when there is no memory.
 */
char *lab_job_run(const struct schema_strings *scenarios, const struct schema_strings *guests, uint64_t seed,
		  bool trace);

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
