/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scenario: what to provoke, how, for how long, and what it needs. One YAML file each in
 * scenarios/; the table behind scenario_fields() checks it and prints the key reference.
 *
 * Loading looks at no machine: whether a host fits is the business of host/checks.h.
 */
#ifndef VCPULAT_SCENARIO_H
#define VCPULAT_SCENARIO_H

#include "common/cleanup.h"
#include "common/schema.h"
#include "common/stimulus_kinds.h"

enum layer { LAYER_HOST, LAYER_GUEST, LAYER_MAX };
enum guest_kind { GUEST_LIBVIRT, GUEST_NONE, GUEST_BARE, GUEST_MAX };
enum actor { ACTOR_TASK, ACTOR_PROBE, ACTOR_MAX };
enum cpu_policy { POLICY_OTHER, POLICY_FIFO, POLICY_MAX };

#define ACTION_KIND(symbol, name, help) ACTION_##symbol,
enum action_kind { STIMULUS_KINDS(ACTION_KIND) ACTION_KIND_MAX };
#undef ACTION_KIND

/* A parameter of this value is the process id of what runs the guest. */
#define SCENARIO_VMM "@vmm"

/* Figures of a result that a limit may be set on. */
enum limit_figure { FIGURE_PENALTY_MAX, FIGURE_PENALTY_P99, FIGURE_NATIVE_MAX, FIGURE_NATIVE_P99, FIGURE_MAX };

struct scenario_shape {
	uint64_t host_cpus;
	uint64_t host_memory_bytes;
	uint64_t host_isolated;		    /* CPUs that must be isolated */
	struct schema_strings host_cmdline; /* words of the kernel's command line */
	uint64_t host_node1_bytes;	    /* of the memory; 0: one node will do */
	uint32_t guests;		    /* bit i: enum guest_kind i */
	uint64_t guest_cpus;
	uint64_t guest_memory_bytes;
	uint64_t guest_shared_bytes;	/* 0: none */
	bool guest_mergeable;		/* that memory, and no other of the guest's; then it is not shared */
	uint64_t guest_pluggable_bytes; /* 0: none */
	int vcpu_policy;		/* enum cpu_policy, in windows */
};

struct scenario_probe {
	int kind;	       /* enum probe_kind of common/probe_format.h */
	uint64_t threshold_ns; /* shortest gap that is recorded */
	int policy;	       /* enum cpu_policy */
	uint64_t interval_ns;  /* of the timer probe */
};

struct scenario_windows {
	uint64_t length_ns;  /* of one window, about: the planner makes all windows of a state equally long */
	uint64_t armed_ns;   /* all armed windows together */
	uint64_t control_ns; /* all control windows together */
};

/* What acts in the windows. A primer acts on the measured CPU, a stimulus on a housekeeping CPU. */
struct scenario_action {
	int kind;  /* enum action_kind */
	int layer; /* enum layer */
	int by;	   /* enum actor */
	uint64_t period_ns;
	uint64_t jitter_ns;	      /* uniform, 0 up to this, added to each period */
	uint64_t unstick_ns;	      /* spin before acting, so that a deferrable timer which is due runs first */
	struct schema_strings params; /* "name=value" */
};

struct scenario_setting {
	int layer;
	char *path;
	char *value;
	bool optional; /* a kernel without this file is as good as one with the value */
};

struct scenario_event {
	int layer;
	char *name;   /* system:event */
	char *filter; /* "" for all; "@" stands for the measured CPU's number */
	bool stack;   /* with the kernel's stack */
};

struct scenario_limit {
	int figure; /* enum limit_figure */
	uint64_t below_ns;
};

struct scenario_check {
	int layer;
	char *path;
	char *equals; /* "": it is there, that is all */
};

