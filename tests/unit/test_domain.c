// SPDX-License-Identifier: GPL-2.0-or-later
/* What goes to libvirt, and what an agent is asked to trace. */
#include "host/domain.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fs.h"
#include "common/json.h"
#include "host/capture.h"
#include "host/paths.h"

static const struct domain_params params = {
	.name = "vcpulat-test",
	.memory = { .bytes = 384ULL << 20 },
	.vcpus = 3,
	.measured_cpu = 5,
	.housekeeping = "0,2-3",
	.kernel = "/run/k",
	.initramfs = "/run/i",
	.cmdline = "a='b' <&>",
	.serial_path = "/run/s",
};

static void test_template(void **state)
{
	_cleanup_free_ char *dir = paths_guest_dir();
	_cleanup_free_ char *path = str_printf("%s/domain.xml.in", dir);
	_cleanup_free_ char *template = NULL;
	_cleanup_free_ char *xml = NULL;
	struct err err = { "" };

	(void)state;
	assert_int_equal(fs_read(path, 65536, &template, NULL, &err), 0);
	assert_int_equal(domain_xml(template, &params, &xml, &err), 0);
	assert_non_null(strstr(xml, "<name>vcpulat-test</name>"));
	assert_non_null(strstr(xml, "<memory unit='KiB'>393216</memory>"));
	assert_non_null(strstr(xml, "<vcpupin vcpu='0' cpuset='0,2-3'/>"));
	assert_non_null(strstr(xml, "<vcpupin vcpu='1' cpuset='5'/>"));
	assert_non_null(strstr(xml, "<vcpupin vcpu='2' cpuset='0,2-3'/>"));
	assert_non_null(strstr(xml, "<emulatorpin cpuset='0,2-3'/>"));
	assert_non_null(strstr(xml, "a=&apos;b&apos; &lt;&amp;&gt;"));
	assert_null(strstr(xml, "vcpusched"));
	assert_null(strstr(xml, "shmem"));
	assert_null(strstr(xml, "virtio-mem"));
	assert_null(strchr(xml, '@'));
}

static void test_fifo(void **state)
{
	struct domain_params fifo = params;
	_cleanup_free_ char *xml = NULL;

	(void)state;
	fifo.fifo = true;
	assert_int_equal(domain_xml("<x>@VCPUSCHED@</x>", &fifo, &xml, NULL), 0);
	assert_non_null(strstr(xml, "<vcpusched vcpus='1' scheduler='fifo' priority='1'/>"));
}

static void test_shared(void **state)
{
	struct domain_params shared = params;
	_cleanup_free_ char *xml = NULL;

	(void)state;
	shared.memory.shared_bytes = 4ULL << 20;
	assert_int_equal(domain_xml("<x>@SHMEM@</x>", &shared, &xml, NULL), 0);
	assert_non_null(strstr(xml, "<shmem name='vcpulat-test'><model type='ivshmem-plain'/><size unit='M'>4</size>"));
}

/* The same device, at the same place. */
static void test_mergeable(void **state)
{
	struct domain_params mergeable = params;
	_cleanup_free_ char *xml = NULL;
	_cleanup_free_ char *none = NULL;

	(void)state;
	assert_int_equal(domain_xml("<x>@MERGEABLE@</x>", &mergeable, &none, NULL), 0);
	assert_string_equal(none, "<x></x>");
	mergeable.memory.shared_bytes = 4ULL << 20;
	mergeable.memory.mergeable = true;
	assert_int_equal(domain_xml("<x>@SHMEM@|@MERGEABLE@</x>", &mergeable, &xml, NULL), 0);
	assert_non_null(strstr(xml, "<x>|  <memoryBacking><nosharepages/></memoryBacking>"));
	assert_non_null(strstr(xml, "memory-backend-ram,id=mergeable,merge=on,size=4M"));
	assert_non_null(strstr(xml, "ivshmem-plain,memdev=mergeable,bus=pcie.0,addr=0x10"));
}

