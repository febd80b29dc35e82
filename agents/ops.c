// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/agent.h"
#include "agents/capture.h"
#include "agents/cycles.h"
#include "agents/facts.h"
#include "agents/nudge.h"
#include "agents/probe.h"
#include "agents/stimulus.h"
#include "agents/tracedat.h"
#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/link.h"
#include "common/printk.h"
#include "common/tsc.h"

#define SEND_TIMEOUT_MS 60000
#define KLOG_SIZE 10
#define PROBE_CAPACITY 65536
#define BUFFER_KIB 4096

static void set_u64(json_t *object, const char *key, uint64_t value)
{
	json_object_set_new(object, key, json_integer((json_int_t)value));
}

static uint64_t agent_hz(struct agent *a)
{
	if (!a->hz)
		a->hz = cycles_measure();
	return a->hz;
}

/* A member that may be missing or is -1, unlike those json_get_u64() reads. */
static int get_cpu(const json_t *request)
{
	const json_t *cpu = json_object_get(request, "cpu");

	return json_is_integer(cpu) ? (int)json_integer_value(cpu) : -1;
}

static int send_file(struct agent *a, int fd, json_t *reply, struct err *err)
{
	off_t bytes;
	int ret = link_send_data(a->link_fd, fd, SEND_TIMEOUT_MS);

	if (ret < 0)
		return err_sys(err, ret, "sending a file");
	bytes = lseek(fd, 0, SEEK_CUR);
	if (bytes >= 0)
		set_u64(reply, "bytes", (uint64_t)bytes);
	return 0;
}

/* A file without a name: nobody has to remove it. */
static int open_scratch(struct err *err)
{
	const char *dir = getenv("TMPDIR");
	int fd = open(dir ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? err_sys(err, -errno, "cannot create a file in '%s'", dir ? dir : "/tmp") : fd;
}

static int send_scratch(struct agent *a, int fd, json_t *reply, struct err *err)
{
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, -errno, "sending a file");
	return send_file(a, fd, reply, err);
}

static int op_facts(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	json_t *facts = facts_collect();

	(void)a;
	(void)request;
	if (!facts)
		return err_sys(err, -ENOMEM, "facts");
	json_object_set_new(reply, "facts", facts);
	return 0;
}

static int op_file(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	const char *path = json_get_string(request, "path");
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, -errno, "cannot open '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "cannot send '%s': not a regular file", path);
	return send_file(a, fd, reply, err);
}

static int op_dmesg(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	int size = klogctl(KLOG_SIZE, NULL, 0);
	_cleanup_free_ char *text = malloc(size > 0 ? (size_t)size : 1);
	_cleanup_close_ int fd = open_scratch(err);
	int n;
	int ret;

	(void)request;
	if (fd < 0)
		return fd;
	n = size > 0 && text ? klogctl(KLOG_READ_ALL, text, size) : -1;
	if (n < 0)
		return err_sys(err, -errno, "cannot read the kernel's log");
	ret = fs_write_all(fd, text, (size_t)n);
	return ret < 0 ? err_sys(err, ret, "storing the kernel's log") : send_scratch(a, fd, reply, err);
}

static int op_symbols(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	_cleanup_close_ int fd = open_scratch(err);
	int ret;

	(void)request;
	if (fd < 0)
		return fd;
	ret = symbols_read(&a->symbols, err);
	if (ret < 0)
		return ret;
	ret = fs_write_all(fd, a->symbols.text, a->symbols.bytes);
	return ret < 0 ? err_sys(err, ret, "storing the kernel's symbols") : send_scratch(a, fd, reply, err);
}

/* A file that can only be written is there, too: then there is no text. */
static int op_read(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	const char *path = json_get_string(request, "path");
	_cleanup_free_ char *text = NULL;

	(void)a;
	if (!fs_exists(path))
		return err_sys(err, -ENOENT, "cannot read '%s'", path);
	if (fs_read_line(path, &text, NULL) == 0)
		json_object_set_new(reply, "text", json_string(text));
	return 0;
}

