/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `vcpulat run` without its command line: scenarios on this host, one bundle for each
 * scenario and kind of guest. Records; judges nothing.
 */
#ifndef VCPULAT_RUN_H
#define VCPULAT_RUN_H

#include <jansson.h>

#include "host/checks.h"
#include "host/scenario.h"

enum run_mode { MODE_FUNCTIONAL, MODE_QUALIFICATION, MODE_MAX };

struct run_options {
	const char *command;		   /* exact command line, for the manifest */
	const char *arm_path;		   /* arm.json; NULL: this host as it is */
	const char *guest_kernel;	   /* NULL: no Linux guest can be run */
	const char *guest_initramfs;	   /* NULL: the built one */
	const char *progress_path;	   /* NULL: none */
	const char *out_dir;		   /* where bundles go */
	uint32_t guests;		   /* bit i: enum guest_kind i is wanted */
	const struct schema_strings *done; /* runs that are complete already, as SCENARIO-GUEST */
	enum run_mode mode;
	bool emulated;
	bool trace;
	uint64_t seed; /* of windows and phases */
	bool has_seed; /* else one is drawn */
	struct run_cpus cpus;
};

/* What became of the runs. */
struct run_counts {
	unsigned int complete;
	unsigned int failed;
	unsigned int skipped;
};

/**
 * run_scenarios - run scenarios, all with one kind of guest before the next
 * @options: how
 * @scenarios: loaded
 * @count: number of them
 * @ret: counts, also after a failure
 * @err: what ended the runs early
 *
 * A run that fails is told by log_error(), and the next one goes on. Settings, guest and
 * agents are gone when this returns.
 * Return: 0, -EINTR on a stop request (the bundle is sealed as partial), or another -errno.
 */
int run_scenarios(const struct run_options *options, const struct scenario *scenarios, size_t count,
		  struct run_counts *ret, struct err *err);

/** run_mode_name - "functional" or "qualification" */
const char *run_mode_name(enum run_mode mode);

#endif
