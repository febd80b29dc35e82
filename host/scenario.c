// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/scenario.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fs.h"
#include "common/kprobes.h"
#include "common/probe_format.h"
#include "common/schema_strings.h"
#include "host/paths.h"

#define SUFFIX ".yaml"
#define KEY(type, member) .key = #member, .offset = offsetof(struct type, member)

static const char *const layer_names[] = { "host", "guest", NULL };
const char *const guest_kind_names[] = { "libvirt", "none", "bare", NULL };
static const char *const actor_names[] = { "task", "probe", NULL };
static const char *const policy_names[] = { "other", "fifo", NULL };
const char *const probe_kind_names[] = { "spin", "timer", NULL };

#define ACTION_NAME(symbol, name, help) #name,
#define ACTION_HELP(symbol, name, help) "\n" #name ": " help "."
#define ACTION_OWN_HELP(symbol, name, help) help,
static const char *const action_names[] = { STIMULUS_KINDS(ACTION_NAME) NULL };
static const char *const action_help[] = { STIMULUS_KINDS(ACTION_OWN_HELP) };

static const char *const figure_names[] = { "penalty.max", "penalty.p99", "native.max", "native.p99", NULL };

static const struct schema_field host_fields[] = {
	{ .key = "cpus",
	  .type = SCHEMA_UINT,
	  .offset = offsetof(struct scenario_shape, host_cpus),
	  .fallback = "2",
	  .min = 2,
	  .max = 1024,
	  .help = "CPUs of the host under test, at least." },
	{ .key = "memory",
	  .type = SCHEMA_SIZE,
	  .offset = offsetof(struct scenario_shape, host_memory_bytes),
	  .fallback = "2GiB",
	  .min = 1ULL << 30,
	  .help = "Memory of the host under test, at least." },
	{ .key = "isolated",
	  .type = SCHEMA_UINT,
	  .offset = offsetof(struct scenario_shape, host_isolated),
	  .fallback = "1",
	  .min = 1,
	  .max = 1023,
	  .help = "Isolated CPUs of the host under test, at least." },
	{ .key = "cmdline",
	  .type = SCHEMA_STRINGS,
	  .offset = offsetof(struct scenario_shape, host_cmdline),
	  .help = "Words of the host kernel's command line, e.g. cma=64M. A lab boots with them; elsewhere the same "
		  "parameter must be there, of whatever value." },
	{ .key = "node1",
	  .type = SCHEMA_SIZE,
	  .offset = offsetof(struct scenario_shape, host_node1_bytes),
	  .fallback = "0B",
	  .max = 1ULL << 40,
	  .help = "Of it, memory of a second memory node, which has the upper half of the CPUs. For emulated hosts; "
		  "elsewhere checks say what is wanted." },
	{ .key = NULL },
};

static const struct schema_field shape_fields[] = {
	{ .key = "host", .type = SCHEMA_STRUCT, .fields = host_fields, .help = "What the host under test must have." },
	{ .key = "guest",
	  .type = SCHEMA_FLAGS,
	  .offset = offsetof(struct scenario_shape, guests),
	  .required = true,
	  .names = guest_kind_names,
	  .help = "Guests to run with: libvirt (the probe runs on a pinned vCPU), none (the probe runs on the host's "
		  "isolated CPU: the native gap), bare (it runs there on a vCPU without anything else in the guest: "
		  "what the "
		  "host alone does to one). Asked for by --guest, none and bare need not be listed, where the layer is "
		  "host and nothing acts in the guest or on it." },
	{ .key = "guest_cpus",
	  .type = SCHEMA_UINT,
	  .offset = offsetof(struct scenario_shape, guest_cpus),
	  .fallback = "2",
	  .min = 2,
	  .max = 64,
	  .help = "vCPUs; vCPU 1 is measured, the others are housekeeping." },
	{ .key = "guest_memory",
	  .type = SCHEMA_SIZE,
	  .offset = offsetof(struct scenario_shape, guest_memory_bytes),
	  .fallback = "384MiB",
	  .min = 128ULL << 20,
	  .help = "Memory of the guest." },
	{ .key = "guest_shared",
	  .type = SCHEMA_SIZE,
	  .offset = offsetof(struct scenario_shape, guest_shared_bytes),
	  .fallback = "0B",
	  .max = 1ULL << 30,
	  .help = "Memory that the guest shares with the host as a PCI device (ivshmem-plain), a power of two of "
		  "MiB. The host takes its pages away before each run; a touch is a nested page fault then." },
	{ KEY(scenario_shape, guest_mergeable), .type = SCHEMA_BOOL, .fallback = "no",
	  .help = "Of the guest's memory, the host may merge the pages of guest_shared (KSM), and no others; it is the "
		  "guest's alone then, and nobody takes it away." },
	{ .key = "guest_pluggable",
	  .type = SCHEMA_SIZE,
	  .offset = offsetof(struct scenario_shape, guest_pluggable_bytes),
	  .fallback = "0B",
	  .max = 16ULL << 30,
	  .help = "Memory that may be plugged into the running guest and out of it (virtio-mem), a multiple of 128 "
		  "MiB, "
		  "as large as a block of the guest's. None of it is plugged in at first; the stimulus plug does "
		  "that." },
	{ KEY(scenario_shape, vcpu_policy), .type = SCHEMA_ENUM, .fallback = "other", .names = policy_names,
	  .help = "Scheduling policy, in windows, of what has the host's measured CPU: the vCPU's thread, or without a "
		  "guest the probe. A fifo one lets no ordinary task run there, until half a second before the "
		  "window's end." },
	{ .key = NULL },
};

