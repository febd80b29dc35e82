/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One bundle, loaded and checked: manifest, probe, clock, actions. Traces and kernel logs
 * stay on disk. Never writes into the bundle. Times are host TSC cycles; what the guest
 * stamped is mapped here, once.
 */
#ifndef VCPULAT_BUNDLE_H
#define VCPULAT_BUNDLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "common/probe_format.h"
#include "common/tsc.h"
#include "reports/trace/trace_event.h"

#define BUNDLE_MAX_VCPUS 64
#define BUNDLE_MAX_PIDS 64
#define BUNDLE_HANG_NS 2500000000ULL /* what ends at all ends sooner, also on a busy emulated host */

enum bundle_state { BUNDLE_ARMED, BUNDLE_CONTROL, BUNDLE_GUARD, BUNDLE_OUTSIDE, BUNDLE_STATE_MAX };
enum bundle_role { BUNDLE_PRIMER, BUNDLE_SHAM, BUNDLE_STIMULUS, BUNDLE_SETTLE, BUNDLE_ROLE_MAX };

struct bundle_window {
	enum bundle_state state;
	uint64_t t0;
	uint64_t t1;
	bool has_ipis;
	uint64_t ipis; /* that the host's CPUs sent each other, see common/ipis.h */
};

struct bundle_action {
	enum bundle_role role;
	char kind[32];
	enum trace_layer layer;
	bool by_probe; /* itself, in its own loop */
	uint64_t t0;
	uint64_t t1;
	size_t window;	   /* index; beyond the last: outside */
	char detail[1024]; /* "": the bundle says nothing */
	char failure[64];  /* "": it did what it should, or the bundle says nothing */
};

struct bundle_clock {
	bool has_map;			       /* the bundle has a guest and its clock */
	struct tsc_map vcpu[BUNDLE_MAX_VCPUS]; /* by vCPU number; those not given are as the measured one */
	uint64_t error_cycles;		       /* 0: not known */
	bool stable;
	bool in_traces; /* the trace files say it too, so that trace-cmd merges them unasked */
};

struct bundle {
	char *dir;
	json_t *manifest;
	bool has_guest; /* "libvirt" or "bare" */
	bool is_bare;	/* in which there is no kernel that could trace */
	bool is_complete;
	bool is_emulated;
	uint64_t cycles_per_second;
	uint64_t threshold_ns;
	uint16_t host_cpu;
	uint16_t guest_cpu;
	int32_t vcpu_tid;
	int32_t probe_tid;
	int32_t stimulus[TRACE_LAYER_MAX][BUNDLE_MAX_PIDS];
	size_t n_stimulus[TRACE_LAYER_MAX];
	struct bundle_window *windows;
	size_t n_windows;
	struct bundle_action *actions; /* by t0 */
	size_t n_actions;
	struct bundle_clock clock;
	struct probe_header probe; /* stamps in the probe's own TSC */
	struct probe_record *gaps; /* mapped to host TSC, ascending */
	size_t n_gaps;
	uint64_t epoch; /* start of the first window, or of the probe */
};

/**
 * bundle_open - load a bundle
 * @dir: its directory
 * @ret: for bundle_free()
 * @err: names the file and what is wrong with it
 *
 * A partial bundle may lack windows, actions, clock and probe: what is there is loaded.
 * Return: 0, -EINVAL for a directory that is no bundle or contradicts itself, or another -errno.
 */
int bundle_open(const char *dir, struct bundle **ret, struct err *err);

/**
 * bundle_name - a bundle's one name, however it was typed
 * @dir: with or without slashes at its end
 *
 * Return: without them, for the caller to free, or NULL with errno ENOMEM.
 */
char *bundle_name(const char *dir);

/** bundle_free - drop it; NULL is fine */
void bundle_free(struct bundle *bundle);
DEFINE_CLEANUP(struct bundle *, bundle_free)

/**
 * bundle_path - the path of one of its files
 * @bundle: the bundle
 * @file: e.g. "host.dat"
 *
 * Return: a string the caller frees, or NULL with errno ENOMEM.
 */
char *bundle_path(const struct bundle *bundle, const char *file);

/**
 * bundle_map - a stamp of one layer as host TSC
 * @bundle: the bundle
 * @layer: who stamped
 * @cpu: on which of its CPUs
 * @tsc: the stamp
 */
uint64_t bundle_map(const struct bundle *bundle, enum trace_layer layer, unsigned int cpu, uint64_t tsc);

/**
 * bundle_window_at - the window that a moment lies in
 * @bundle: the bundle
 * @tsc: host TSC
 *
 * Return: its index, or n_windows.
 */
size_t bundle_window_at(const struct bundle *bundle, uint64_t tsc);

/**
 * bundle_window_state - the state of a window
 * @bundle: the bundle
 * @window: index; n_windows or more: BUNDLE_OUTSIDE
 */
enum bundle_state bundle_window_state(const struct bundle *bundle, size_t window);

/**
 * bundle_state_at - the state of the window that a moment lies in
 * @bundle: the bundle
 * @tsc: host TSC; in no window: BUNDLE_OUTSIDE
 */
enum bundle_state bundle_state_at(const struct bundle *bundle, uint64_t tsc);

/** bundle_state_name - "armed", "control", "guard" or "outside" */
const char *bundle_state_name(enum bundle_state state);

/**
 * bundle_action_hung - was it a stimulus whose caller waited for BUNDLE_HANG_NS or longer?
 * @bundle: whose action it is
 * @action: of any role
 */
bool bundle_action_hung(const struct bundle *bundle, const struct bundle_action *action);

/** bundle_role_name - "primer", "sham", "stimulus" or "settle" */
const char *bundle_role_name(enum bundle_role role);

#endif
