// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/probe_format.h"
#include "host/scenario.h"
#include "reports/causes.h"

/* What a kind's help explains is what it takes. */
static bool takes(enum action_kind kind, const char *name, size_t len)
{
	const char *help = action_kind_help(kind);
	const char *at = help;

	while ((at = strstr(at, name)) && !(at[len] == '=' && (at == help || at[-1] == ' ')))
		at++;
	return at;
}

/* One that acts like another, "drain=KIND", takes that one's parameters too. */
static bool takes_as_drain(const struct scenario_action *a, const char *name, size_t len)
{
	for (size_t i = 0; i < a->params.count; i++)
		for (int kind = 0; kind < ACTION_KIND_MAX; kind++)
			if (strncmp(a->params.item[i], "drain=", 6) == 0 &&
			    strcmp(a->params.item[i] + 6, action_kind_name((enum action_kind)kind)) == 0)
				return takes((enum action_kind)kind, name, len);
	return false;
}

static int check_param(const char *key, const struct scenario *s, const struct scenario_action *a, const char *param,
		       struct err *err)
{
	const char *equals = strchr(param, '=');
	_cleanup_free_ char *name = equals ? strndup(param, (size_t)(equals - param)) : NULL;

	if (!equals || equals == param)
		return err_set(err, -EINVAL, "%s: %s.params: '%s' is not name=value", s->name, key, param);
	if (!name)
		return -ENOMEM;
	if (!takes((enum action_kind)a->kind, name, strlen(name)) && !takes_as_drain(a, name, strlen(name)))
		return err_set(err, -EINVAL, "%s: %s.params: %s takes no '%s'; it %s", s->name, key,
			       action_kind_name((enum action_kind)a->kind), name,
			       action_kind_help((enum action_kind)a->kind));
	if (strcmp(equals + 1, SCENARIO_VMM) == 0 && s->shape.guests & 1U << GUEST_NONE)
		return err_set(err, -EINVAL, "%s: %s.params: no %s where shape.guest contains none", s->name, key,
			       SCENARIO_VMM);
	return 0;
}

static int check_action(const char *key, const struct scenario *s, const struct scenario_action *a, struct err *err)
{
	for (size_t i = 0; i < a->params.count; i++) {
		int ret = check_param(key, s, a, a->params.item[i], err);

		if (ret < 0)
			return ret;
	}
	if (a->unstick_ns >= a->period_ns)
		return err_set(err, -EINVAL, "%s: %s.unstick must be shorter than %s.period", s->name, key, key);
	if (a->layer == LAYER_GUEST && s->shape.guests & 1U << GUEST_NONE)
		return err_set(err, -EINVAL, "%s: %s.layer is guest, so shape.guest cannot contain none", s->name, key);
	return 0;
}

static bool wants_vmm(const struct schema_strings *params)
{
	for (size_t i = 0; i < params->count; i++)
		if (strcmp(strchr(params->item[i], '=') + 1, SCENARIO_VMM) == 0)
			return true;
	return false;
}

static bool can_touch(const struct scenario_action *a)
{
	return a->by == ACTOR_PROBE && a->layer == LAYER_GUEST &&
	       (a->kind == ACTION_TOUCH || a->kind == ACTION_MINOR_FAULT);
}

/* In a bare guest there is nothing but the probe, which can touch memory. */
static int check_bare(const struct scenario *s, struct err *err)
{
	const struct scenario_setting *set = s->settings.item;
	const struct scenario_event *event = s->events.item;
	const char *what = NULL;

	if (s->layer == LAYER_GUEST)
		what = "layer is guest";
	else if (s->shape.guest_mergeable)
		what = "shape.guest_mergeable is about a guest's own memory";
	else if (s->probe.kind != PROBE_SPIN)
		what = "probe.kind is not spin";
	else if (s->has_stimulus && s->stimulus.layer == LAYER_GUEST)
		what = "stimulus.layer is guest";
	else if (s->has_primer && (s->primer.layer == LAYER_GUEST || s->primer.by == ACTOR_PROBE) &&
		 !can_touch(&s->primer))
		what = "its primer acts in the guest, or in the probe";
	else if (wants_vmm(&s->primer.params) || wants_vmm(&s->stimulus.params))
		what = "it acts on memory of " SCENARIO_VMM;
	for (size_t i = 0; i < s->settings.count; i++)
		what = set[i].layer == LAYER_GUEST ? "a setting is the guest's" : what;
	for (size_t i = 0; i < s->events.count; i++)
		what = event[i].layer == LAYER_GUEST ? "an event is the guest's" : what;
	return what ? err_set(err, -EINVAL, "%s: not in a bare guest, which has no kernel and next to no memory: %s",
			      s->name, what)
		    : 0;
}

int scenario_use_probe(struct scenario *s, int kind, struct err *err)
{
	s->probe.kind = kind;
	return s->shape.guests & 1U << GUEST_BARE ? check_bare(s, err) : 0;
}

/* The probe runs in the guest, where there is one, and acts in its own layer. */
static int check_actors(const struct scenario *s, struct err *err)
{
	bool on_host = s->primer.layer == LAYER_HOST;
	uint32_t probes = on_host ? 1U << GUEST_NONE : 1U << GUEST_LIBVIRT | 1U << GUEST_BARE;

	if (s->has_stimulus && s->stimulus.by == ACTOR_PROBE)
		return err_set(err, -EINVAL, "%s: stimulus.by: a stimulus acts on a housekeeping CPU", s->name);
	if (!s->has_primer || s->primer.by != ACTOR_PROBE)
		return 0;
	if (s->shape.guests & ~probes)
		return err_set(
			err, -EINVAL,
			"%s: primer.by is probe and primer.layer is %s: shape.guest must be %s, where the probe is",
			s->name, layer_name((enum layer)s->primer.layer), on_host ? "none" : "libvirt or bare");
	return s->primer.unstick_ns ? err_set(err, -EINVAL, "%s: primer.by is probe: it cannot unstick", s->name) : 0;
}

