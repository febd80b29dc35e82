/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small results for tests: one cause, windows of 5 s in turn control and armed, two primers in each. */
#ifndef VCPULAT_TESTS_MAKE_RESULT_H
#define VCPULAT_TESTS_MAKE_RESULT_H

#include <jansson.h>
#include <stdbool.h>

struct made {
	const char *arm;	     /* NULL: stock */
	const char *removes;	     /* NULL: nothing */
	const char *scenario;	     /* NULL: vmstat-host */
	const char *cause;	     /* NULL: host/kworker/vmstat_update */
	const char *guest;	     /* NULL: libvirt */
	const char *boot;	     /* NULL: boot-1 */
	unsigned int windows;	     /* of each kind; 0: 4 */
	unsigned int hits;	     /* an armed window */
	unsigned int control;	     /* a control window */
	const unsigned int *hits_of; /* by armed window, instead of hits; NULL: all alike; then without primers */
	unsigned int length_ns;	     /* of the shortest gap; 0: 50000 */
	bool unprovoked;
	bool untraced;
	bool metered; /* and untraced */
};

#define MADE_WINDOW_NS 5000000000LL

static inline const char *made_or(const char *text, const char *fallback)
{
	return text ? text : fallback;
}

static inline json_t *made_gap(const struct made *made, size_t id, json_int_t t_ns, bool armed)
{
	const char *cause = made_or(made->cause, "host/kworker/vmstat_update");
	json_int_t length = (made->length_ns ? made->length_ns : 50000) + 100 * (json_int_t)id;

	return json_pack(
		"{s:I, s:I, s:I, s:s, s:s, s:[{s:s, s:i}], s:b, s:I, s:I, s:i, s:b, s:I, s:[{s:s, s:I}, {s:s, s:I}],"
		" s:[{s:s, s:i, s:s, s:i, s:s, s:i, s:s, s:[s, s]}]}",
		"id", (json_int_t)id, "t_ns", t_ns, "len_ns", length, "window", armed ? "armed" : "control", "cause",
		cause, "roots", "cause", cause, "count", 1, "single", true, "host_ns", length - 1000, "guest_ns",
		(json_int_t)1000, "exits", 1, "lost", false, "turn", (json_int_t)(id + 1) * 1000, "parts", "cause",
		cause, "ns", length - 1000, "cause", "unexplained", "ns", (json_int_t)1000, "queued", "cause", cause,
		"t_ns", -5000, "layer", "host", "cpu", 0, "task", "kworker/0:1", "pid", 25, "context", "softirq",
		"stack", "queue_work_on", "vmstat_shepherd");
}

static inline void made_windows(const struct made *made, json_t *windows, json_t *gaps)
{
	unsigned int n = made->windows ? made->windows : 4;

	for (unsigned int w = 0; w < 2 * n; w++) {
		bool armed = w % 2;
		json_int_t t0 = w * MADE_WINDOW_NS;
		unsigned int hits = !armed ? made->control : made->hits_of ? made->hits_of[w / 2] : made->hits;

		json_array_append_new(windows, json_pack("{s:s, s:I, s:I}", "state", armed ? "armed" : "control",
							 "t0_ns", t0, "t1_ns", t0 + MADE_WINDOW_NS));
		for (unsigned int h = 0; h < hits; h++)
			json_array_append_new(gaps, made_gap(made, json_array_size(gaps),
							     t0 + (h + 1) * (MADE_WINDOW_NS / (hits + 2)), armed));
	}
}

static inline json_t *made_counts(const struct made *made, unsigned int hits)
{
	unsigned int n = made->windows ? made->windows : 4;
	unsigned int primers = made->unprovoked ? 0 : 2 * n;
	unsigned int hit = hits >= 2 ? 2 * n : hits * n;

	return json_pack("{s:i, s:i, s:i}", "primers", primers, "hit", made->unprovoked ? 0 : hit, "count", hits * n);
}

/* Without primers: a rate is compared. */
static inline json_t *made_count_of(const struct made *made)
{
	unsigned int count = 0;

	for (unsigned int w = 0; w < (made->windows ? made->windows : 4); w++)
		count += made->hits_of[w];
	return json_pack("{s:i, s:i, s:i}", "primers", 0, "hit", 0, "count", count);
}

