// SPDX-License-Identifier: GPL-2.0-or-later
/* The agent's operations as a controller sees them, over a socket pair; no root needed. */
#include "agents/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <trace-cmd.h>

#include "agents/agent.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/link.h"
#include "common/probe_format.h"

#define TIMEOUT_MS 20000

struct fixture {
	int fd; /* our end of the link */
	pid_t pid;
};

static void serve(int fd)
{
	struct agent agent = { .link_fd = fd };
	int ret;

	sched_getaffinity(0, sizeof(agent.housekeeping), &agent.housekeeping);
	ret = ops_serve(&agent, NULL);
	ops_done(&agent);
	_exit(ret < 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fds[2];

	if (!f || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	f->pid = fork();
	if (f->pid == 0) {
		close(fds[0]);
		serve(fds[1]);
	}
	close(fds[1]);
	f->fd = fds[0];
	*state = f;
	return 0;
}

/* Sends a request (which is consumed), returns the reply; data go to @sink_fd unless it is -1. */
static json_t *call_with(struct fixture *f, json_t *request, int sink_fd)
{
	struct link_sink sink = { .fd = sink_fd, .max_bytes = 1 << 28 };
	json_t *reply = NULL;
	struct err err = { "" };

	assert_int_equal(link_send(f->fd, request, TIMEOUT_MS), 0);
	json_decref(request);
	if (link_receive(f->fd, &sink, TIMEOUT_MS, &reply, &err) < 0)
		fail_msg("%s", err.msg);
	return reply;
}

static json_t *call_ok(struct fixture *f, json_t *request)
{
	json_t *reply = call_with(f, request, -1);

	if (!json_is_true(json_object_get(reply, "ok")))
		fail_msg("%s", json_get_string(reply, "error"));
	return reply;
}

/* The request is refused with that errno, and words that contain those. */
static void call_fails(struct fixture *f, json_t *request, int error, const char *says)
{
	_cleanup_json_ json_t *reply = call_with(f, request, -1);

	assert_true(json_is_false(json_object_get(reply, "ok")));
	if (json_get_u64(reply, "errno") != (uint64_t)error || !strstr(json_get_string(reply, "error"), says))
		fail_msg("%s (%llu)", json_get_string(reply, "error"),
			 (unsigned long long)json_get_u64(reply, "errno"));
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int status = -1;

	json_decref(call_ok(f, json_pack("{s:s}", "op", "quit")));
	waitpid(f->pid, &status, 0);
	close(f->fd);
	free(f);
	return status;
}

static int scratch(void)
{
	int fd = memfd_create("scratch", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void unknown_operation(void **state)
{
	call_fails(*state, json_pack("{s:s}", "op", "dance"), ENOSYS, "operation 'dance' is unknown");
	call_fails(*state, json_object(), ENOSYS, "operation '' is unknown");
	call_fails(*state, json_pack("{s:i}", "op", 7), ENOSYS, "operation '' is unknown");
}

static void facts(void **state)
{
	_cleanup_json_ json_t *reply = call_ok(*state, json_pack("{s:s}", "op", "facts"));
	const json_t *all = json_object_get(reply, "facts");

	assert_string_not_equal(json_get_string(all, "release"), "");
	assert_string_not_equal(json_get_string(all, "cmdline"), "");
	assert_string_not_equal(json_get_string(all, "online"), "");
	assert_true(json_is_array(json_object_get(all, "cpu_flags")));
	assert_true(json_is_object(json_object_get(all, "smt_siblings")));
	assert_non_null(json_object_get(all, "tuned_profile")); /* null where there is none */
}

static void clock_rate(void **state)
{
	_cleanup_json_ json_t *first = call_ok(*state, json_pack("{s:s}", "op", "clock"));
	_cleanup_json_ json_t *second = call_ok(*state, json_pack("{s:s}", "op", "clock"));

	assert_true(json_get_u64(first, "hz") > 100000000);
	assert_true(json_get_u64(first, "tsc") < json_get_u64(second, "tsc"));
	assert_int_equal(json_get_u64(first, "hz"), json_get_u64(second, "hz"));
}

static void files(void **state)
{
	_cleanup_close_ int fd = scratch();
	_cleanup_json_ json_t *reply =
		call_with(*state, json_pack("{s:s, s:s}", "op", "file", "path", "/proc/version"), fd);
	char text[16] = "";

	assert_true(json_is_true(json_object_get(reply, "ok")));
	assert_int_equal(json_get_u64(reply, "bytes"), lseek(fd, 0, SEEK_END));
	assert_int_equal(pread(fd, text, 13, 0), 13);
	assert_string_equal(text, "Linux version");
	call_fails(*state, json_pack("{s:s, s:s}", "op", "file", "path", "/nowhere"), ENOENT, "'/nowhere'");
	call_fails(*state, json_pack("{s:s, s:s}", "op", "file", "path", "/dev/zero"), EINVAL, "'/dev/zero'");
	call_fails(*state, json_pack("{s:s, s:s}", "op", "file", "path", "/tmp"), EINVAL, "'/tmp'");
}

static void symbols_are_functions(void **state)
{
	_cleanup_close_ int fd = scratch();
	_cleanup_json_ json_t *reply = call_with(*state, json_pack("{s:s}", "op", "symbols"), fd);
	_cleanup_free_ char *text = NULL;
	size_t functions = 0;
	char type;

	assert_true(json_is_true(json_object_get(reply, "ok")));
	text = calloc(1, json_get_u64(reply, "bytes") + 1);
	assert_int_equal(pread(fd, text, json_get_u64(reply, "bytes"), 0), json_get_u64(reply, "bytes"));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		assert_int_equal(sscanf(line, "%*x %c", &type), 1);
		assert_non_null(strchr("tTwW", type));
		functions += strstr(line, " schedule") != NULL;
	}
	assert_true(functions > 0);
}

static void write_tells_the_old_value(void **state)
{
	char path[] = "/tmp/ops-XXXXXX";
	_cleanup_close_ int fd = mkstemp(path);
	_cleanup_json_ json_t *reply = NULL;

	assert_int_equal(write(fd, "old\n", 4), 4);
	reply = call_ok(*state, json_pack("{s:s, s:s, s:s}", "op", "write", "path", path, "value", "new"));
	assert_string_equal(json_get_string(reply, "old"), "old");
	unlink(path);
	call_fails(*state, json_pack("{s:s, s:s, s:s}", "op", "write", "path", "/nowhere/x", "value", "1"), ENOENT,
		   "'/nowhere/x'");
}

static json_t *probe_request(const char *kind)
{
	cpu_set_t allowed;
	int cpu = 0;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	while (!CPU_ISSET((size_t)cpu, &allowed))
		cpu++;
	return json_pack("{s:s, s:s, s:i, s:i, s:i, s:i}", "op", "probe.start", "kind", kind, "cpu", cpu,
			 "threshold_ns", 1, "capacity", 10, "interval_ns", 1000000);
}

static void probe_from_start_to_file(void **state)
{
	_cleanup_close_ int fd = scratch();
	_cleanup_json_ json_t *started = NULL;
	_cleanup_json_ json_t *stopped = NULL;

	call_fails(*state, json_pack("{s:s}", "op", "probe.status"), ENODATA, "no probe");
	call_fails(*state, json_pack("{s:s}", "op", "probe.fetch"), ENODATA, "no probe");
	call_fails(*state, probe_request("guess"), EINVAL, "'guess'");
	started = call_ok(*state, probe_request("spin"));
	assert_true(json_get_u64(started, "tid") > 1 && json_get_u64(started, "loop_cycles") > 0);
	call_fails(*state, probe_request("spin"), EBUSY, "runs already");
	call_fails(*state, json_pack("{s:s}", "op", "probe.fetch"), EBUSY, "busy");
	do {
		json_decref(stopped);
		stopped = call_ok(*state, json_pack("{s:s}", "op", "probe.status"));
	} while (json_get_u64(stopped, "lost") == 0);
	json_decref(stopped);
	stopped = call_ok(*state, json_pack("{s:s}", "op", "probe.stop"));
	assert_int_equal(json_get_u64(stopped, "gaps"), 10);
	json_decref(call_with(*state, json_pack("{s:s}", "op", "probe.fetch"), fd));
	assert_int_equal(lseek(fd, 0, SEEK_END), sizeof(struct probe_header) + 10 * sizeof(struct probe_record));
	json_decref(call_ok(*state, probe_request("timer")));
}

static void stimulus_from_preparation_to_shot(void **state)
{
	_cleanup_json_ json_t *prepared = NULL;
	_cleanup_json_ json_t *shot = NULL;

	call_fails(*state, json_pack("{s:s, s:i}", "op", "stimulus.fire", "id", 0), EINVAL, "0 was not prepared");
	call_fails(*state, json_pack("{s:s, s:s}", "op", "stimulus.prepare", "kind", "x"), EINVAL, "'x' is unknown");
	prepared = call_ok(*state, json_pack("{s:s, s:s, s:i, s:{}}", "op", "stimulus.prepare", "kind", "mlock", "cpu",
					     -1, "params"));
	assert_true(json_get_u64(prepared, "pid") > 1);
	shot = call_ok(*state, json_pack("{s:s, s:I, s:b, s:i}", "op", "stimulus.fire", "id",
					 (json_int_t)json_get_u64(prepared, "id"), "sham", 0, "ms", 1));
	assert_string_equal(json_get_string(shot, "result"), "ok");
	assert_true(json_get_u64(shot, "t0") < json_get_u64(shot, "t1"));
	json_decref(call_ok(*state, json_pack("{s:s}", "op", "stimulus.clear")));
	assert_int_equal(kill((pid_t)json_get_u64(prepared, "pid"), 0), -1);
	call_fails(*state, json_pack("{s:s, s:i}", "op", "stimulus.fire", "id", 0), EINVAL, "0 was not prepared");
}

static void nudging(void **state)
{
	call_fails(*state, json_pack("{s:s, s:i, s:i}", "op", "nudge.start", "cpu", -1, "hz", 5), EINVAL, "CPU -1");
	json_decref(call_ok(*state, json_pack("{s:s}", "op", "nudge.stop")));
}

static json_t *capture_request(const char *event, const char *filter)
{
	return json_pack("{s:s, s:[{s:s, s:s, s:b}, {s:s}], s:i}", "op", "capture.start", "events", "name", event,
			 "filter", filter, "stack", 0, "name", "no:such", "buffer_kib", 256);
}

static void capture_refuses_nonsense(void **state)
{
	call_fails(*state, json_pack("{s:s}", "op", "capture.start"), EINVAL, "no events");
	call_fails(*state, json_pack("{s:s, s:[]}", "op", "capture.start", "events"), EINVAL, "no events");
	call_fails(*state, json_pack("{s:s}", "op", "capture.stop"), ENODATA, "no events");
	call_fails(*state, json_pack("{s:s}", "op", "capture.fetch"), ENODATA, "no events");
}

/* Only where root may use tracefs; elsewhere the refusal must name the file. */
static bool starts_capture(struct fixture *f)
{
	_cleanup_json_ json_t *reply = call_with(f, capture_request("sched:sched_switch", "prev_pid != 0"), -1);

	if (json_is_true(json_object_get(reply, "ok"))) {
		assert_string_equal(json_string_value(json_array_get(json_object_get(reply, "missing"), 0)), "no:such");
		return true;
	}
	assert_non_null(strstr(json_get_string(reply, "error"), "/sys/kernel/tracing"));
	return false;
}

static void capture_gives_a_trace_file(void **state)
{
	char path[] = "/tmp/ops-XXXXXX";
	_cleanup_close_ int fd = mkstemp(path);
	_cleanup_json_ json_t *stopped = NULL;
	struct tracecmd_input *input;

	if (!starts_capture(*state)) {
		unlink(path);
		skip();
	}
	call_fails(*state, capture_request("sched:sched_switch", ""), EBUSY, "already");
	call_fails(*state, json_pack("{s:s}", "op", "capture.fetch"), EBUSY, "still being recorded");
	usleep(10000); /* some switches happen meanwhile; how many does not matter */
	stopped = call_ok(*state, json_pack("{s:s}", "op", "capture.stop"));
	assert_true(json_get_u64(stopped, "events") > 0);
	json_decref(call_with(*state, json_pack("{s:s}", "op", "capture.fetch"), fd));
	input = tracecmd_open(path, TRACECMD_FL_LOAD_NO_PLUGINS);
	unlink(path);
	assert_non_null(input);
	assert_non_null(tep_find_event_by_name(tracecmd_get_tep(input), "sched", "sched_switch"));
	tracecmd_close(input);
	call_fails(*state, json_pack("{s:s}", "op", "capture.stop"), ENODATA, "no events");
}

static void bad_filter_is_quoted(void **state)
{
	if (!starts_capture(*state))
		skip();
	json_decref(call_ok(*state, json_pack("{s:s}", "op", "capture.stop")));
	json_decref(call_with(*state, json_pack("{s:s}", "op", "capture.fetch"), open("/dev/null", O_WRONLY)));
	call_fails(*state, capture_request("sched:sched_switch", "no_field == 1"), EINVAL, "'no_field == 1'");
	call_fails(*state, capture_request("../sched:x", ""), EINVAL, "SYSTEM:EVENT");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(unknown_operation),
		TEST(facts),
		TEST(clock_rate),
		TEST(files),
		TEST(symbols_are_functions),
		TEST(write_tells_the_old_value),
		TEST(probe_from_start_to_file),
		TEST(stimulus_from_preparation_to_shot),
		TEST(nudging),
		TEST(capture_refuses_nonsense),
		TEST(capture_gives_a_trace_file),
		TEST(bad_filter_is_quoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
