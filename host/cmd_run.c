// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "host/commands.h"
#include "host/exit.h"
#include "host/kvm_check.h"
#include "host/run.h"

struct args {
	char *arm_json;
	uint32_t guests; /* bit i: enum guest_kind i; 0: all */
	char *guest_kernel;
	char *guest_initramfs;
	bool emulated;
	int mode;
	uint64_t cpu;
	bool has_cpu;
	char *housekeeping;
	char *progress;
	uint64_t seed;
	bool has_seed;
	bool no_trace;
	int probe; /* enum probe_kind */
	bool has_probe;
	char *out_dir;
	struct schema_strings done;
};

static const char *const mode_names[] = { "functional", "qualification", NULL };

#define FIELD(name, member, kind) OPTION_FIELD(struct args, name, member, kind)

static const struct option_row rows[] = {
	{ .field = { FIELD("output", out_dir, SCHEMA_STRING),
		     .help = "where bundles go; a new directory bundles-TIME if not given" },
	  .letter = 'o',
	  .argument = "DIR" },
	{ .field = { FIELD("guest", guests, SCHEMA_FLAGS), .names = guest_kind_names,
		     .help = "kind of guest; all that a scenario names if not given" },
	  .argument = "KIND" },
	{ .field = { FIELD("done", done, SCHEMA_STRINGS),
		     .help = "a run that is complete already, and left out: its bundle's name" },
	  .argument = "SCENARIO-KIND" },
	{ .field = { FIELD("guest-kernel", guest_kernel, SCHEMA_STRING),
		     .help = "file that the guest boots, a bzImage (in a lab: an arm)" },
	  .argument = "IMAGE" },
	{ .field = { FIELD("guest-initramfs", guest_initramfs, SCHEMA_STRING),
		     .help = "initramfs with the agent; the built one if not given" },
	  .argument = "FILE" },
	{ .field = { FIELD("cpu", cpu, SCHEMA_UINT), .has_offset = offsetof(struct args, has_cpu), .max = 1023,
		     .help = "the measured CPU; the lowest isolated one if not given" },
	  .argument = "N" },
	{ .field = { FIELD("housekeeping", housekeeping, SCHEMA_STRING), .fallback = "",
		     .help = "CPUs for everything else; all that are not isolated if not given" },
	  .argument = "LIST" },
	{ .field = { FIELD("mode", mode, SCHEMA_ENUM), .fallback = "functional", .names = mode_names,
		     .help = "qualification insists on what microseconds need" },
	  .argument = "MODE" },
	{ .field = { FIELD("seed", seed, SCHEMA_UINT), .has_offset = offsetof(struct args, has_seed),
		     .help = "of windows and phases; drawn if not given" },
	  .argument = "N" },
	{ .field = { FIELD("no-trace", no_trace, SCHEMA_BOOL),
		     .help = "do not trace: gaps without causes, no probe effect" } },
	{ .field = { FIELD("probe", probe, SCHEMA_ENUM), .has_offset = offsetof(struct args, has_probe),
		     .names = probe_kind_names,
		     .help = "a busy loop, or wake-up latency; what a scenario names if not given" },
	  .argument = "KIND" },
	{ .field = { FIELD("arm-json", arm_json, SCHEMA_STRING),
		     .help = "what this host is an arm of (from vcpulat lab)" },
	  .argument = "FILE" },
	{ .field = { FIELD("emulated", emulated, SCHEMA_BOOL),
		     .help = "this host is an emulated one (from vcpulat lab)" } },
	{ .field = { FIELD("progress", progress, SCHEMA_STRING),
		     .help = "append progress there, one JSON object a line" },
	  .argument = "FILE" },
	{ .field = { .key = NULL } },
};

static char *default_out_dir(void)
{
	time_t now = time(NULL);
	char name[64];
	struct tm tm;

	strftime(name, sizeof(name), "bundles-%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	return strdup(name);
}

/* Is any of these kinds of guest (bit i: enum guest_kind i) to be run? */
static bool wants(const struct run_options *o, const struct scenario *scenarios, size_t count, uint32_t kinds)
{
	for (size_t i = 0; i < count; i++)
		if (scenarios[i].shape.guests & o->guests & kinds)
			return true;
	return false;
}

/*
 * Asked for by name, no guest or a bare one need not be among those that a scenario lists, nor be the probe what it
 * names. One of several that cannot do with it is left to the other kinds.
 */
static int adapt(const struct args *args, struct scenario *scenarios, size_t count, struct err *err)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < count; i++) {
		ret = scenario_allow_guests(&scenarios[i], args->guests, err);
		if (ret == -EINVAL && count > 1) {
			log_info("skipped, %s", err->msg);
			ret = 0;
		}
		if (ret == 0 && args->has_probe)
			ret = scenario_use_probe(&scenarios[i], args->probe, err);
	}
	return ret;
}

