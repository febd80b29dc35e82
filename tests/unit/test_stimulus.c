// SPDX-License-Identifier: GPL-2.0-or-later
/* Stimulus workers on a CPU of this machine; no root needed. */
#include "agents/stimulus.h"

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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/fault_rate.h"
#include "common/fs.h"
#include "common/ipis.h"
#include "common/json.h"
#include "common/tsc.h"

#define HZ 1000000000ULL /* nominal: 1 cycle is 1 ns */

/* The address sanitizer turns mlock() into nothing, and faults pages of its own. */
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif

static cpu_set_t allowed;

static int setup(void **state)
{
	(void)state;
	return sched_getaffinity(0, sizeof(allowed), &allowed);
}

static struct stimulus *prepare_with(const char *kind, int cpu, const json_t *params)
{
	const struct stimulus_options options = {
		.kind = kind, .cpu = cpu, .housekeeping = &allowed, .params = params, .hz = HZ
	};
	struct stimulus *stimulus = NULL;
	struct err err = { "" };

	if (stimulus_new(&options, &stimulus, &err) < 0)
		fail_msg("%s", err.msg);
	return stimulus;
}

static struct stimulus *prepare(const char *kind, int cpu)
{
	return prepare_with(kind, cpu, NULL);
}

/* A number after "name:" in /proc/PID/FILE. */
static long number_in(int pid, const char *file, const char *name)
{
	_cleanup_free_ char *path = str_printf("/proc/%d/%s", pid, file);
	_cleanup_free_ char *text = NULL;
	const char *line;

	assert_int_equal(fs_read(path, 1 << 16, &text, NULL, NULL), 0);
	line = strstr(text, name);
	assert_non_null(line);
	return strtol(line + strlen(name) + 1, NULL, 10);
}

/* Page faults so far: the tenth field after the name in /proc/PID/stat. */
static long faults_of(int pid)
{
	_cleanup_free_ char *path = str_printf("/proc/%d/stat", pid);
	_cleanup_free_ char *text = NULL;
	long faults = -1;

	assert_int_equal(fs_read_line(path, &text, NULL), 0);
	assert_int_equal(sscanf(strrchr(text, ')'), ") %*c %*d %*d %*d %*d %*d %*u %ld", &faults), 1);
	return faults;
}

static void shot_is_timed(void **state)
{
	struct stimulus *stimulus = prepare("spin", -1);
	uint64_t before = tsc_read();
	struct stimulus_shot shot;

	(void)state;
	assert_int_equal(stimulus_fire(stimulus, false, 2, &shot, NULL), 0);
	assert_true(before < shot.t0);
	assert_true(shot.t1 - shot.t0 >= 2000000);
	assert_true(shot.t1 < tsc_read());
	assert_int_equal(shot.result, 0);
	stimulus_free(stimulus);
}

static void mlock_alternates_and_sham_does_nothing(void **state)
{
	struct stimulus *stimulus;
	long idle;
	const struct {
		bool sham;
		long locked_kib;
	} steps[] = { { true, 0 }, { false, 4 }, { true, 4 }, { false, 0 }, { true, 0 }, { false, 4 } };
	struct stimulus_shot shot;

	(void)state;
	if (SANITIZED)
		skip();
	stimulus = prepare("mlock", -1);
	idle = number_in(stimulus_pid(stimulus), "status", "VmLck");
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		assert_int_equal(stimulus_fire(stimulus, steps[i].sham, 0, &shot, NULL), 0);
		assert_int_equal(shot.result, 0);
		assert_int_equal(number_in(stimulus_pid(stimulus), "status", "VmLck") - idle, steps[i].locked_kib);
	}
	stimulus_free(stimulus);
}

static void no_page_is_faulted(void **state)
{
	static const char *const kinds[] = { "mlock", "spin", "split" };
	struct stimulus_shot shot;

	(void)state;
	if (SANITIZED || geteuid() != 0)
		skip(); /* as an ordinary user it may not lock all its memory */
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct stimulus *stimulus = prepare(kinds[i], -1);
		long faults = faults_of(stimulus_pid(stimulus));

		for (int n = 0; n < 6; n++)
			assert_int_equal(stimulus_fire(stimulus, n % 2 == 0, 1, &shot, NULL), 0);
		assert_int_equal(faults_of(stimulus_pid(stimulus)), faults);
		stimulus_free(stimulus);
	}
}

