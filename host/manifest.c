// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/manifest.h"

#include <string.h>

#include "common/fs.h"
#include "common/json.h"
#include "common/schema_strings.h"

static json_t *limits_json(const struct scenario *s)
{
	const struct scenario_limit *limit = s->limits.item;
	json_t *list = json_array();

	for (size_t i = 0; i < s->limits.count; i++)
		json_array_append_new(list, json_pack("{s:s, s:I}", "figure",
						      limit_figure_name((enum limit_figure)limit[i].figure), "max_ns",
						      (json_int_t)limit[i].below_ns));
	return list;
}

/* Without the words of this one run (the link's port and token): what is the same in every run of an arm. */
static json_t *stable_cmdline(const char *cmdline)
{
	_cleanup_free_ char *text = strdup(cmdline);
	char *to = text;

	for (const char *word = cmdline; text && *word; word += strspn(word, " ")) {
		size_t len = strcspn(word, " ");

		if (strncmp(word, "vcpulat.", 8) != 0) {
			if (to != text)
				*to++ = ' ';
			memcpy(to, word, len);
			to += len;
		}
		word += len;
	}
	if (to)
		*to = '\0';
	return text ? json_string(text) : NULL;
}

/* What the arm says, completed by what the running kernel says of itself. */
static json_t *layer_json(const json_t *arm, const char *layer, const json_t *facts)
{
	const json_t *given = json_object_get(arm, layer);
	json_t *object = given ? json_deep_copy(given) : json_pack("{s:s, s:s}", "kernel", "running", "sha256", "");

	if (object && facts) {
		json_object_set(object, "release", json_object_get(facts, "release"));
		json_object_set_new(object, "cmdline", stable_cmdline(json_get_string(facts, "cmdline")));
	}
	return object;
}

static json_t *arm_json(const struct manifest_params *p)
{
	const char *policy = json_get_string(p->arm, "vcpu_policy");
	json_t *arm = p->arm ? json_deep_copy(p->arm) : json_pack("{s:s, s:[]}", "name", "this-host", "removes");

	if (!arm)
		return NULL;
	json_object_set_new(arm, "host", layer_json(p->arm, "host", p->host_facts));
	json_object_set_new(arm, "guest", layer_json(p->arm, "guest", p->guest_facts));
	json_object_del(arm, "command"); /* of all arms; see manifest_make() */
	json_object_set_new(arm, "vcpu_policy", json_string(policy[0] ? policy : "other"));
	return arm;
}

static json_t *measured_json(const struct manifest_params *p)
{
	int bare = p->kind == GUEST_BARE ? (int)p->measured->probe_tid : 0; /* which is its own vCPU and VMM */
	int cpu = p->kind == GUEST_BARE ? GUEST_BARE_CPU : -1;

	return json_pack("{s:i, s:i, s:i, s:i, s:O, s:i, s:i}", "host_cpu", p->options->cpus.measured, "guest_cpu",
			 p->guest ? GUEST_MEASURED_CPU : cpu, "vcpu_tid", p->guest ? (int)p->guest->vcpu_tid : bare,
			 "vmm_pid", p->guest ? (int)p->guest->vmm : bare, "stimulus_pids", p->measured->stimulus_pids,
			 "probe_tid", (int)p->measured->probe_tid, "probe_number", (int)p->measured->probe_number);
}

static json_t *scenario_json(const struct scenario *s)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:s}", "name", s->name, "description", s->description, "layer",
			 layer_name((enum layer)s->layer), "provokes", schema_strings_to_json(&s->provokes),
			 "expected_log", schema_strings_to_json(&s->expected_log), "text", s->text);
}

json_t *manifest_make(const struct manifest_params *p)
{
	const struct measured *m = p->measured;
	const char *lab = json_get_string(p->arm, "command"); /* what a user typed, where a lab typed ours */
	_cleanup_free_ char *boot_id = NULL;

	fs_read_line("/proc/sys/kernel/random/boot_id", &boot_id, NULL);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:o, s:s, s:o, s:s, s:s, s:s, s:o, s:I, s:I, s:O, s:o,"
			 " s:{s:I, s:I, s:I}, s:O, s:O, s:s}",
			 "schema", "vcpulat-bundle-1", "tool", VCPULAT_VERSION, "status",
			 p->reason ? "partial" : "complete", "reason", p->reason ? p->reason : "", "mode",
			 run_mode_name(p->options->mode), "emulated", p->options->emulated, "seed", (json_int_t)p->seed,
			 "scenario", scenario_json(p->scenario), "guest", guest_kind_name(p->kind), "arm", arm_json(p),
			 "boot_id", boot_id ? boot_id : "", "start_utc", p->start_utc, "end_utc", p->end_utc,
			 "measured", measured_json(p), "cycles_per_second", (json_int_t)m->hz, "threshold_ns",
			 (json_int_t)p->scenario->probe.threshold_ns, "windows", m->windows, "limits",
			 limits_json(p->scenario), "lost", "host_events", (json_int_t)m->lost_host_events,
			 "guest_events", (json_int_t)m->lost_guest_events, "gaps", (json_int_t)m->lost_gaps, "retries",
			 p->retries, "missing_events", m->missing_events, "command", *lab ? lab : p->options->command);
}
