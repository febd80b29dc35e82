// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/scenario.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fs.h"
#include "common/schema_strings.h"

#define HEAD "description: x\nlayer: host\n"
#define SHAPE "shape: {guest: [libvirt, none]}\n"
#define SHAPE_GUEST "shape: {guest: libvirt}\n"
#define WINDOWS "windows: {length: 5s, armed: 10s, control: 5s}\n"
#define PROVOKES "provokes: [host/kworker/vmstat_update]\n"
#define PRIMER "primer: {kind: mlock, period: 1500ms, unstick: 12ms}\n"
#define GOOD HEAD SHAPE WINDOWS PROVOKES PRIMER

static int parse(const char *text, struct scenario *ret, struct err *err)
{
	return scenario_parse("x", text, strlen(text), ret, err);
}

static void test_defaults(void **state)
{
	_cleanup_scenario_ struct scenario s = { 0 };
	struct err err = { "" };

	(void)state;
	assert_int_equal(parse(GOOD, &s, &err), 0);
	assert_string_equal(s.name, "x");
	assert_string_equal(s.text, GOOD);
	assert_int_equal(s.layer, LAYER_HOST);
	assert_int_equal(s.shape.guests, 1U << GUEST_LIBVIRT | 1U << GUEST_NONE);
	assert_int_equal(s.shape.guest_memory_bytes, 384ULL << 20);
	assert_int_equal(s.shape.host_cpus, 2);
	assert_int_equal(s.shape.host_cmdline.count, 0);
	assert_true(s.has_primer);
	assert_false(s.has_stimulus);
	assert_int_equal(s.primer.layer, LAYER_HOST);
	assert_int_equal(s.primer.period_ns, 1500000000);
	assert_int_equal(s.primer.unstick_ns, 12000000);
	assert_int_equal(s.probe.threshold_ns, 20000);
	assert_int_equal(s.time_limit_ns, 300000000000);
}

static void test_command_line(void **state)
{
	static const char text[] =
		HEAD "shape: {guest: none, host: {cmdline: [cma=64M, numa=fake=2]}}\n" WINDOWS PROVOKES PRIMER;
	_cleanup_scenario_ struct scenario s = { 0 };
	struct err err = { "" };

	(void)state;
	assert_int_equal(parse(text, &s, &err), 0);
	assert_int_equal(s.shape.host_cmdline.count, 2);
	assert_string_equal(s.shape.host_cmdline.item[0], "cma=64M");
	assert_string_equal(s.shape.host_cmdline.item[1], "numa=fake=2");
}

static void test_lists(void **state)
{
	static const char text[] = GOOD "settings:\n  - {path: /proc/sys/vm/stat_interval, value: \"1\"}\n"
					"  - {path: /sys/kernel/mm/x, value: never, optional: yes}\n"
					"events:\n  - {layer: guest, name: \"kmem:mm_page_free\"}\n"
					"limits:\n  - {figure: penalty.max, below: 50us}\n"
					"checks:\n  - {path: /proc/sys/vm/swappiness, equals: \"60\"}\n"
					"  - {path: /proc/sys/vm/compact_memory}\n";
	_cleanup_scenario_ struct scenario s = { 0 };
	const struct scenario_setting *setting;
	const struct scenario_event *event;
	const struct scenario_limit *limit;
	const struct scenario_check *check;
	struct err err = { "" };

	(void)state;
	assert_int_equal(parse(text, &s, &err), 0);
	assert_int_equal(s.settings.count, 2);
	setting = s.settings.item;
	assert_string_equal(setting[0].value, "1");
	assert_false(setting[0].optional);
	assert_true(setting[1].optional);
	event = s.events.item;
	assert_int_equal(event[0].layer, LAYER_GUEST);
	assert_string_equal(event[0].filter, "CPU == @");
	check = s.checks.item;
	assert_string_equal(check[0].equals, "60");
	assert_string_equal(check[1].equals, "");
	limit = s.limits.item;
	assert_int_equal(limit[0].figure, FIGURE_PENALTY_MAX);
	assert_int_equal(limit[0].below_ns, 50000);
}

struct bad {
	const char *text;
	const char *word; /* that the message must contain */
};