static int check_windows(const struct scenario *s, struct err *err)
{
	uint64_t total_ns = s->windows.armed_ns + s->windows.control_ns;

	if (s->windows.length_ns > total_ns)
		return err_set(err, -EINVAL, "%s: windows.length is longer than all windows together", s->name);
	if (total_ns > s->time_limit_ns)
		return err_set(err, -EINVAL, "%s: windows take %llu s, time_limit is %llu s", s->name,
			       (unsigned long long)total_ns / 1000000000,
			       (unsigned long long)s->time_limit_ns / 1000000000);
	return 0;
}

static int check_shape(const struct scenario *s, struct err *err)
{
	uint64_t shared = s->shape.guest_shared_bytes;

	if (!s->shape.guests)
		return err_set(err, -EINVAL, "%s: shape.guest is empty", s->name);
	if (s->shape.host_isolated >= s->shape.host_cpus)
		return err_set(err, -EINVAL, "%s: shape.host.isolated must leave a CPU for housekeeping", s->name);
	if (s->shape.host_node1_bytes >= s->shape.host_memory_bytes)
		return err_set(err, -EINVAL, "%s: shape.host.node1 must leave memory for node 0", s->name);
	if (shared & (shared - 1) || shared % (1 << 20))
		return err_set(err, -EINVAL, "%s: shape.guest_shared must be a power of two of MiB", s->name);
	if (s->shape.guest_pluggable_bytes % (128 << 20))
		return err_set(err, -EINVAL, "%s: shape.guest_pluggable must be a multiple of 128 MiB", s->name);
	if (s->shape.guest_mergeable && !shared)
		return err_set(err, -EINVAL, "%s: shape.guest_mergeable is about shape.guest_shared, which is missing",
			       s->name);
	if (s->shape.vcpu_policy == POLICY_FIFO &&
	    ((s->has_primer && s->primer.layer == LAYER_HOST && s->primer.by == ACTOR_TASK) ||
	     (s->has_stimulus && s->stimulus.layer != LAYER_HOST)))
		return err_set(
			err, -EINVAL,
			"%s: shape.vcpu_policy is fifo: a primer's task would never run on the host's measured CPU, "
			"and a stimulus must be the host's",
			s->name);
	return 0;
}

static int check_provokes(const struct scenario *s, struct err *err)
{
	if (!s->provokes.count)
		return err_set(err, -EINVAL, "%s: provokes is empty", s->name);
	for (size_t i = 0; i < s->provokes.count; i++) {
		const char *cause = s->provokes.item[i];

		if (strncmp(cause, "host/", 5) != 0 && strncmp(cause, "guest/", 6) != 0)
			return err_set(err, -EINVAL, "%s: provokes: '%s' does not begin with host/ or guest/", s->name,
				       cause);
		if (!causes_can_name(cause))
			return err_set(err, -EINVAL,
				       "%s: provokes: no report names a cause '%s'; one is host/kworker/vmstat_update",
				       s->name, cause);
	}
	return 0;
}

static int check_settings(const struct scenario *s, struct err *err)
{
	const struct scenario_setting *set = s->settings.item;

	for (size_t i = 0; i < s->settings.count; i++) {
		if (!fs_is_setting(set[i].path))
			return err_set(err, -EINVAL, "%s: settings: '%s' is not below /proc/sys or /sys", s->name,
				       set[i].path);
		if (set[i].layer == LAYER_GUEST && s->shape.guests & 1U << GUEST_NONE)
			return err_set(err, -EINVAL,
				       "%s: settings: '%s' is for the guest, but shape.guest contains none", s->name,
				       set[i].path);
	}
	return 0;
}

int scenario_check(const struct scenario *s, struct err *err)
{
	int ret = check_provokes(s, err);

	if (ret == 0 && !s->has_primer && !s->has_stimulus)
		ret = err_set(err, -EINVAL, "%s: neither primer nor stimulus: nothing would act", s->name);
	if (ret == 0)
		ret = check_shape(s, err);
	if (ret == 0 && s->layer == LAYER_GUEST && s->shape.guests & 1U << GUEST_NONE)
		ret = err_set(err, -EINVAL, "%s: layer is guest, so shape.guest cannot contain none", s->name);
	if (ret == 0 && s->has_primer)
		ret = check_action("primer", s, &s->primer, err);
	if (ret == 0 && s->has_stimulus)
		ret = check_action("stimulus", s, &s->stimulus, err);
	if (ret == 0)
		ret = check_actors(s, err);
	if (ret == 0)
		ret = check_windows(s, err);
	if (ret == 0 && s->shape.guests & 1U << GUEST_BARE)
		ret = check_bare(s, err);
	return ret < 0 ? ret : check_settings(s, err);
}

int scenario_allow_guests(struct scenario *s, uint32_t guests, struct err *err)
{
	uint32_t listed = s->shape.guests;
	int ret;

	s->shape.guests |= guests & ~(1U << GUEST_LIBVIRT);
	ret = s->shape.guests != listed ? scenario_check(s, err) : 0;
	if (ret < 0)
		s->shape.guests = listed;
	return ret;
}