static int op_write(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	const char *path = json_get_string(request, "path");
	_cleanup_free_ char *old = NULL;
	json_t *text;

	(void)a;
	if (!fs_exists(path)) /* there, open() with O_CREAT fails with other words */
		return err_sys(err, -ENOENT, "cannot write '%s'", path);
	if (fs_read_line(path, &old, NULL) < 0)
		old = strdup(""); /* can be written only */
	text = json_string(old ? old : "");
	json_object_set_new(reply, "old", text ? text : json_string(""));
	return fs_write(path, json_get_string(request, "value"), err);
}

static int op_clock(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	(void)request;
	(void)err;
	set_u64(reply, "hz", agent_hz(a));
	set_u64(reply, "tsc", tsc_read());
	return 0;
}

static int op_capture_start(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	const json_t *events = json_object_get(request, "events");
	uint64_t kib = json_get_u64(request, "buffer_kib");
	json_t *missing = json_array();

	json_object_set_new(reply, "missing", missing);
	if (a->capture)
		return err_set(err, -EBUSY, "events are being recorded already");
	if (!json_is_array(events) || json_array_size(events) == 0)
		return err_set(err, -EINVAL, "no events to record");
	if (kib > 1 << 20)
		return err_set(err, -EINVAL, "buffer of %llu KiB a CPU: at most 1 GiB", (unsigned long long)kib);
	return capture_start(events, kib ? (unsigned int)kib : BUFFER_KIB, missing, &a->capture, err);
}

static int op_capture_stop(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	struct capture_counts counts;
	int ret;

	(void)request;
	if (!a->capture)
		return err_set(err, -ENODATA, "no events are being recorded");
	ret = capture_stop(a->capture, &counts, err);
	if (ret < 0)
		return ret;
	set_u64(reply, "events", counts.events);
	set_u64(reply, "lost", counts.lost);
	return 0;
}

/* A file that nobody gave a number gets one that no other file has. */
static int read_link(const json_t *request, struct tracedat_link *link, struct err *err)
{
	const json_t *vcpus = json_object_get(request, "vcpus");
	json_t *vcpu;
	size_t i;

	link->trace_id = json_get_u64(request, "trace_id");
	link->trace_id = link->trace_id ? link->trace_id : tsc_read();
	link->peer_id = json_get_u64(request, "peer_id");
	link->is_guest = json_is_true(json_object_get(request, "is_guest"));
	if (json_array_size(vcpus) > TRACEDAT_MAX_VCPUS)
		return err_set(err, -EINVAL, "%zu vCPUs: at most %d", json_array_size(vcpus), TRACEDAT_MAX_VCPUS);
	json_array_foreach (vcpus, i, vcpu)
		link->vcpu[link->vcpus++] = (struct tracedat_vcpu){
			.shift = json_integer_value(json_object_get(vcpu, "shift")),
			.tid = (int32_t)json_get_u64(vcpu, "tid"),
		};
	return 0;
}

static int op_capture_fetch(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	_cleanup_close_ int fd = open_scratch(err);
	struct tracedat_link link = { 0 };
	int ret;

	if (fd < 0)
		return fd;
	if (!a->capture)
		return err_set(err, -ENODATA, "no events were recorded");
	symbols_read(&a->symbols, NULL); /* addresses without names are still addresses */
	ret = read_link(request, &link, err);
	if (ret == 0)
		ret = capture_write(a->capture, &a->symbols, &link, fd, err);
	if (ret == 0)
		ret = send_scratch(a, fd, reply, err);
	if (ret < 0)
		return ret;
	capture_free(a->capture);
	a->capture = NULL;
	return 0;
}

static int read_policy(const json_t *request, struct probe_options *o, struct err *err)
{
	const char *policy = json_get_string(request, "policy");

	o->priority = (int)json_get_u64(request, "priority");
	if (strcmp(policy, "fifo") != 0) {
		o->policy = SCHED_OTHER;
		return policy[0] == '\0' || strcmp(policy, "other") == 0
			       ? 0
			       : err_set(err, -EINVAL, "policy '%s': other and fifo are known", policy);
	}
	o->policy = SCHED_FIFO;
	if (o->priority == 0)
		o->priority = 1;
	return o->priority <= 99 ? 0 : err_set(err, -EINVAL, "priority %d: 1 to 99 are possible", o->priority);
}