static const struct bad bad[] = {
	{ HEAD SHAPE WINDOWS PROVOKES, "neither primer nor stimulus" },
	{ HEAD SHAPE WINDOWS PRIMER "provokes: []\n", "provokes" },
	{ HEAD SHAPE WINDOWS PRIMER "provokes: [kworker/vmstat_update]\n", "host/ or guest/" },
	{ HEAD SHAPE WINDOWS PRIMER "provokes: [host/kwork/vmstat_update]\n", "cause 'host/kwork/vmstat_update'" },
	{ HEAD SHAPE WINDOWS PRIMER "provokes: [host/kworker]\n", "cause 'host/kworker'" },
	{ HEAD SHAPE WINDOWS PRIMER "provokes: [host/stimulus, host/stimulus/x]\n", "cause 'host/stimulus/x'" },
	{ HEAD SHAPE PROVOKES PRIMER, "windows" },
	{ HEAD SHAPE WINDOWS PROVOKES "stimulus: {kind: storm, period: 1s, params: [drain=drain, value=1]}\n",
	  "x: stimulus.params: storm takes no 'value'" },
	{ HEAD SHAPE WINDOWS PROVOKES "primer: {kind: migrate, period: 1s, params: [\"pid=@vmm\"]}\n", "@vmm" },
	{ HEAD SHAPE WINDOWS PROVOKES "primer: {kind: fault, period: 1s, params: [page=8]}\n", "takes no 'page'" },
	{ HEAD SHAPE WINDOWS PROVOKES "primer: {kind: fault, period: 1s, params: [ages=8]}\n", "takes no 'ages'" },
	{ HEAD "shape: {guest: []}\n" WINDOWS PROVOKES PRIMER, "guest" },
	{ HEAD "shape: {guest: qemu}\n" WINDOWS PROVOKES PRIMER, "libvirt" },
	{ HEAD "shape: {guest: none, host: {cpus: 2, isolated: 2}}\n" WINDOWS PROVOKES PRIMER, "housekeeping" },
	{ HEAD "shape: {guest: none, host: {memory: 2GiB, node1: 2GiB}}\n" WINDOWS PROVOKES PRIMER, "node 0" },
	{ HEAD "shape: {guest: none, vcpu_policy: fifo}\n" WINDOWS PROVOKES PRIMER, "would never run" },
	{ HEAD "shape: {guest: libvirt, guest_shared: 3MiB}\n" WINDOWS PROVOKES PRIMER, "power of two" },
	{ HEAD "shape: {guest: libvirt, guest_pluggable: 64MiB}\n" WINDOWS PROVOKES PRIMER, "multiple of 128 MiB" },
	{ HEAD "shape: {guest: libvirt, guest_mergeable: yes}\n" WINDOWS PROVOKES PRIMER,
	  "guest_shared, which is missing" },
	{ HEAD SHAPE WINDOWS PROVOKES "primer: {kind: mlock, layer: guest, period: 1s}\n", "none" },
	{ HEAD SHAPE WINDOWS PROVOKES "primer: {kind: dance, period: 1s}\n", "mlock" },
	{ HEAD SHAPE WINDOWS PROVOKES "primer: {kind: mlock}\n", "period" },
	{ HEAD SHAPE WINDOWS PROVOKES "primer: {kind: mlock, period: 100ms, unstick: 200ms}\n", "unstick" },
	{ HEAD SHAPE WINDOWS PROVOKES "primer: {kind: mlock, period: 1s, params: [pages]}\n", "name=value" },
	{ HEAD SHAPE WINDOWS PROVOKES
	  "primer: {kind: mlock, by: task, period: 1s}\nstimulus: {kind: spin, by: probe, period: 1s}\n",
	  "stimulus.by" },
	{ HEAD "shape: {guest: [none, libvirt]}\n" WINDOWS PROVOKES "primer: {kind: mlock, by: probe, period: 1s}\n",
	  "must be none" },
	{ HEAD "shape: {guest: none}\n" WINDOWS PROVOKES "primer: {kind: mlock, by: probe, period: 1s, unstick: 1ms}\n",
	  "unstick" },
	{ HEAD "shape: {guest: bare}\n" WINDOWS PROVOKES PRIMER "probe: {kind: timer}\n", "probe.kind" },
	{ HEAD "shape: {guest: bare}\n" WINDOWS PROVOKES "primer: {kind: mlock, layer: guest, period: 1s}\n",
	  "its primer acts in the guest" },
	{ HEAD "shape: {guest: bare}\n" WINDOWS PROVOKES "primer: {kind: mlock, by: probe, period: 1s}\n",
	  "must be none" },
	{ HEAD "shape: {guest: bare}\n" WINDOWS PROVOKES PRIMER
	       "stimulus: {kind: stat_refresh, layer: guest, period: 1s}\n",
	  "stimulus.layer is guest" },
	{ HEAD "shape: {guest: bare}\n" WINDOWS PROVOKES PRIMER
	       "stimulus: {kind: migrate, period: 1s, params: [\"pid=@vmm\", pages=8]}\n",
	  "memory of @vmm" },
	{ HEAD "shape: {guest: bare}\n" WINDOWS PROVOKES PRIMER "events: [{layer: guest, name: \"kmem:x\"}]\n",
	  "an event is the guest's" },
	{ HEAD "shape: {guest: bare}\n" WINDOWS PROVOKES PRIMER
	       "settings:\n  - {layer: guest, path: /sys/x, value: \"1\"}\n",
	  "a setting is the guest's" },
	{ HEAD SHAPE PROVOKES PRIMER "windows: {length: 60s, armed: 10s, control: 5s}\n", "length" },
	{ HEAD SHAPE PROVOKES PRIMER "windows: {length: 60s, armed: 10min, control: 5s}\n", "time_limit" },
	{ "description: x\nlayer: guest\n" SHAPE WINDOWS PROVOKES PRIMER, "layer is guest" },
	{ GOOD "settings:\n  - {path: /etc/passwd, value: \"1\"}\n", "/etc/passwd" },
	{ GOOD "settings:\n  - {path: /sys/../etc/passwd, value: \"1\"}\n", "/etc/passwd" },
	{ GOOD "settings:\n  - {layer: guest, path: /sys/x, value: \"1\"}\n", "none" },
	{ GOOD "surprise: 1\n", "surprise" },
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_scenario_ struct scenario s = { 0 };
		struct err err = { "" };

		assert_int_equal(parse(bad[i].text, &s, &err), -EINVAL);
		if (!strstr(err.msg, bad[i].word))
			fail_msg("case %zu: '%s' lacks '%s'", i, err.msg, bad[i].word);
	}
}