static const struct schema_field probe_fields[] = {
	{ KEY(scenario_probe, kind), .type = SCHEMA_ENUM, .fallback = "spin", .names = probe_kind_names,
	  .help = "spin: a busy loop on the TSC; timer: wake-up latency." },
	{ .key = "threshold",
	  .type = SCHEMA_DURATION,
	  .offset = offsetof(struct scenario_probe, threshold_ns),
	  .fallback = "20us",
	  .min = 100,
	  .max = 1000000000,
	  .help = "Shortest gap that is recorded." },
	{ KEY(scenario_probe, policy), .type = SCHEMA_ENUM, .fallback = "other", .names = policy_names,
	  .help = "Scheduling policy of the probe's thread. A fifo probe starves kworkers." },
	{ .key = "interval",
	  .type = SCHEMA_DURATION,
	  .offset = offsetof(struct scenario_probe, interval_ns),
	  .fallback = "1ms",
	  .min = 10000,
	  .max = 10000000000,
	  .help = "Between two wake-ups of the timer probe." },
	{ .key = NULL },
};

static const struct schema_field windows_fields[] = {
	{ .key = "length",
	  .type = SCHEMA_DURATION,
	  .offset = offsetof(struct scenario_windows, length_ns),
	  .fallback = "10s",
	  .min = 1000000000,
	  .max = 3600000000000,
	  .help = "Of one window, about." },
	{ .key = "armed",
	  .type = SCHEMA_DURATION,
	  .offset = offsetof(struct scenario_windows, armed_ns),
	  .required = true,
	  .min = 1000000000,
	  .max = 86400000000000,
	  .help = "All windows together in which primer and stimulus act." },
	{ .key = "control",
	  .type = SCHEMA_DURATION,
	  .offset = offsetof(struct scenario_windows, control_ns),
	  .required = true,
	  .min = 1000000000,
	  .max = 86400000000000,
	  .help = "All windows together in which only a sham primer acts." },
	{ .key = NULL },
};

static const struct schema_field action_fields[] = {
	{ KEY(scenario_action, kind), .type = SCHEMA_ENUM, .required = true, .names = action_names,
	  .help = "What acts:" STIMULUS_KINDS(ACTION_HELP) },
	{ KEY(scenario_action, layer), .type = SCHEMA_ENUM, .fallback = "host", .names = layer_names,
	  .help = "Whose kernel it acts on." },
	{ KEY(scenario_action, by), .type = SCHEMA_ENUM, .fallback = "task", .names = actor_names,
	  .help = "task: one of its own; probe: the probe itself, between two turns of its loop, so that no other task "
		  "comes to its CPU." },
	{ .key = "period",
	  .type = SCHEMA_DURATION,
	  .offset = offsetof(struct scenario_action, period_ns),
	  .required = true,
	  .min = 50000000,
	  .max = 3600000000000,
	  .help = "Between two actions; the first of a window has a random phase." },
	{ .key = "jitter",
	  .type = SCHEMA_DURATION,
	  .offset = offsetof(struct scenario_action, jitter_ns),
	  .max = 3600000000000,
	  .help = "Up to this is added to each period at random." },
	{ .key = "unstick",
	  .type = SCHEMA_DURATION,
	  .offset = offsetof(struct scenario_action, unstick_ns),
	  .max = 10000000000,
	  .help = "Spin for this long before acting, so that the tick runs what is due on a tickless CPU." },
	{ KEY(scenario_action, params), .type = SCHEMA_STRINGS,
	  .help = "Parameters of the kind, as name=value; value " SCENARIO_VMM
		  ": the process id of what runs the guest." },
	{ .key = NULL },
};