static void fault_touches_as_many_pages(void **state)
{
	static const struct {
		const char *keep;
		int every;
		long kept; /* pages */
	} cases[] = { { "yes", 1, 9 }, { "no", 1, 0 }, { "yes", 2, 5 }, { "yes", 8, 2 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_json_ json_t *params =
			json_pack("{s:i, s:s, s:i}", "pages", 9, "keep", cases[i].keep, "every", cases[i].every);
		struct stimulus *stimulus = prepare_with("fault", -1, params);
		int pid = stimulus_pid(stimulus);
		struct stimulus_shot shot;
		long faults;
		long kib;

		assert_int_equal(stimulus_fire(stimulus, true, 0, &shot, NULL), 0);
		faults = faults_of(pid);
		kib = number_in(pid, "smaps_rollup", "Anonymous");
		for (int n = 1; n <= 4; n++) {
			assert_int_equal(stimulus_fire(stimulus, n % 2 == 0, 0, &shot, NULL), 0);
			assert_int_equal(shot.result, 0);
			if (!SANITIZED) /* which faults pages of its own */
				assert_int_equal(faults_of(pid) - faults, 9 * ((n + 1) / 2));
		}
		assert_int_equal(number_in(pid, "smaps_rollup", "Anonymous") - kib, 4 * cases[i].kept);
		stimulus_free(stimulus);
	}
}

/* What is written is what stands there. */
static void two_write_at_once(void **state)
{
	static const char file[] = "/proc/sys/vm/swappiness";
	static const struct {
		const char *beside; /* NULL: the value */
		int result;
	} cases[] = { { NULL, 0 }, { "much", -EINVAL } };
	_cleanup_free_ char *value = NULL;

	(void)state;
	if (access(file, W_OK) < 0 || fs_read_line(file, &value, NULL) < 0)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_json_ json_t *params = json_pack(
			"{s:s, s:s, s:s, s:s, s:s, s:s}", "path", file, "value", value, "back", value, "beside_path",
			file, "beside_value", cases[i].beside ? cases[i].beside : value, "beside_back", value);
		struct stimulus *stimulus = prepare_with("write", -1, params);
		struct stimulus_shot shot;
		unsigned long ms;

		assert_int_equal(stimulus_fire(stimulus, false, 0, &shot, NULL), 0);
		assert_int_equal(shot.result, cases[i].result);
		assert_int_equal(sscanf(shot.detail, "took=%lu ms, beside took=%lu ms", &ms, &ms), 2);
		stimulus_free(stimulus);
	}
}

static void write_tells_what_the_kernel_counts(void **state)
{
	static const char file[] = "/proc/sys/vm/stat_refresh";
	_cleanup_json_ json_t *params = json_pack("{s:s, s:s, s:s}", "path", file, "value", "1", "counter", "pgfault");
	_cleanup_json_ json_t *more =
		json_pack("{s:s, s:s, s:s, s:i}", "path", file, "value", "1", "counter", "pgfault", "least", 1000000);
	_cleanup_json_ json_t *unknown = json_pack("{s:s, s:s, s:s}", "path", file, "value", "1", "counter", "pgfaul");
	const struct stimulus_options options = {
		.kind = "write", .cpu = -1, .housekeeping = &allowed, .params = unknown, .hz = HZ
	};
	struct stimulus *stimulus;
	struct stimulus_shot shot;
	unsigned long long count;
	unsigned long ms;

	(void)state;
	if (access(file, W_OK) < 0)
		skip();
	stimulus = prepare_with("write", -1, params);
	assert_int_equal(stimulus_fire(stimulus, false, 0, &shot, NULL), 0);
	assert_int_equal(shot.result, 0);
	assert_int_equal(sscanf(shot.detail, "took=%lu ms, pgfault=%llu events", &ms, &count), 2);
	stimulus_free(stimulus);
	stimulus = prepare_with("write", -1, more);
	assert_int_equal(stimulus_fire(stimulus, false, 0, &shot, NULL), 0);
	assert_int_equal(shot.result, -ENODATA);
	stimulus_free(stimulus);
	assert_int_equal(stimulus_new(&options, &stimulus, NULL), -ENODEV);
}

#define TTL "/proc/sys/net/ipv4/ip_default_ttl"
#define RETRIES "/proc/sys/net/ipv4/tcp_retries2"

static void assert_holds(const char *file, const char *want)
{
	_cleanup_free_ char *text = NULL;

	assert_int_equal(fs_read_line(file, &text, NULL), 0);
	assert_string_equal(text, want);
}