struct scenario {
	char *name; /* the file's name without ".yaml" */
	char *text; /* the file, for the bundle */
	char *description;
	struct schema_strings groups;
	int layer; /* whose kernel is provoked */
	struct scenario_shape shape;
	struct scenario_probe probe;
	struct scenario_windows windows;
	struct scenario_action primer;
	bool has_primer;
	struct scenario_action stimulus;
	bool has_stimulus;
	struct schema_list settings; /* struct scenario_setting */
	struct schema_strings provokes;
	struct schema_strings expected_log;
	struct schema_list events; /* struct scenario_event */
	struct schema_list limits; /* struct scenario_limit */
	uint64_t time_limit_ns;	   /* for one run, guest start not counted */
	struct schema_list checks; /* struct scenario_check */
};

/**
 * scenario_load - read a scenario
 * @name: a name in the scenario folder, or a path (it contains a '/' or ends in ".yaml")
 * @ret: filled; to be given to scenario_done(), also after a failure
 * @err: names file:line, key and allowed values, or lists the scenarios there are
 *
 * Return: 0, -ENOENT for an unknown name, -EINVAL for a file that does not fit, or another -errno.
 */
int scenario_load(const char *name, struct scenario *ret, struct err *err);

/** scenario_is_path - does scenario_load() read this file, not one of the scenario folder? */
bool scenario_is_path(const char *name);

/**
 * scenario_parse - read a scenario from text
 * @name: of the scenario
 * @text: YAML
 * @len: bytes
 * @ret: as scenario_load()
 * @err: as scenario_load()
 *
 * Return: as scenario_load().
 */
int scenario_parse(const char *name, const char *text, size_t len, struct scenario *ret, struct err *err);

/**
 * scenario_check - what the table cannot say: keys that must fit each other
 * @scenario: as parsed
 * @err: names the keys and why they do not fit
 *
 * Pure. Return: 0 or -EINVAL.
 */
int scenario_check(const struct scenario *scenario, struct err *err);

/**
 * scenario_allow_guests - run it without a guest, or with a bare one, where that is asked for, listed or not
 * @scenario: loaded; gets those kinds of guest, or is left as it is
 * @guests: bit i: enum guest_kind i; a libvirt guest, which a scenario has to describe, is passed over
 * @err: why it cannot
 *
 * Pure. Return: 0, or -EINVAL for a scenario that acts in a guest, or on one.
 */
int scenario_allow_guests(struct scenario *scenario, uint32_t guests, struct err *err);

/**
 * scenario_use_probe - run it with another probe than it names
 * @scenario: loaded, all kinds of guest that are asked for allowed
 * @kind: enum probe_kind
 * @err: why it cannot
 *
 * Pure. Return: 0 or -EINVAL.
 */
int scenario_use_probe(struct scenario *scenario, int kind, struct err *err);

/**
 * scenario_done - free what scenario_load() filled in
 * @scenario: may be zeroed
 */
void scenario_done(struct scenario *scenario);

/**
 * scenario_list - names of the scenarios in the scenario folder, sorted
 * @ret: strings; to be freed with schema_strings_clear(), also after a failure
 * @err: says what failed
 *
 * Return: 0 or -errno.
 */
int scenario_list(struct schema_strings *ret, struct err *err);

/**
 * scenario_fields - the table of keys
 *
 * Return: static.
 */
const struct schema_field *scenario_fields(void);

/** layer_name - "host" or "guest" */
const char *layer_name(enum layer layer);

extern const char *const guest_kind_names[]; /* by enum guest_kind; NULL ends them, as a table of options wants it */
extern const char *const probe_kind_names[]; /* likewise, by enum probe_kind */

/** guest_kind_name - "libvirt", "none" or "bare" */
const char *guest_kind_name(enum guest_kind kind);

/** policy_name - "other" or "fifo" */
const char *policy_name(enum cpu_policy policy);

/** action_kind_name - the agent's word for what acts */
const char *action_kind_name(enum action_kind kind);
/** action_kind_help - what it does, and the parameters that it takes */
const char *action_kind_help(enum action_kind kind);

/** limit_figure_name - e.g. "penalty.max" */
const char *limit_figure_name(enum limit_figure figure);

/** probe_kind_name - "spin" or "timer", from enum probe_kind */
const char *probe_kind_name(int kind);

#define _cleanup_scenario_ _cleanup_(scenario_done)

#endif