static const struct schema_field setting_fields[] = {
	{ KEY(scenario_setting, layer), .type = SCHEMA_ENUM, .fallback = "host", .names = layer_names,
	  .help = "Whose file it is." },
	{ KEY(scenario_setting, path), .type = SCHEMA_STRING, .required = true,
	  .help = "A file of /proc/sys or /sys." },
	{ KEY(scenario_setting, value), .type = SCHEMA_STRING, .required = true,
	  .help = "Written before the run; what stood there is restored on every exit." },
	{ KEY(scenario_setting, optional), .type = SCHEMA_BOOL, .fallback = "no",
	  .help = "A kernel without this file is fine." },
	{ .key = NULL },
};

static const struct schema_field event_fields[] = {
	{ KEY(scenario_event, layer), .type = SCHEMA_ENUM, .fallback = "host", .names = layer_names,
	  .help = "Where it is traced." },
	{ KEY(scenario_event, name), .type = SCHEMA_STRING, .required = true,
	  .help = "system:event; of system " KPROBE_SYSTEM ": a function of the kernel, e.g. " KPROBE_SYSTEM
		  ":invalidate_bh_lru. An interrupt in which another CPU has the measured one call it is then named "
		  "host/ipi/invalidate_bh_lru. Of system " KPROBE_CALL
		  ": likewise, and when it ends; called by the probe, or by the vCPU's thread, it is host/call/NAME." },
	{ KEY(scenario_event, filter), .type = SCHEMA_STRING, .fallback = "CPU == @",
	  .help = "Trace filter; @ stands for the measured CPU." },
	{ KEY(scenario_event, stack), .type = SCHEMA_BOOL,
	  .help = "Record the kernel's stack with it: of workqueue:workqueue_queue_work it says why work was queued." },
	{ .key = NULL },
};

static const struct schema_field limit_fields[] = {
	{ KEY(scenario_limit, figure), .type = SCHEMA_ENUM, .required = true, .names = figure_names,
	  .help = "The figure of a provoked cause that is judged." },
	{ .key = "below",
	  .type = SCHEMA_DURATION,
	  .offset = offsetof(struct scenario_limit, below_ns),
	  .required = true,
	  .min = 1,
	  .help = "It must be shorter." },
	{ .key = NULL },
};

static const struct schema_field check_fields[] = {
	{ KEY(scenario_check, layer), .type = SCHEMA_ENUM, .fallback = "host", .names = layer_names,
	  .help = "Whose file it is." },
	{ KEY(scenario_check, path), .type = SCHEMA_STRING, .required = true, .help = "A file." },
	{ KEY(scenario_check, equals), .type = SCHEMA_STRING, .fallback = "",
	  .help = "Its content, if more than its presence is wanted; otherwise the scenario is skipped." },
	{ .key = NULL },
};

static const struct schema_field fields[] = {
	{ KEY(scenario, description), .type = SCHEMA_STRING, .required = true,
	  .help = "What it shows, in a line or two." },
	{ KEY(scenario, groups), .type = SCHEMA_STRINGS, .help = "Words to select scenarios by." },
	{ KEY(scenario, layer), .type = SCHEMA_ENUM, .required = true, .names = layer_names,
	  .help = "Whose kernel is provoked." },
	{ KEY(scenario, shape), .type = SCHEMA_STRUCT, .fields = shape_fields, .required = true,
	  .help = "What it needs of host and guest." },
	{ KEY(scenario, probe), .type = SCHEMA_STRUCT, .fields = probe_fields, .help = "The loop that sees gaps." },
	{ KEY(scenario, windows), .type = SCHEMA_STRUCT, .fields = windows_fields, .required = true,
	  .help = "How long to look." },
	{ KEY(scenario, primer), .type = SCHEMA_STRUCT, .fields = action_fields,
	  .has_offset = offsetof(struct scenario, has_primer),
	  .help = "Makes state of the measured CPU dirty, on that CPU." },
	{ KEY(scenario, stimulus), .type = SCHEMA_STRUCT, .fields = action_fields,
	  .has_offset = offsetof(struct scenario, has_stimulus),
	  .help = "Makes the kernel queue work, from a housekeeping CPU." },
	{ KEY(scenario, settings), .type = SCHEMA_LIST, .fields = setting_fields,
	  .item_bytes = sizeof(struct scenario_setting), .help = "Settings for the time of the run." },
	{ KEY(scenario, provokes), .type = SCHEMA_STRINGS, .required = true,
	  .help = "Causes it provokes, e.g. host/kworker/vmstat_update." },
	{ KEY(scenario, expected_log), .type = SCHEMA_STRINGS,
	  .help = "What it makes the kernels log; anything else there that tells of a fault fails the verdict." },
	{ KEY(scenario, events), .type = SCHEMA_LIST, .fields = event_fields,
	  .item_bytes = sizeof(struct scenario_event),
	  .help = "Trace events besides the usual ones, or in place of the usual one of that name." },
	{ KEY(scenario, limits), .type = SCHEMA_LIST, .fields = limit_fields,
	  .item_bytes = sizeof(struct scenario_limit), .help = "What the verdict judges." },
	{ .key = "time_limit",
	  .type = SCHEMA_DURATION,
	  .offset = offsetof(struct scenario, time_limit_ns),
	  .fallback = "5min",
	  .min = 1000000000,
	  .help = "For one run, guest start not counted." },
	{ KEY(scenario, checks), .type = SCHEMA_LIST, .fields = check_fields,
	  .item_bytes = sizeof(struct scenario_check), .help = "Preconditions." },
	{ .key = NULL },
};