/* Kills the worker once its value stands, for as long as it holds that; @meanwhile goes into RETRIES before. */
static void kill_while_held(struct stimulus *stimulus, const char *value, const char *meanwhile)
{
	struct stimulus_shot shot;
	pid_t pid = fork();

	for (int i = 0; pid == 0 && i < 5000; i++) {
		_cleanup_free_ char *text = NULL;

		if (fs_read_line(TTL, &text, NULL) == 0 && strcmp(text, value) == 0) {
			usleep(100000); /* for the one beside */
			if (meanwhile)
				fs_write(RETRIES, meanwhile, NULL);
			kill(stimulus_pid(stimulus), SIGKILL);
			_exit(0);
		}
		usleep(1000);
	}
	if (pid == 0)
		_exit(1);
	assert_int_equal(stimulus_fire(stimulus, false, 0, &shot, NULL), -ECHILD);
	waitpid(pid, NULL, 0);
}

/* With the settings of a network of its own, which nobody else sees. */
static void write_makes_first_what_it_is_about(void **state)
{
	_cleanup_json_ json_t *params =
		json_pack("{s:s, s:s, s:s, s:s}", "path", TTL, "value", "64", "first_path", TTL, "first_value", "65");
	struct stimulus *stimulus;
	struct stimulus_shot shot;

	(void)state;
	if (unshare(CLONE_NEWNET) < 0 || access(TTL, W_OK) < 0)
		skip();
	stimulus = prepare_with("write", -1, params);
	assert_int_equal(stimulus_fire(stimulus, false, 0, &shot, NULL), 0);
	assert_int_equal(shot.result, 0);
	assert_holds(TTL, "64");
	stimulus_free(stimulus);
}

/* In such a network, too. */
static void killed_write_is_written_back_once(void **state)
{
	static const struct {
		const char *more;      /* parameters */
		const char *meanwhile; /* NULL: nothing */
		const char *ttl;       /* in the end */
		const char *retries;   /* in the end */
	} cases[] = {
		{ "{}", "7", "64", "7" },
		{ "{\"back_path\": \"" RETRIES "\"}", "7", "65", "64" },
		{ "{\"beside_path\": \"" RETRIES "\", \"beside_value\": 5, \"beside_back\": 6}", NULL, "64", "6" },
		{ "{\"beside_path\": \"" RETRIES "\", \"beside_value\": 5, \"beside_back\": 6}", "7", "64", "7" },
	};

	(void)state;
	if (unshare(CLONE_NEWNET) < 0 || access(TTL, W_OK) < 0)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_json_ json_t *params = json_loads(cases[i].more, 0, NULL);
		_cleanup_json_ json_t *main =
			json_pack("{s:s, s:i, s:i, s:i}", "path", TTL, "value", 65, "back", 64, "hold", 10000);
		struct stimulus *stimulus;

		json_object_update(params, main);
		stimulus = prepare_with("write", -1, params);
		kill_while_held(stimulus, "65", cases[i].meanwhile);
		assert_holds(TTL, "65");
		stimulus_free(stimulus);
		assert_holds(TTL, cases[i].ttl);
		assert_holds(RETRIES, cases[i].retries);
		assert_int_equal(fs_write(TTL, "64", NULL), 0);
	}
}

/* What has been written back already stays as it is. */
static void finished_write_is_left_alone(void **state)
{
	_cleanup_json_ json_t *params =
		json_pack("{s:s, s:i, s:i, s:s}", "path", TTL, "value", 65, "back", 8, "back_path", RETRIES);
	static const bool beside[STIMULUS_DEBTS_MAX] = { false, true };
	struct stimulus *stimulus;
	struct stimulus_shot shot;

	(void)state;
	if (unshare(CLONE_NEWNET) < 0 || access(TTL, W_OK) < 0)
		skip();
	stimulus = prepare_with("write", -1, params);
	assert_int_equal(stimulus_fire(stimulus, false, 0, &shot, NULL), 0);
	assert_holds(RETRIES, "8");
	assert_int_equal(fs_write(RETRIES, "9", NULL), 0);
	stimulus_free(stimulus);
	assert_holds(RETRIES, "9");
	json_object_set_new(params, "beside_path", json_string(RETRIES));
	json_object_set_new(params, "beside_back", json_integer(10));
	stimulus_write()->repay(params, beside);
	assert_holds(TTL, "65");
	assert_holds(RETRIES, "10");
}