static inline json_t *made_example(const struct made *made)
{
	const char *cause = made_or(made->cause, "host/kworker/vmstat_update");

	if (made->hits == 0)
		return json_null();
	return json_pack("{s:i, s:s, s:[{s:s, s:i, s:i, s:s}, {s:s, s:i, s:i, s:s}],"
			 " s:[{s:s, s:i, s:s}, {s:s, s:i, s:s}]}",
			 "gap", made->control, "cause", cause, "segments", "lane", "host", "t0_ns", 0, "t1_ns", 49000,
			 "what", cause, "lane", "guest", "t0_ns", 49000, "t1_ns", 50000, "what", "unexplained",
			 "events", "lane", "host", "t_ns", 100, "text", "kvm_exit reason interrupt", "lane", "host",
			 "t_ns", 48900, "text", "kvm_entry vcpu 1 </script><b>");
}

/* A new reference to a result. */
static inline json_t *make_result(struct made made)
{
	const char *cause = made_or(made.cause, "host/kworker/vmstat_update");
	json_int_t exposure = (made.windows ? made.windows : 4) * MADE_WINDOW_NS;
	json_t *windows = json_array();
	json_t *gaps = json_array();
	json_t *result;

	made_windows(&made, windows, gaps);
	result =
		json_pack("{s:s, s:s, s:s, s:{s:s, s:s, s:o}, s:s, s:{s:s, s:o, s:{s:s, s:s, s:s, s:s}, s:{s:s}, s:s}}",
			  "schema", "vcpulat-result-1", "tool", "0.1.0", "bundle", "made", "scenario", "name",
			  made_or(made.scenario, "vmstat-host"), "layer", "host", "provokes",
			  made.unprovoked ? json_array() : json_pack("[s]", cause), "guest",
			  made_or(made.guest, "libvirt"), "arm", "name", made_or(made.arm, "stock"), "removes",
			  made.removes ? json_pack("[s]", made.removes) : json_array(), "host", "kernel", "stock",
			  "release", "6.1.192", "cmdline", "nohz_full=1", "sha256", "00", "guest", "release", "6.1.192",
			  "vcpu_policy", "other");
	json_object_update_new(result,
			       json_pack("{s:s, s:b, s:s, s:s, s:s, s:[], s:{s:I, s:I, s:i, s:b}}", "mode",
					 "functional", "emulated", true, "boot_id", made_or(made.boot, "boot-1"),
					 "status", "complete", "command", "vcpulat run vmstat-host", "retries", "clock",
					 "cycles_per_second", (json_int_t)2594000000LL, "offset_cycles", (json_int_t)-5,
					 "error_ns", 1800, "stable", true));
	json_object_update_new(result,
			       json_pack("{s:{s:s, s:s, s:i, s:i, s:i, s:I, s:i}, s:{s:i, s:i, s:i}, s:{s:I, s:I}}",
					 "probe", "kind", "spin", "layer", "guest", "cpu", 1, "threshold_ns", 20000,
					 "loop_ns", 40, "gaps", (json_int_t)json_array_size(gaps), "lost", 0, "lost",
					 "host_events", 0, "guest_events", 0, "gaps", 0, "exposure", "armed_ns",
					 exposure, "control_ns", exposure));
	json_object_update_new(result,
			       json_pack("{s:[{s:s, s:b, s:o, s:o, s:{s:i}, s:{s:i}}]}", "causes", "cause", cause,
					 "provoked", !made.unprovoked, "armed",
					 made.hits_of ? made_count_of(&made) : made_counts(&made, made.hits), "control",
					 made_counts(&made, made.control), "cost_ns", "n", 0, "gap_ns", "n", 0));
	json_object_update_new(result,
			       json_pack("{s:o, s:[], s:o, s:{s:i, s:i, s:f}, s:o, s:{s:o}, s:[], s:{s:s, s:[]}}",
					 "windows", windows, "actions", "gaps", gaps, "explained", "gaps", 1, "of", 1,
					 "ns_share", 0.98, "example", made_example(&made), "examples", cause,
					 made_example(&made), "kernel_log", "verdict", "state", "passed", "reasons"));
	if (made.untraced)
		json_object_set_new(result, "trace",
				    json_pack("{s:b, s:b, s:i, s:b}", "host", 0, "guest", 0, "events", 0,
					      "meter_instead", made.metered));
	return result;
}

#endif