const struct schema_field *scenario_fields(void)
{
	return fields;
}

const char *layer_name(enum layer layer)
{
	return layer_names[layer];
}

const char *guest_kind_name(enum guest_kind kind)
{
	return guest_kind_names[kind];
}

const char *policy_name(enum cpu_policy policy)
{
	return policy_names[policy];
}

const char *action_kind_name(enum action_kind kind)
{
	return action_names[kind];
}

const char *action_kind_help(enum action_kind kind)
{
	return action_help[kind];
}

const char *limit_figure_name(enum limit_figure figure)
{
	return figure_names[figure];
}

const char *probe_kind_name(int kind)
{
	return probe_kind_names[kind];
}

int scenario_parse(const char *name, const char *text, size_t len, struct scenario *ret, struct err *err)
{
	int res = schema_parse(name, text, len, fields, sizeof(*ret), ret, err);

	if (res < 0)
		return res;
	ret->name = strdup(name);
	ret->text = strndup(text, len);
	if (!ret->name || !ret->text)
		return -ENOMEM;
	return scenario_check(ret, err);
}

static int load_path(const char *path, struct scenario *ret, struct err *err)
{
	_cleanup_free_ char *name = fs_stem(path, SUFFIX);
	_cleanup_free_ char *text = NULL;
	size_t len;
	int res;

	if (!name)
		return -ENOMEM;
	res = fs_read(path, SCHEMA_MAX_BYTES, &text, &len, err);
	if (res < 0)
		return res;
	res = schema_parse(path, text, len, fields, sizeof(*ret), ret, err);
	if (res < 0)
		return res;
	ret->name = TAKE_PTR(name);
	ret->text = TAKE_PTR(text);
	res = scenario_check(ret, err);
	return res < 0 ? err_prefix(err, res, "%s", path) : 0;
}

static int unknown_name(const char *name, struct err *err)
{
	_cleanup_(schema_strings_clear) struct schema_strings names = { 0 };
	_cleanup_free_ char *known = NULL;
	int ret = scenario_list(&names, err);

	if (ret < 0)
		return ret;
	known = schema_strings_join(&names, " ");
	return err_set(err, -ENOENT, "no scenario '%s'; there are: %s", name, known ? known : "");
}

bool scenario_is_path(const char *name)
{
	return strchr(name, '/') || str_ends_with(name, SUFFIX);
}

int scenario_load(const char *name, struct scenario *ret, struct err *err)
{
	_cleanup_free_ char *dir = paths_scenario_dir();
	_cleanup_free_ char *path = NULL;

	*ret = (struct scenario){ 0 };
	if (scenario_is_path(name))
		return load_path(name, ret, err);
	path = dir ? str_printf("%s/%s" SUFFIX, dir, name) : NULL;
	if (!path)
		return -ENOMEM;
	return fs_exists(path) ? load_path(path, ret, err) : unknown_name(name, err);
}

void scenario_done(struct scenario *scenario)
{
	char *name = scenario->name;
	char *text = scenario->text;

	schema_clear(fields, sizeof(*scenario), scenario);
	free(name);
	free(text);
}

static int is_scenario(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && str_ends_with(entry->d_name, SUFFIX);
}

int scenario_list(struct schema_strings *ret, struct err *err)
{
	_cleanup_free_ char *dir = paths_scenario_dir();
	struct dirent **entries;
	int res = 0;
	int n;

	*ret = (struct schema_strings){ 0 };
	if (!dir)
		return -ENOMEM;
	n = scandir(dir, &entries, is_scenario, alphasort);
	if (n < 0)
		return err_sys(err, -errno, "cannot read the scenarios in '%s'", dir);
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *name = fs_stem(entries[i]->d_name, SUFFIX);

		if (res == 0)
			res = name ? schema_strings_add(ret, name) : -ENOMEM;
		free(entries[i]);
	}
	free(entries);
	return res;
}