/* Where guests cannot be, the runs without one are still worth something. */
static int check_guests(struct run_options *o, const struct scenario *scenarios, size_t count, struct err *err)
{
	static const struct {
		enum guest_kind kind;
		int (*check)(struct err *err);
		const char *name;
	} guests[] = { { GUEST_LIBVIRT, checks_virtualization, "guest" },
		       { GUEST_BARE, kvm_check_bare, "bare guest" } };

	for (size_t i = 0; i < ARRAY_SIZE(guests); i++) {
		int ret = wants(o, scenarios, count, 1U << guests[i].kind) ? guests[i].check(err) : 0;

		if (ret != -ENOTSUP && ret < 0)
			return ret;
		if (ret == 0)
			continue;
		o->guests &= ~(1U << guests[i].kind);
		if (!wants(o, scenarios, count, ~0U))
			return ret;
		log_info("skipped, all runs with a %s: %s", guests[i].name, err->msg);
	}
	return 0;
}

static int check_host(const struct args *args, struct run_options *o, const struct scenario *scenarios, size_t count,
		      struct err *err)
{
	int ret = checks_host(o->trace, err);

	if (ret == 0)
		ret = checks_cpus(args->has_cpu ? (int)args->cpu : -1, args->housekeeping, &o->cpus, err);
	if (ret == 0 && o->mode == MODE_QUALIFICATION)
		ret = checks_tsc(err);
	if (ret == 0 && o->mode == MODE_QUALIFICATION)
		ret = checks_kernel(err);
	return ret < 0 ? ret : check_guests(o, scenarios, count, err);
}

static int exit_code(int ret, const struct run_counts *counts)
{
	if (ret == -EINTR)
		return VCPULAT_EXIT_INTERRUPTED;
	if (ret == -ENOTSUP)
		return VCPULAT_EXIT_SKIPPED;
	if (ret < 0 || counts->failed)
		return VCPULAT_EXIT_ERROR;
	return counts->complete ? VCPULAT_EXIT_PASS : VCPULAT_EXIT_SKIPPED;
}

static int run_all(const struct args *args, const char *command, struct scenario *scenarios, size_t count)
{
	_cleanup_free_ char *out_dir = args->out_dir ? strdup(args->out_dir) : default_out_dir();
	struct run_options o = { .command = command,
				 .arm_path = args->arm_json,
				 .guest_kernel = args->guest_kernel,
				 .guest_initramfs = args->guest_initramfs,
				 .progress_path = args->progress,
				 .out_dir = out_dir,
				 .done = &args->done,
				 .guests = args->guests ? args->guests : (1U << GUEST_MAX) - 1,
				 .mode = (enum run_mode)args->mode,
				 .emulated = args->emulated,
				 .trace = !args->no_trace,
				 .seed = args->seed,
				 .has_seed = args->has_seed };
	struct run_counts counts = { 0 };
	struct err err = { "" };
	int ret = adapt(args, scenarios, count, &err);

	if (ret == 0 && o.emulated && o.mode == MODE_QUALIFICATION)
		ret = err_set(&err, -EINVAL, "an emulated host cannot qualify: its microseconds are the emulator's");
	if (ret == 0)
		ret = check_host(args, &o, scenarios, count, &err);
	if (ret == 0)
		ret = run_scenarios(&o, scenarios, count, &counts, &err);
	if (ret == -ENOTSUP)
		log_info("skipped: %s", err.msg);
	else if (ret < 0)
		log_error("%s", err.msg[0] ? err.msg : strerror(-ret));
	else if (!counts.complete && !counts.failed && !counts.skipped)
		log_info("skipped: no scenario names such a guest");
	return exit_code(ret, &counts);
}

static int run(const void *object, const struct command_line *line, struct err *err)
{
	size_t count = (size_t)line->operands;
	struct scenario *scenarios = calloc(count + 1, sizeof(*scenarios));
	int ret = scenarios ? 0 : -ENOMEM;

	if (count == 0)
		ret = err_set(err, -EINVAL, "no scenario given; 'vcpulat scenarios' lists them");
	for (size_t i = 0; ret == 0 && i < count; i++)
		ret = scenario_load(line->operand[i], &scenarios[i], err);
	if (ret == 0)
		ret = run_all(object, line->text, scenarios, count);
	for (size_t i = 0; scenarios && i < count; i++)
		scenario_done(&scenarios[i]);
	free(scenarios);
	return ret;
}

const struct command *command_run(void)
{
	static const struct command command = {
		.name = "run",
		.summary = "run scenarios on this host",
		.help = {
			.usage = "run [OPTION...] SCENARIO...",
			.purpose =
				"Runs scenarios on this host and leaves one bundle of evidence for each scenario and kind of guest.\n"
				"Needs root, an isolated CPU, tracing, and for guests KVM and libvirt; without them it exits with 77.\n"
				"SCENARIO is a name ('vcpulat scenarios' lists them) or the path of a YAML file.",
			.examples = "  vcpulat run --guest-kernel bzImage vmstat-host\n"
				    "  vcpulat run --guest none --mode qualification vmstat-host",
		},
		.rows = rows,
		.options_bytes = sizeof(struct args),
		.run = run,
	};

	return &command;
}