/* Every action takes the next pair of payload and length, and says what it executes. */
static void calibrate_takes_all_pairs_in_turn(void **state)
{
	static const char *const said[] = { "plain 1000",  "fault 912",	 "rep 1000",  "plain 100000",
					    "fault 99312", "rep 100000", "plain 1000" };
	_cleanup_json_ json_t *params = json_pack("{s:s, s:s}", "insns", "1000,100000", "payload", "plain,fault,rep");
	struct stimulus *stimulus = prepare_with("calibrate", -1, params);
	struct stimulus_shot shot;

	(void)state;
	assert_non_null(stimulus);
	for (size_t i = 0; i < ARRAY_SIZE(said); i++) {
		assert_int_equal(stimulus_fire(stimulus, true, 0, &shot, NULL), 0);
		assert_string_equal(shot.detail, "");
		assert_int_equal(stimulus_fire(stimulus, false, 0, &shot, NULL), 0);
		assert_int_equal(shot.result, 0);
		assert_string_equal(shot.detail, said[i]);
	}
	stimulus_free(stimulus);
}

/* As many pages a thread and round, one thread more each time, and again from one. */
static void fault_rate_counts_what_threads_touch(void **state)
{
	static const unsigned int threads[] = { 1, 2, 1 };
	_cleanup_json_ json_t *params = json_pack("{s:s, s:i, s:i}", "cpus", "0-1", "pages", 50, "length", 20);
	struct stimulus *stimulus;
	struct stimulus_shot shot;

	(void)state;
	if (!CPU_ISSET(0, &allowed) || !CPU_ISSET(1, &allowed))
		skip();
	stimulus = prepare_with("fault_rate", -1, params);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		struct fault_rate rate = { 0 };

		assert_int_equal(stimulus_fire(stimulus, false, 0, &shot, NULL), 0);
		assert_int_equal(shot.result, 0);
		assert_int_equal(sscanf(shot.detail, FAULT_RATE_FORMAT, &rate.threads, &rate.faults, &rate.wall_ns,
					&rate.cpu_ns, &rate.ipis),
				 FAULT_RATE_FIELDS);
		assert_int_equal(rate.threads, threads[i]);
		assert_true(rate.faults >= 50 * threads[i]);
		assert_true(SANITIZED || rate.faults % (50 * threads[i]) == 0);
		assert_true(rate.wall_ns > 0 && rate.wall_ns < shot.t1 - shot.t0);
		assert_true(rate.cpu_ns > 0 && rate.cpu_ns <= threads[i] * rate.wall_ns + 1000000);
	}
	stimulus_free(stimulus);
}

static void function_calls_and_shootdowns_are_ipis(void **state)
{
	(void)state;
	assert_int_equal(ipis_parse("            CPU0       CPU1\n"
				    "   0:         44          0   IO-APIC    2-edge      timer\n"
				    " RES:      66000      77000   Rescheduling interrupts\n"
				    " CAL:       1000        200   Function call interrupts\n"
				    " TLB:         30          4   TLB shootdowns\n"
				    " ERR:          9\n"),
			 1234);
	assert_int_equal(ipis_parse(""), 0);
}

/* No oftener than told; pages may come and go elsewhere meanwhile, so the result is left aside. */
static void storm_drains_under(json_t *load)
{
	_cleanup_json_ json_t *params =
		json_pack("{s:s, s:i, s:i, s:o}", "drain", "drain", "rate", 50, "length", 200, "load", load);
	struct stimulus *stimulus = prepare_with("storm", -1, params);
	struct stimulus_shot shot;
	unsigned long drains;
	unsigned long pages;

	assert_int_equal(stimulus_fire(stimulus, false, 0, &shot, NULL), 0);
	assert_int_equal(sscanf(shot.detail, "drains=%lu times, faulted=%lu pages, lost=", &drains, &pages), 2);
	assert_in_range(drains, 1, 10);
	assert_true(pages > 0 && pages % 7 == 0);
	stimulus_free(stimulus);
}

static void storm_drains_while_pages_are_faulted(void **state)
{
	(void)state;
	storm_drains_under(json_integer(sched_getcpu()));
	storm_drains_under(json_string("all"));
}

