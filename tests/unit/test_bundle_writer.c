// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/bundle_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fs.h"
#include "common/json.h"
#include "host/manifest.h"

static int set_up(void **state)
{
	char *root = strdup("/tmp/vcpulat-test-XXXXXX");

	*state = root;
	return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
	fs_remove_tree(*state, NULL);
	free(*state);
	return 0;
}

static void test_names_do_not_clash(void **state)
{
	_cleanup_bundle_writer_ struct bundle_writer *a = NULL;
	_cleanup_bundle_writer_ struct bundle_writer *b = NULL;
	struct err err = { "" };

	assert_int_equal(bundle_writer_open(*state, "x", &a, &err), 0);
	assert_int_equal(bundle_writer_open(*state, "x", &b, &err), 0);
	assert_non_null(strstr(bundle_writer_dir(a), "/x"));
	assert_non_null(strstr(bundle_writer_dir(b), "/x-2"));
	assert_int_equal(bundle_writer_set_aside(a, &err), 0);
	assert_non_null(strstr(bundle_writer_dir(a), "/x-1" BUNDLE_STALLED));
	assert_true(fs_exists(bundle_writer_dir(a)));
	bundle_writer_close(b);
	assert_int_equal(bundle_writer_open(*state, "x", &b, &err), 0);
	assert_int_equal(bundle_writer_set_aside(b, &err), 0);
	assert_non_null(strstr(bundle_writer_dir(b), "/x-2" BUNDLE_STALLED));
}

static void test_seal(void **state)
{
	_cleanup_bundle_writer_ struct bundle_writer *w = NULL;
	const struct bundle_action action = { "primer", "mlock", "host", true, 1, 10, 20, 3, "ok", "plain 1000" };
	_cleanup_json_ json_t *manifest = json_pack("{s:s}", "schema", "vcpulat-bundle-1");
	_cleanup_json_ json_t *read = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *actions = NULL;
	_cleanup_free_ char *path = NULL;
	const json_t *files;
	char hex[65];
	struct err err = { "" };

	assert_int_equal(bundle_writer_open(*state, "x", &w, &err), 0);
	assert_int_equal(bundle_writer_action(w, &action, &err), 0);
	assert_int_equal(bundle_writer_json(w, "clock.json", json_pack("{s:b}", "stable", 1), &err), 0);
	assert_int_equal(bundle_writer_seal(w, manifest, &err), 0);
	path = bundle_writer_path(w, "manifest.json");
	assert_int_equal(json_read(path, &read, &err), 0);
	files = json_object_get(read, "files");
	assert_int_equal(json_object_size(files), 2);
	actions = bundle_writer_path(w, "stimuli.jsonl");
	assert_int_equal(fs_sha256(actions, hex, &err), 0);
	assert_string_equal(json_get_string(files, "stimuli.jsonl"), hex);
	assert_int_equal(fs_read_line(actions, &text, &err), 0);
	assert_string_equal(text,
			    "{\"role\":\"primer\",\"kind\":\"mlock\",\"layer\":\"host\",\"cpu\":1,\"t0\":10,\"t1\":20,"
			    "\"window\":3,\"result\":\"ok\",\"by\":\"probe\",\"detail\":\"plain 1000\"}");
}

static const char scenario_text[] = "description: x\nlayer: host\nshape: {guest: libvirt}\n"
				    "windows: {length: 5s, armed: 10s, control: 5s}\n"
				    "provokes: [host/kworker/vmstat_update]\n"
				    "primer: {kind: mlock, period: 1500ms}\n"
				    "limits: [{figure: penalty.max, below: 50us}]\n";

static json_t *make_manifest(const char *reason, const struct guest *guest, const json_t *arm)
{
	_cleanup_scenario_ struct scenario scenario = { 0 };
	const struct run_options options = { .command = "vcpulat run x",
					     .mode = MODE_FUNCTIONAL,
					     .cpus = { .measured = 3 } };
	_cleanup_measured_ struct measured measured = { .windows = json_array(),
							.stimulus_pids = json_object(),
							.missing_events = json_object(),
							.hz = 2000000000 };
	_cleanup_json_ json_t *facts = json_pack("{s:s, s:s}", "release", "6.1.192", "cmdline",
						 "quiet nohz_full=1 vcpulat.port=7 vcpulat.token=ab last=1");
	_cleanup_json_ json_t *retries = json_array();
	const struct manifest_params params = { .options = &options,
						.scenario = &scenario,
						.kind = GUEST_LIBVIRT,
						.guest = guest,
						.measured = &measured,
						.arm = arm,
						.host_facts = facts,
						.guest_facts = facts,
						.retries = retries,
						.start_utc = "a",
						.end_utc = "b",
						.reason = reason,
						.seed = 9 };

	assert_int_equal(scenario_parse("x", scenario_text, strlen(scenario_text), &scenario, NULL), 0);
	return manifest_make(&params);
}

static void test_manifest(void **state)
{
	const struct guest guest = { .vmm = 100, .vcpu_tid = 102 };
	_cleanup_json_ json_t *m = make_manifest(NULL, &guest, NULL);
	const json_t *arm = json_object_get(m, "arm");
	const json_t *measured = json_object_get(m, "measured");

	(void)state;
	assert_non_null(m);
	assert_string_equal(json_get_string(m, "schema"), "vcpulat-bundle-1");
	assert_string_equal(json_get_string(m, "status"), "complete");
	assert_string_equal(json_get_string(m, "guest"), "libvirt");
	assert_int_equal(json_get_u64(m, "seed"), 9);
	assert_int_equal(json_get_u64(m, "threshold_ns"), 20000);
	assert_int_equal(json_get_u64(json_array_get(json_object_get(m, "limits"), 0), "max_ns"), 50000);
	assert_string_equal(json_get_string(json_object_get(m, "scenario"), "text"), scenario_text);
	assert_int_equal(json_get_u64(measured, "host_cpu"), 3);
	assert_int_equal(json_get_u64(measured, "guest_cpu"), 1);
	assert_int_equal(json_get_u64(measured, "vcpu_tid"), 102);
	assert_string_equal(json_get_string(arm, "name"), "this-host");
	assert_string_equal(json_get_string(arm, "vcpu_policy"), "other");
	assert_string_equal(json_get_string(json_object_get(arm, "host"), "release"), "6.1.192");
	/* Port and token differ from run to run; two runs of one arm must still show the same command line. */
	assert_string_equal(json_get_string(json_object_get(arm, "guest"), "cmdline"), "quiet nohz_full=1 last=1");
}

static void test_manifest_of_an_interrupted_run(void **state)
{
	_cleanup_json_ json_t *arm =
		json_pack("{s:s, s:[s], s:{s:s, s:s}, s:s}", "name", "stock", "removes", "host/kworker/x", "host",
			  "kernel", "stock", "sha256", "ab", "vcpu_policy", "fifo");
	_cleanup_json_ json_t *m = make_manifest("interrupted", NULL, arm);
	const json_t *host = json_object_get(json_object_get(m, "arm"), "host");

	(void)state;
	assert_string_equal(json_get_string(m, "status"), "partial");
	assert_string_equal(json_get_string(m, "reason"), "interrupted");
	assert_string_equal(json_get_string(host, "sha256"), "ab");
	assert_string_equal(json_get_string(host, "release"), "6.1.192");
	assert_string_equal(json_get_string(json_object_get(m, "arm"), "vcpu_policy"), "fifo");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(m, "measured"), "guest_cpu")), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names_do_not_clash, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_seal, set_up, tear_down),
		cmocka_unit_test(test_manifest),
		cmocka_unit_test(test_manifest_of_an_interrupted_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