static int op_probe_start(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	struct probe_options o = {
		.kind = json_get_string(request, "kind"),
		.cpu = get_cpu(request),
		.threshold_ns = json_get_u64(request, "threshold_ns"),
		.interval_ns = json_get_u64(request, "interval_ns"),
		.capacity = json_get_u64(request, "capacity"),
		.act = json_get_string(request, "act"),
		.act_params = json_object_get(request, "params"),
		.hz = agent_hz(a),
	};
	int ret = read_policy(request, &o, err);

	if (ret < 0)
		return ret;
	if (probe_running(a->probe))
		return err_set(err, -EBUSY, "a probe runs already");
	probe_free(a->probe);
	a->probe = NULL;
	if (o.capacity == 0)
		o.capacity = PROBE_CAPACITY;
	ret = probe_start(&o, &a->housekeeping, &a->probe, err);
	if (ret < 0)
		return ret;
	set_u64(reply, "hz", o.hz);
	set_u64(reply, "loop_cycles", probe_header(a->probe)->loop_cycles);
	set_u64(reply, "tid", (uint64_t)probe_pid(a->probe));
	return 0;
}

static void put_shot(json_t *reply, const struct stimulus_shot *shot)
{
	set_u64(reply, "t0", shot->t0);
	set_u64(reply, "t1", shot->t1);
	json_object_set_new(reply, "result", json_string(shot->result ? strerror(-shot->result) : "ok"));
	if (shot->detail[0])
		json_object_set_new(reply, "detail", json_string(shot->detail));
}

static int op_probe_act(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	struct stimulus_shot shot;
	int ret;

	if (!a->probe)
		return err_set(err, -ENODATA, "there is no probe");
	ret = probe_act(a->probe, json_is_true(json_object_get(request, "sham")), &shot, err);
	if (ret == 0)
		put_shot(reply, &shot);
	return ret;
}

static int op_probe_status(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	struct probe_counts counts;

	(void)request;
	if (!a->probe)
		return err_set(err, -ENODATA, "there is no probe");
	counts = probe_count(a->probe);
	set_u64(reply, "gaps", counts.gaps);
	set_u64(reply, "lost", counts.lost);
	set_u64(reply, "turns", counts.turns);
	return 0;
}

static int op_probe_stop(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	int ret = a->probe ? probe_stop(a->probe, err) : 0;

	return ret < 0 ? ret : op_probe_status(a, request, reply, err);
}

static int op_probe_fetch(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	_cleanup_close_ int fd = open_scratch(err);
	int ret;

	(void)request;
	if (fd < 0)
		return fd;
	if (!a->probe)
		return err_set(err, -ENODATA, "there is no probe");
	ret = probe_write(a->probe, fd);
	if (ret < 0)
		return err_sys(err, ret, "cannot store the probe's records");
	return send_scratch(a, fd, reply, err);
}

static int op_stimulus_prepare(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	const struct stimulus_options o = {
		.kind = json_get_string(request, "kind"),
		.cpu = get_cpu(request),
		.housekeeping = &a->housekeeping,
		.params = json_object_get(request, "params"),
		.hz = agent_hz(a),
	};
	int ret;

	if (a->stimuli == AGENT_STIMULI_MAX)
		return err_set(err, -ENOSPC, "an agent prepares at most %d stimuli", AGENT_STIMULI_MAX);
	ret = stimulus_new(&o, &a->stimulus[a->stimuli], err);
	if (ret < 0)
		return ret;
	set_u64(reply, "pid", (uint64_t)stimulus_pid(a->stimulus[a->stimuli]));
	set_u64(reply, "id", (uint64_t)a->stimuli++);
	return 0;
}