/* Its node holds the rest of the guest's memory. */
static void test_pluggable(void **state)
{
	static const char template[] = "<x>@MAXMEMORY@|@NUMA@|@PLUGGABLE@</x>";
	struct domain_params pluggable = params;
	_cleanup_free_ char *xml = NULL;
	_cleanup_free_ char *none = NULL;

	(void)state;
	assert_int_equal(domain_xml(template, &pluggable, &none, NULL), 0);
	assert_string_equal(none, "<x>||</x>");
	pluggable.memory.pluggable_bytes = 128ULL << 20;
	assert_int_equal(domain_xml(template, &pluggable, &xml, NULL), 0);
	assert_non_null(strstr(xml, "<maxMemory slots='1' unit='KiB'>524288</maxMemory>"));
	assert_non_null(strstr(xml, "<cell id='0' cpus='0-2' memory='393216' unit='KiB'/>"));
	assert_non_null(strstr(xml, "<memory model='virtio-mem'><target><size unit='MiB'>128</size><node>0</node>"));
	assert_non_null(strstr(xml, "<requested unit='MiB'>0</requested>"));
}

static void test_unknown_placeholder(void **state)
{
	_cleanup_free_ char *xml = NULL;
	struct err err = { "" };

	(void)state;
	assert_int_equal(domain_xml("<x>@WHAT@</x>", &params, &xml, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "@WHAT@"));
	assert_null(xml);
	assert_int_equal(domain_xml("a@b.c <!-- @WHAT@ -->", &params, &xml, &err), 0);
	assert_string_equal(xml, "a@b.c ");
}

static const json_t *find_event(const json_t *request, const char *name)
{
	const json_t *event;
	size_t i;

	json_array_foreach (json_object_get(request, "events"), i, event)
		if (strcmp(json_get_string(event, "name"), name) == 0)
			return event;
	return NULL;
}

static void test_capture_request(void **state)
{
	struct scenario_event extra[] = { { LAYER_HOST, (char *)"kmem:x", (char *)"CPU == @", false },
					  { LAYER_GUEST, (char *)"kmem:y", (char *)"", false },
					  { LAYER_GUEST, (char *)"workqueue:workqueue_queue_work", (char *)"cpu == @",
					    true },
					  { LAYER_HOST, (char *)"vcpulat_call:z", (char *)"CPU == @", false } };
	const struct schema_list list = { extra, 4 };
	_cleanup_json_ json_t *host = capture_request(LAYER_HOST, 12, 60ULL * 1000000000, &list);
	_cleanup_json_ json_t *guest = capture_request(LAYER_GUEST, 1, 3600ULL * 1000000000, &list);

	(void)state;
	assert_string_equal(json_get_string(host, "op"), "capture.start");
	assert_string_equal(json_get_string(find_event(host, "sched:sched_switch"), "filter"), "CPU == 12");
	assert_string_equal(json_get_string(find_event(host, "workqueue:workqueue_queue_work"), "filter"),
			    "CPU == 12 || cpu == 12");
	assert_string_equal(json_get_string(find_event(host, "kvm:kvm_write_tsc_offset"), "filter"), "");
	assert_string_equal(json_get_string(find_event(host, "kmem:x"), "filter"), "CPU == 12");
	assert_null(find_event(host, "kmem:y"));
	assert_string_equal(json_get_string(find_event(host, "vcpulat_call:z"), "filter"), "CPU == 12");
	assert_string_equal(json_get_string(find_event(host, "vcpulat_return:z"), "filter"), "CPU == 12");
	assert_null(find_event(guest, "vcpulat_return:z"));
	assert_null(find_event(guest, "kvm:kvm_entry"));
	assert_non_null(find_event(guest, "kmem:y"));
	assert_true(json_is_false(json_object_get(find_event(host, "workqueue:workqueue_queue_work"), "stack")));
	assert_true(json_is_true(json_object_get(find_event(guest, "workqueue:workqueue_queue_work"), "stack")));
	assert_string_equal(json_get_string(find_event(guest, "workqueue:workqueue_queue_work"), "filter"), "cpu == 1");
	assert_in_range(json_get_u64(host, "buffer_kib"), 8192, 65536);
	assert_in_range(json_get_u64(guest, "buffer_kib"), 4096, 65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_template),	cmocka_unit_test(test_fifo),
		cmocka_unit_test(test_shared),		cmocka_unit_test(test_mergeable),
		cmocka_unit_test(test_pluggable),	cmocka_unit_test(test_unknown_placeholder),
		cmocka_unit_test(test_capture_request),
	};

	setenv("VCPULAT_DATA", ".", 0); /* run from the top of the tree */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