static void test_guest_layer_needs_a_guest(void **state)
{
	static const char text[] =
		"description: x\nlayer: guest\n" SHAPE_GUEST WINDOWS "provokes: [guest/kworker/vmstat_update]\n"
		"primer: {kind: mlock, layer: guest, period: 1s}\n"
		"settings:\n  - {layer: guest, path: /proc/sys/vm/stat_interval, value: \"1\"}\n";
	_cleanup_scenario_ struct scenario s = { 0 };
	struct err err = { "" };

	(void)state;
	assert_int_equal(parse(text, &s, &err), 0);
}

static void test_guests_on_request(void **state)
{
	static const char guest[] =
		"description: x\nlayer: guest\n" SHAPE_GUEST WINDOWS "provokes: [guest/kworker/vmstat_update]\n"
		"primer: {kind: mlock, layer: guest, period: 1s}\n";
	static const char listed[] =
		"description: x\nlayer: host\n" SHAPE_GUEST WINDOWS "provokes: [host/kworker/refresh_vm_stats]\n"
		"stimulus: {kind: stat_refresh, layer: host, period: 1s}\n";
	_cleanup_scenario_ struct scenario host_s = { 0 };
	_cleanup_scenario_ struct scenario listed_s = { 0 };
	_cleanup_scenario_ struct scenario guest_s = { 0 };
	struct err err = { "" };

	(void)state;
	assert_int_equal(parse(GOOD, &host_s, &err), 0);
	assert_int_equal(scenario_allow_guests(&host_s, 1U << GUEST_BARE, &err), 0);
	assert_int_equal(host_s.shape.guests, 1U << GUEST_LIBVIRT | 1U << GUEST_NONE | 1U << GUEST_BARE);
	assert_int_equal(parse(listed, &listed_s, &err), 0);
	assert_int_equal(scenario_allow_guests(&listed_s, 1U << GUEST_NONE, &err), 0);
	assert_int_equal(listed_s.shape.guests, 1U << GUEST_LIBVIRT | 1U << GUEST_NONE);
	assert_int_equal(parse(guest, &guest_s, &err), 0);
	assert_int_equal(scenario_allow_guests(&guest_s, 1U << GUEST_BARE, &err), -EINVAL);
	assert_non_null(
		strstr(err.msg, "x: not in a bare guest, which has no kernel and next to no memory: layer is guest"));
	assert_int_equal(scenario_allow_guests(&guest_s, 1U << GUEST_NONE, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "x: layer is guest, so shape.guest cannot contain none"));
	assert_int_equal(guest_s.shape.guests, 1U << GUEST_LIBVIRT);
}

static void test_ours_load(void **state)
{
	_cleanup_(schema_strings_clear) struct schema_strings names = { 0 };
	struct err err = { "" };

	(void)state;
	assert_int_equal(scenario_list(&names, &err), 0);
	assert_true(names.count >= 3);
	for (size_t i = 0; i < names.count; i++) {
		_cleanup_scenario_ struct scenario s = { 0 };

		if (scenario_load(names.item[i], &s, &err) != 0)
			fail_msg("%s", err.msg);
		assert_string_equal(s.name, names.item[i]);
	}
}

static void test_unknown_name_lists_the_known(void **state)
{
	_cleanup_scenario_ struct scenario s = { 0 };
	struct err err = { "" };

	(void)state;
	assert_int_equal(scenario_load("no-such", &s, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "vmstat-host"));
	assert_non_null(strstr(err.msg, "watermark-drift"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_command_line),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_guest_layer_needs_a_guest),
		cmocka_unit_test(test_guests_on_request),
		cmocka_unit_test(test_ours_load),
		cmocka_unit_test(test_unknown_name_lists_the_known),
	};

	setenv("VCPULAT_DATA", ".", 0); /* run from the top of the tree */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