static int op_stimulus_fire(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	uint64_t id = json_get_u64(request, "id");
	uint64_t ms = json_get_u64(request, "ms");
	bool sham = json_is_true(json_object_get(request, "sham"));
	struct stimulus_shot shot;
	int ret;

	if (id >= (uint64_t)a->stimuli)
		return err_set(err, -EINVAL, "stimulus %llu was not prepared", (unsigned long long)id);
	ret = stimulus_fire(a->stimulus[id], sham, ms > UINT32_MAX ? UINT32_MAX : (unsigned int)ms, &shot, err);
	if (ret == 0)
		put_shot(reply, &shot);
	return ret;
}

static void free_stimuli(struct agent *a)
{
	for (int i = 0; i < a->stimuli; i++)
		stimulus_free(a->stimulus[i]);
	a->stimuli = 0;
}

static int op_stimulus_clear(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	(void)request;
	(void)reply;
	(void)err;
	free_stimuli(a);
	return 0;
}

static int op_nudge_start(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	(void)reply;
	if (a->nudge)
		return err_set(err, -EBUSY, "a CPU is being nudged already");
	return nudge_start(get_cpu(request), (unsigned int)json_get_u64(request, "hz"), &a->housekeeping, &a->nudge,
			   err);
}

static int op_nudge_stop(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	(void)request;
	(void)reply;
	(void)err;
	nudge_free(a->nudge);
	a->nudge = NULL;
	return 0;
}

static int op_quit(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	(void)request;
	(void)reply;
	(void)err;
	a->quit = true;
	return 0;
}

static const struct op {
	const char *name;
	/* Adds to the reply; sends DATA itself. Returns 0 or -errno with err set. */
	int (*fn)(struct agent *a, const json_t *request, json_t *reply, struct err *err);
} ops[] = {
	{ "facts", op_facts },
	{ "file", op_file },
	{ "dmesg", op_dmesg },
	{ "symbols", op_symbols },
	{ "read", op_read },
	{ "write", op_write },
	{ "clock", op_clock },
	{ "capture.start", op_capture_start },
	{ "capture.stop", op_capture_stop },
	{ "capture.fetch", op_capture_fetch },
	{ "probe.start", op_probe_start },
	{ "probe.act", op_probe_act },
	{ "probe.status", op_probe_status },
	{ "probe.stop", op_probe_stop },
	{ "probe.fetch", op_probe_fetch },
	{ "stimulus.prepare", op_stimulus_prepare },
	{ "stimulus.fire", op_stimulus_fire },
	{ "stimulus.clear", op_stimulus_clear },
	{ "nudge.start", op_nudge_start },
	{ "nudge.stop", op_nudge_stop },
	{ "quit", op_quit },
};

static int run_op(struct agent *a, const json_t *request, json_t *reply, struct err *err)
{
	const char *name = json_get_string(request, "op");

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		if (strcmp(ops[i].name, name) == 0)
			return ops[i].fn(a, request, reply, err);
	return err_set(err, -ENOSYS, "operation '%s' is unknown", name);
}

static int answer(struct agent *a, const json_t *request, struct err *err)
{
	_cleanup_json_ json_t *reply = json_object();
	struct err failure = { "" };
	int ret = run_op(a, request, reply, &failure);

	json_object_set_new(reply, "ok", json_boolean(ret == 0));
	if (ret < 0) {
		json_object_set_new(reply, "errno", json_integer(-ret));
		json_object_set_new(reply, "error", json_string(failure.msg));
	}
	ret = link_send(a->link_fd, reply, SEND_TIMEOUT_MS);
	return ret < 0 ? err_sys(err, ret, "answering the controller") : 0;
}

int ops_serve(struct agent *agent, struct err *err)
{
	json_t *request;
	int ret = 0;

	while (ret == 0 && !agent->quit) {
		ret = link_receive(agent->link_fd, NULL, -1, &request, err);
		if (ret < 0)
			break;
		ret = answer(agent, request, err);
		json_decref(request);
	}
	return ret;
}

void ops_done(struct agent *agent)
{
	nudge_free(agent->nudge);
	probe_free(agent->probe);
	free_stimuli(agent);
	capture_free(agent->capture);
	symbols_done(&agent->symbols);
	*agent = (struct agent){ .link_fd = agent->link_fd, .housekeeping = agent->housekeeping, .hz = agent->hz };
}