/* The kernel's figures do not say that pages are in a pipe. Return: the end that keeps them there. */
static int fill_pipe(size_t bytes)
{
	_cleanup_free_ char *content = calloc(1, bytes);
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_true(fcntl(ends[1], F_SETPIPE_SZ, (int)bytes) >= (int)bytes);
	assert_int_equal(write(ends[1], content, bytes), bytes);
	close(ends[1]);
	return ends[0];
}

/* Also what it lost before its last action, or between two. */
static void storm_adds_up_what_is_lost(void **state)
{
	_cleanup_json_ json_t *params =
		json_pack("{s:s, s:i, s:i, s:i}", "drain", "drain", "rate", 50, "length", 50, "load", sched_getcpu());
	struct stimulus *stimulus = prepare_with("storm", -1, params);
	struct stimulus_shot shot;
	int pipes[16];

	(void)state;
	assert_int_equal(stimulus_fire(stimulus, false, 0, &shot, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pipes); i++)
		pipes[i] = fill_pipe(1 << 20);
	assert_int_equal(stimulus_fire(stimulus, false, 0, &shot, NULL), 0);
	assert_int_equal(shot.result, -ENOTRECOVERABLE);
	for (size_t i = 0; i < ARRAY_SIZE(pipes); i++)
		close(pipes[i]);
	stimulus_free(stimulus);
}

