// SPDX-License-Identifier: GPL-2.0-or-later
/* The lab without an emulator: command lines, jobs, order of boots, and the watch on progress. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/json.h"
#include "common/cleanup.h"
#include "common/process.h"
#include "common/stop.h"
#include "host/lab/boot.h"
#include "host/lab/job.h"
#include "host/lab/plan.h"
#include "host/lab/watch.h"
#include "host/scenario.h"

#define S UINT64_C(1000000000)

static bool has_pair(char **argv, const char *option, const char *value)
{
	for (size_t i = 0; argv[i] && argv[i + 1]; i++)
		if (strcmp(argv[i], option) == 0 && strcmp(argv[i + 1], value) == 0)
			return true;
	return false;
}

static struct lab_boot example(void)
{
	return (struct lab_boot){ .kernel = "/k/bzImage",
				  .initramfs = "/i/lab.cpio.gz",
				  .stage = "/tmp/a,b",
				  .cpus = 3,
				  .isolated = 2,
				  .memory_bytes = UINT64_C(3) << 30,
				  .monitor_fd = 11,
				  .console_fd = 12,
				  .progress_fd = 13,
				  .terminal_fd = 14,
				  .bus_fd = 15 };
}

static void test_command(void **state)
{
	struct lab_boot boot = example();
	char **argv = lab_boot_argv(&boot);

	(void)state;
	assert_non_null(argv);
	assert_string_equal(argv[0], LAB_QEMU);
	assert_true(has_pair(argv, "-smp", "3"));
	assert_true(has_pair(argv, "-m", "3072"));
	assert_false(has_pair(argv, "-numa", "node,nodeid=1,memdev=node1,cpus=1-2"));
	assert_true(has_pair(argv, "-accel", "tcg,thread=multi"));
	assert_true(has_pair(argv, "-kernel", "/k/bzImage"));
	assert_true(has_pair(argv, "-initrd", "/i/lab.cpio.gz"));
	assert_true(has_pair(argv, "-chardev", "socket,id=progress,fd=13,server=off"));
	assert_true(has_pair(argv, "-mon", "chardev=monitor,mode=control"));
	lab_boot_argv_free(argv);
}

static void test_two_nodes(void **state)
{
	struct lab_boot boot = example();
	char **argv;

	(void)state;
	boot.node1_bytes = UINT64_C(256) << 20;
	argv = lab_boot_argv(&boot);
	assert_non_null(argv);
	assert_true(has_pair(argv, "-object", "memory-backend-ram,id=node0,size=2816M"));
	assert_true(has_pair(argv, "-numa", "node,nodeid=0,memdev=node0,cpus=0-0"));
	assert_true(has_pair(argv, "-object", "memory-backend-ram,id=node1,size=256M"));
	assert_true(has_pair(argv, "-numa", "node,nodeid=1,memdev=node1,cpus=1-2"));
	lab_boot_argv_free(argv);
}

static void test_two_nodes_have_a_power_of_two(void **state)
{
	(void)state;
	assert_int_equal(lab_boot_cpus(6, 0), 6);
	assert_int_equal(lab_boot_cpus(6, 1 << 20), 8);
	assert_int_equal(lab_boot_cpus(4, 1 << 20), 4);
}

static void test_root_is_read_only(void **state)
{
	struct lab_boot boot = example();
	char **argv = lab_boot_argv(&boot);
	size_t shares = 0;

	(void)state;
	assert_non_null(argv);
	for (size_t i = 0; argv[i]; i++) {
		if (strstr(argv[i], "mount_tag=root"))
			assert_non_null(strstr(argv[i], "readonly=on"));
		shares += strncmp(argv[i], "local,", 6) == 0;
	}
	assert_int_equal(shares, 2);
	lab_boot_argv_free(argv);
}

static void test_comma_in_stage(void **state)
{
	struct lab_boot boot = example();
	char **argv = lab_boot_argv(&boot);

	(void)state;
	assert_non_null(argv);
	assert_true(
		has_pair(argv, "-virtfs", "local,path=/tmp/a,,b,mount_tag=out,security_model=none,multidevs=remap"));
	lab_boot_argv_free(argv);
}

static void test_more_arguments_come_last(void **state)
{
	char *more[] = { (char *)"-device", (char *)"edu" };
	struct lab_boot boot = example();
	char **argv;
	size_t count = 0;

	(void)state;
	boot.qemu_args = more;
	boot.qemu_args_count = 2;
	argv = lab_boot_argv(&boot);
	assert_non_null(argv);
	while (argv[count])
		count++;
	assert_string_equal(argv[count - 2], "-device");
	assert_string_equal(argv[count - 1], "edu");
	lab_boot_argv_free(argv);
}

static void test_cmdline(void **state)
{
	struct lab_boot boot = example();
	_cleanup_free_ char *plain = lab_boot_cmdline(&boot);
	_cleanup_free_ char *more = NULL;
	_cleanup_free_ char *one = NULL;

	(void)state;
	boot.append = "kvm.halt_poll_ns=0";
	more = lab_boot_cmdline(&boot);
	assert_non_null(strstr(plain, "isolcpus=nohz,domain,managed_irq,1-2 nohz_full=1-2 rcu_nocbs=1-2 "));
	assert_non_null(strstr(plain, " kvm.tsc_tolerance_ppm=100000"));
	assert_true(strncmp(plain, more, strlen(plain)) == 0);
	assert_string_equal(more + strlen(plain), " kvm.halt_poll_ns=0");
	boot.isolated = 1;
	one = lab_boot_cmdline(&boot);
	assert_non_null(strstr(one, "managed_irq,1 nohz_full=1 rcu_nocbs=1 "));
}

static void test_plan_is_a_fair_shuffle(void **state)
{
	bool differs = false;

	(void)state;
	for (uint64_t seed = 0; seed < 64; seed++) {
		_cleanup_free_ struct lab_turn *a = lab_plan(3, 4, seed);
		_cleanup_free_ struct lab_turn *b = lab_plan(3, 4, seed);

		assert_memory_equal(a, b, 12 * sizeof(*a));
		for (unsigned int r = 0; r < 4; r++) {
			unsigned int seen = 0;

			for (size_t i = 0; i < 3; i++) {
				assert_int_equal(a[r * 3 + i].repeat, r + 1);
				seen |= 1U << a[r * 3 + i].arm;
			}
			assert_int_equal(seen, 7);
			differs |= a[r * 3].arm != 0;
		}
	}
	assert_true(differs);
}

static void say(struct lab_watch *w, const char *text, uint64_t now)
{
	lab_watch_channel(w, text, strlen(text), now);
}

static void test_watch_silence(void **state)
{
	struct lab_watch w;
	struct err err = { "" };

	(void)state;
	lab_watch_init(&w, 10 * S, 60 * S, 100 * S);
	assert_int_equal(lab_watch_check(&w, 109 * S, &err), 0);
	assert_int_equal(lab_watch_check(&w, 110 * S, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.msg, "no sign of life for 10 s"));
	lab_watch_console(&w, "x", 1, 110 * S);
	assert_int_equal(lab_watch_check(&w, 119 * S, &err), 0);
}

static void test_watch_stall(void **state)
{
	struct lab_watch w;
	struct err err = { "" };

	(void)state;
	lab_watch_init(&w, 10 * S, 60 * S, 0);
	for (uint64_t t = 0; t <= 59; t++)
		say(&w, "{\"phase\":\"guest-start\",\"scenario\":\"a\",\"guest\":\"libvirt\"}\n", t * S);
	assert_int_equal(lab_watch_check(&w, 59 * S, &err), 0);
	say(&w, "{\"phase\":\"guest-start\",\"scenario\":\"a\",\"guest\":\"libvirt\",\"left_s\":3}\n", 60 * S);
	assert_int_equal(lab_watch_check(&w, 60 * S, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.msg, "guest-start"));
	say(&w, "{\"phase\":\"window\",\"scenario\":\"a\",\"guest\":\"libvirt\",\"step\":1}\n", 61 * S);
	assert_int_equal(lab_watch_check(&w, 61 * S, &err), 0);
}

static void test_watch_job_may_take_its_time(void **state)
{
	struct lab_watch w;

	(void)state;
	lab_watch_init(&w, 10 * S, 60 * S, 0);
	for (uint64_t t = 0; t < 600; t += 2)
		say(&w, "{\"phase\":\"job\"}\n", t * S);
	assert_int_equal(lab_watch_check(&w, 600 * S, NULL), 0);
}

static void test_watch_panic(void **state)
{
	static const char text[] = "[    1.0] Kernel panic - not syncing: \x1b[31mno init\r\n";
	struct lab_watch w;
	struct err err = { "" };

	(void)state;
	lab_watch_init(&w, 10 * S, 60 * S, 0);
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		lab_watch_console(&w, text + i, 1, 0);
	assert_int_equal(lab_watch_check(&w, 0, &err), -EIO);
	assert_non_null(strstr(err.msg, "no init"));
	assert_null(strchr(err.msg, '\x1b'));
}

static void test_watch_takes_anything(void **state)
{
	static const char *const lines[] = {
		"\n",
		"{\n",
		"[1]\n",
		"{\"phase\":7}\n",
		"{\"phase\":\"\"}\n",
		"null\n",
		"\"x\"\n",
		"{\"phase\":\"a\",\"step\":-1}\n",
		"{\"phase\":"
		"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}"
		"\n",
	};
	struct lab_watch w;
	char words[256];
	char junk[5000];

	(void)state;
	lab_watch_init(&w, S, S, 0);
	memset(junk, '{', sizeof(junk));
	lab_watch_channel(&w, junk, sizeof(junk), 0);
	lab_watch_console(&w, junk, sizeof(junk), 0);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		say(&w, lines[i], 0);
	assert_int_equal(strlen(w.progress.phase), sizeof(w.progress.phase) - 1);
	lab_watch_describe(&w, words, 8);
	assert_int_equal(strlen(words), 7);
}

static void test_watch_words(void **state)
{
	struct lab_watch w;
	char words[256];

	(void)state;
	lab_watch_init(&w, S, S, 0);
	assert_string_equal(lab_watch_describe(&w, words, sizeof(words)), "boots (firmware)");
	say(&w,
	    "{\"phase\":\"window\",\"scenario\":\"vmstat-host\",\"guest\":\"libvirt\",\"step\":5,\"steps\":20,"
	    "\"left_s\":12,\"gaps\":3}\n",
	    0);
	assert_string_equal(lab_watch_describe(&w, words, sizeof(words)),
			    "vmstat-host in a guest: window 5 of 20, 12 s left, 3 gaps");
	say(&w, "{\"phase\":\"settle\",\"scenario\":\"vmstat-host\",\"guest\":\"none\"}\n", 0);
	assert_string_equal(lab_watch_describe(&w, words, sizeof(words)), "vmstat-host: settle");
}

static void test_job_quotes(void **state)
{
	char *command[] = { (char *)"echo", (char *)"it's", (char *)"$(x) \"y\"", NULL };
	_cleanup_free_ char *text = lab_job_exec(command);

	(void)state;
	assert_non_null(strstr(text, " 'echo' 'it'\\''s' '$(x) \"y\"' <"));
}

static void test_job_run(void **state)
{
	char *names[] = { (char *)"vmstat-host", (char *)"stat-refresh" };
	struct schema_strings scenarios = { .item = names, .count = 2 };
	_cleanup_json_ json_t *done = json_pack("[s]", "/out/stock/1/vmstat-host-none");
	struct lab_job job = {
		.scenarios = &scenarios, .guests = 1U << GUEST_NONE, .probe = "timer", .seed = 42, .done = done
	};
	_cleanup_free_ char *text = lab_job_run(&job);

	(void)state;
	assert_non_null(strstr(text, " --seed 42 --probe timer "));
	assert_non_null(strstr(text, " --guest none --done 'vmstat-host-none' 'vmstat-host' 'stat-refresh'\n"));
}

/* A shell must take every job's text. */
static void test_jobs_are_shell(void **state)
{
	_cleanup_free_ char *text = lab_job_shell(50, 132, "xterm'; false; '");
	char *check[] = { (char *)"sh", (char *)"-n", (char *)"-c", text, NULL };

	(void)state;
	assert_non_null(strstr(text, "rows 50 cols 132"));
	assert_int_equal(process_run(check, NULL, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_two_nodes),
		cmocka_unit_test(test_two_nodes_have_a_power_of_two),
		cmocka_unit_test(test_root_is_read_only),
		cmocka_unit_test(test_comma_in_stage),
		cmocka_unit_test(test_more_arguments_come_last),
		cmocka_unit_test(test_cmdline),
		cmocka_unit_test(test_plan_is_a_fair_shuffle),
		cmocka_unit_test(test_watch_silence),
		cmocka_unit_test(test_watch_stall),
		cmocka_unit_test(test_watch_job_may_take_its_time),
		cmocka_unit_test(test_watch_panic),
		cmocka_unit_test(test_watch_takes_anything),
		cmocka_unit_test(test_watch_words),
		cmocka_unit_test(test_job_quotes),
		cmocka_unit_test(test_job_run),
		cmocka_unit_test(test_jobs_are_shell),
	};

	if (stop_install() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