static void bad_parameters_are_refused(void **state)
{
	static const struct {
		const char *kind;
		const char *params;
	} bad[] = {
		{ "fault", "{\"pages\": 0}" },
		{ "fault", "{\"pages\": 1000000}" },
		{ "fault", "{\"every\": 0}" },
		{ "fault", "{\"cgroup\": \"../other\"}" },
		{ "fault_rate", "{\"cpus\": \"\"}" },
		{ "fault_rate", "{\"cpus\": \"0,x\"}" },
		{ "fault_rate", "{\"cpus\": 1023}" },
		{ "fault_rate", "{\"pages\": 0}" },
		{ "fault_rate", "{\"length\": 2001}" },
		{ "calibrate", "{\"insns\": 999}" },
		{ "calibrate", "{\"insns\": \"1000,\"}" },
		{ "calibrate", "{\"insns\": \"1000,x\"}" },
		{ "calibrate", "{\"payload\": \"plain,\"}" },
		{ "calibrate", "{\"payload\": \"nmi\"}" },
		{ "memory_high", "{}" },
		{ "write", "{\"path\": \"/proc/sys/vm/swappiness\", \"value\": 1, \"hold\": 60000}" },
		{ "oom", "{}" },
		{ "list", "{}" },
		{ "minor_fault", "{\"memory\": \"disk\"}" },
		{ "minor_fault", "{\"pages\": 1}" },
		{ "migrate", "{\"pages\": 1}" },
		{ "migrate", "{\"pid\": 1, \"pages\": 5000}" },
		{ "list", "{\"device\": \"/dev/sda\"}" },
		{ "list", "{\"device\": \"/dev/loop\"}" },
		{ "flush_buffers", "{}" },
		{ "flush_buffers", "{\"device\": \"/dev/null\"}" },
		{ "pageout", "{}" },
		{ "reclaim", "{}" },
		{ "reclaim", "{\"node\": 64}" },
		{ "reclaim", "{\"node\": 0, \"pages\": 0}" },
		{ "storm", "{\"drain\": \"spin\", \"rate\": 10, \"length\": 10}" },
		{ "storm", "{\"drain\": \"storm\", \"rate\": 10, \"length\": 10, \"load\": 0}" },
		{ "stall", "{\"node\": 1, \"touchers\": 5}" },
		{ "pageout", "{\"file\": \"/dev/shm/nobody-maps-this\"}" },
		{ "write", "{}" },
		{ "write", "{\"path\": \"/etc/passwd\", \"value\": 1}" },
		{ "write", "{\"path\": \"/proc/sys/vm/no-such-file\", \"value\": 1}" },
		{ "write",
		  "{\"path\": \"/proc/sys/vm/swappiness\", \"value\": 1, \"back_path\": \"/proc/sys/vm/no\"}" },
		{ "write", "{\"path\": \"/proc/sys/vm/swappiness\", \"value\": 1, "
			   "\"beside_path\": \"/proc/sys/vm/no\", \"beside_value\": 1}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_json_ json_t *params = json_loads(bad[i].params, 0, NULL);
		const struct stimulus_options options = {
			.kind = bad[i].kind, .cpu = -1, .housekeeping = &allowed, .params = params, .hz = HZ
		};
		struct stimulus *stimulus = NULL;
		struct err err = { "" };

		assert_true(stimulus_new(&options, &stimulus, &err) < 0);
		assert_null(stimulus);
		assert_non_null(strstr(err.msg, bad[i].kind));
	}
}

/* Before anything is made, also where there are no groups. */
static void groups_are_checked_first(void **state)
{
	static const struct {
		const char *kind;
		const char *params;
	} bad[] = {
		{ "refault", "{\"cgroup\": \"../other\"}" },
		{ "refault", "{\"cgroup\": \"a\", \"pages\": 0}" },
		{ "refault", "{\"cgroup\": \"a\", \"pages\": 2000}" },
		{ "groups", "{\"cgroup\": \"a\", \"groups\": 0}" },
		{ "groups", "{\"cgroup\": \"../other\", \"groups\": 2}" },
		{ "groups", "{\"cgroup\": \"a\", \"groups\": 2, \"readers\": 3}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_json_ json_t *params = json_loads(bad[i].params, 0, NULL);
		const struct stimulus_options options = {
			.kind = bad[i].kind, .cpu = -1, .housekeeping = &allowed, .params = params, .hz = HZ
		};
		struct stimulus *stimulus = NULL;
		struct err err = { "" };

		assert_int_equal(stimulus_new(&options, &stimulus, &err), -EINVAL);
		assert_null(stimulus);
	}
}

/* Each touch waits for its page's content, which is checked; there are not more than were asked for. */
static void minor_faults_bring_content(void **state)
{
	_cleanup_json_ json_t *params = json_pack("{s:i}", "pages", 3);
	struct stimulus *stimulus;
	struct stimulus_shot shot;

	(void)state;
	if (geteuid() != 0)
		skip(); /* userfaultfd is a privilege */
	stimulus = prepare_with("minor_fault", -1, params);
	for (int i = 1; i < 3; i++) {
		long faults = faults_of(stimulus_pid(stimulus));

		assert_int_equal(stimulus_fire(stimulus, true, 0, &shot, NULL), 0);
		assert_int_equal(faults_of(stimulus_pid(stimulus)), faults);
		assert_int_equal(stimulus_fire(stimulus, false, 0, &shot, NULL), 0);
		assert_int_equal(shot.result, 0);
		assert_true(faults_of(stimulus_pid(stimulus)) > faults);
	}
	assert_int_equal(stimulus_fire(stimulus, false, 0, &shot, NULL), 0);
	assert_int_equal(shot.result, -ENOSPC);
	stimulus_free(stimulus);
}

static void unknown_kind_names_the_known(void **state)
{
	const struct stimulus_options options = { .kind = "earthquake", .housekeeping = &allowed, .hz = HZ };
	struct stimulus *stimulus = NULL;
	struct err err = { "" };

	(void)state;
	assert_int_equal(stimulus_new(&options, &stimulus, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "stimulus kind 'earthquake' is unknown; this agent has: mlock "));
#define KIND(symbol, name, help) assert_non_null(strstr(err.msg, " " #name));
	STIMULUS_KINDS(KIND)
#undef KIND
}

static void endless_spin_is_refused(void **state)
{
	struct stimulus *stimulus = prepare("spin", -1);
	struct stimulus_shot shot;
	struct err err = { "" };

	(void)state;
	assert_int_equal(stimulus_fire(stimulus, false, 60001, &shot, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "60001 ms"));
	stimulus_free(stimulus);
}

static void dead_worker_is_noticed(void **state)
{
	struct stimulus *stimulus = prepare("spin", -1);
	struct stimulus_shot shot;
	struct err err = { "" };

	(void)state;
	kill(stimulus_pid(stimulus), SIGKILL);
	assert_int_equal(stimulus_fire(stimulus, false, 0, &shot, &err), -ECHILD);
	assert_non_null(strstr(err.msg, "stimulus 'spin'"));
	assert_int_equal(stimulus_fire(stimulus, false, 0, &shot, &err), -ECHILD);
	stimulus_free(stimulus);
	stimulus_free(NULL);
}

static void absent_cpu_is_an_error(void **state)
{
	const struct stimulus_options options = {
		.kind = "spin", .cpu = CPU_SETSIZE - 1, .housekeeping = &allowed, .hz = HZ
	};
	struct stimulus *stimulus = NULL;
	struct err err = { "" };

	(void)state;
	assert_int_equal(stimulus_new(&options, &stimulus, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "on CPU 1023"));
}

static void numbers_have_bounds(void **state)
{
	_cleanup_json_ json_t *params =
		json_pack("{s:i, s:s, s:s, s:i, s:s}", "seven", 7, "word", "x", "text", "8", "minus", -1, "unit", "2k");
	unsigned long n = 3;

	(void)state;
	assert_int_equal(stimulus_param_number(params, "seven", 1, 7, &n), 0);
	assert_int_equal(n, 7);
	assert_int_equal(stimulus_param_number(params, "text", 1, 8, &n), 0);
	assert_int_equal(n, 8);
	assert_int_equal(stimulus_param_number(params, "text", 1, 7, &n), -EINVAL);
	assert_int_equal(stimulus_param_number(params, "word", 1, 7, &n), -EINVAL);
	assert_int_equal(stimulus_param_number(params, "minus", 1, 7, &n), -EINVAL);
	assert_int_equal(stimulus_param_number(params, "unit", 1, 7, &n), -EINVAL);
	assert_int_equal(stimulus_param_number(params, "none", 1, 7, &n), -ENOENT);
	assert_int_equal(stimulus_param_number_or(params, "none", 1, 7, &n), 0);
	assert_int_equal(stimulus_param_number_or(params, "word", 1, 7, &n), -EINVAL);
	assert_int_equal(n, 8);
	assert_int_equal(stimulus_param_number_or(params, "seven", 1, 7, &n), 0);
	assert_int_equal(n, 7);
}

/* What a call says on stderr, also in a worker that it starts; to be freed. */
static char *said_by(const char *kind, const json_t *params)
{
	const struct stimulus_options options = {
		.kind = kind, .cpu = -1, .housekeeping = &allowed, .params = params, .hz = HZ
	};
	struct stimulus *stimulus = NULL;
	FILE *file = tmpfile();
	int old = dup(STDERR_FILENO);
	char *text = calloc(1, 4096);

	assert_non_null(file);
	assert_non_null(text);
	dup2(fileno(file), STDERR_FILENO);
	assert_true(stimulus_new(&options, &stimulus, NULL) < 0);
	dup2(old, STDERR_FILENO);
	close(old);
	rewind(file);
	fread(text, 1, 4095, file);
	fclose(file);
	return text;
}

static void a_bad_parameter_is_named(void **state)
{
	static const struct {
		const char *drain;
		int rate;
		const char *words;
	} bad[] = {
		{ "drain", 0, "rate=0: 1 to 1000 are allowed" },
		{ "drain_caches", 10, "drain=drain_caches: stimulus kind 'drain_caches' is unknown; this agent has: " },
		{ "storm", 10, "drain=storm: a storm is made of" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_json_ json_t *params = json_pack("{s:s, s:i, s:i, s:s}", "drain", bad[i].drain, "rate",
							  bad[i].rate, "length", 10, "load", "0");
		_cleanup_free_ char *said = said_by("storm", params);

		assert_non_null(strstr(said, bad[i].words));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_have_bounds),
		cmocka_unit_test(shot_is_timed),
		cmocka_unit_test(mlock_alternates_and_sham_does_nothing),
		cmocka_unit_test(no_page_is_faulted),
		cmocka_unit_test(minor_faults_bring_content),
		cmocka_unit_test(unknown_kind_names_the_known),
		cmocka_unit_test(endless_spin_is_refused),
		cmocka_unit_test(dead_worker_is_noticed),
		cmocka_unit_test(absent_cpu_is_an_error),
		cmocka_unit_test(fault_touches_as_many_pages),
		cmocka_unit_test(two_write_at_once),
		cmocka_unit_test(write_tells_what_the_kernel_counts),
		cmocka_unit_test(write_makes_first_what_it_is_about),
		cmocka_unit_test(killed_write_is_written_back_once),
		cmocka_unit_test(finished_write_is_left_alone),
		cmocka_unit_test(calibrate_takes_all_pairs_in_turn),
		cmocka_unit_test(fault_rate_counts_what_threads_touch),
		cmocka_unit_test(function_calls_and_shootdowns_are_ipis),
		cmocka_unit_test(a_bad_parameter_is_named),
		cmocka_unit_test(storm_drains_while_pages_are_faulted),
		cmocka_unit_test(storm_adds_up_what_is_lost),
		cmocka_unit_test(bad_parameters_are_refused),
		cmocka_unit_test(groups_are_checked_first),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
