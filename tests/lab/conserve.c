// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Are the kernel's memory counters conserved, and does an isolated CPU's count arrive
 * without a kworker there? To be run as root on a host under test whose CPU 1 is isolated:
 *
 *   conserve SECONDS fold|skip    fold: the count must arrive; skip: it need not
 *
 * Counters are stressed on all CPUs while the shepherd runs without a pause
 * (vm.stat_interval 0), so that remote folding and updates collide as often as they can.
 * Then no page may be missing: the free lists of each zone (buddyinfo) are counted
 * otherwise than nr_free_pages, and nr_mlock is what it was.
 */
#include <signal.h>
#include <stdbool.h>
#include <sys/klog.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "inside.h"

#define PAGES 64
#define MAX_CPUS 64
#define SYSLOG_READ_ALL 3

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static long vmstat(const char *name)
{
	FILE *file = fopen("/proc/vmstat", "r");
	char key[64];
	long value;

	while (file && fscanf(file, "%63s %ld", key, &value) == 2)
		if (strcmp(key, name) == 0) {
			fclose(file);
			return value;
		}
	die("/proc/vmstat");
	return 0;
}

/*
 * A fold that is pending there would be made at once when the CPU goes idle (kernel mm/vmstat.c, quiet_vmstat()), by no
 * kworker. Two tasks keep the tick going for three of vm.stat_interval, until one has run and found nothing.
 */
static void unstick(void)
{
	long long start = now_ms();
	pid_t other = fork();

	while (other == 0)
		;
	while (now_ms() - start < 3500)
		;
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
}

/* One page locked on the isolated CPU: how long until /proc/vmstat knows? -1: not within 3 s. */
static int fold_time_ms(void)
{
	long before;
	long long start;
	char *page = map_pages(1);

	put("/proc/sys/vm/stat_refresh", "1");
	before = vmstat("nr_mlock");
	pin(ISOLATED);
	unstick();
	pin(0);
	trace_works(); /* takes its time, in which the shepherd could come */
	pin(ISOLATED);
	*page = 1;
	if (mlock(page, PAGE) < 0)
		die("mlock");
	pin(0);
	for (start = now_ms(); now_ms() - start < 3000;)
		if (vmstat("nr_mlock") == before + 1)
			return (int)(now_ms() - start);
	return -1;
}

static void stress(int cpu)
{
	pin(cpu);
	for (;;) {
		char *pages = map_pages(PAGES);

		for (size_t i = 0; i < PAGES; i++)
			pages[i * PAGE] = 1;
		mlock(pages, PAGES / 2 * PAGE);
		munlock(pages, PAGES / 4 * PAGE);
		munmap(pages, PAGES * PAGE);
	}
}

static void stress_all(unsigned int seconds)
{
	pid_t child[MAX_CPUS];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (int cpu = 0; cpu < cpus && cpu < MAX_CPUS; cpu++) {
		child[cpu] = fork();
		if (child[cpu] == 0)
			stress(cpu);
	}
	sleep(seconds);
	for (int cpu = 0; cpu < cpus && cpu < MAX_CPUS; cpu++)
		kill(child[cpu], SIGKILL);
	while (wait(NULL) > 0)
		;
}

/* "Node 0, zone   Normal  1 2 3": pages on the free lists of all zones. */
static long pages_on_lists(void)
{
	FILE *file = fopen("/proc/buddyinfo", "r");
	char line[512];
	long sum = 0;

	while (file && fgets(line, sizeof(line), file)) {
		char *p = strstr(line, "zone");
		int order = 0;

		for (p = strtok(p ? p + 4 : line, " \n"); p && (p = strtok(NULL, " \n")); order++)
			sum += atol(p) << order;
	}
	if (!file)
		die("/proc/buddyinfo");
	fclose(file);
	return sum;
}

/* Pages come and go between the two readings; a page that is really missing is missing every time. */
static long least_drift(void)
{
	long least = -1;

	for (int i = 0; i < 30 && least != 0; i++) {
		long drift;

		usleep(50000);
		put("/proc/sys/vm/stat_refresh", "1");
		drift = labs(pages_on_lists() - vmstat("nr_free_pages"));
		if (least < 0 || drift < least)
			least = drift;
	}
	return least;
}

static bool warned(void)
{
	static char log[1 << 20];
	int len = klogctl(SYSLOG_READ_ALL, log, sizeof(log) - 1);

	if (len < 0)
		die("klogctl");
	log[len] = '\0';
	return strstr(log, "vmstat_refresh:") || strstr(log, "WARNING:") || strstr(log, "BUG:");
}

static bool say(bool good, const char *what, long figure)
{
	printf("%s: %s: %ld\n", good ? "good" : "BAD", what, figure);
	return good;
}

int main(int argc, char *argv[])
{
	bool good = true;
	long locked;
	int ms;

	if (argc != 3)
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	put("/proc/sys/vm/stat_interval", "1");
	ms = fold_time_ms();
	good &= say(traced("vmstat_update") == 0, "vmstat_update on the isolated CPU", traced("vmstat_update"));
	if (strcmp(argv[2], "fold") == 0)
		good &= say(ms >= 0 && ms < 2100, "ms until nr_mlock is right", ms);
	put(TRACING "events/workqueue/workqueue_execute_start/enable", "0");
	put("/proc/sys/vm/stat_refresh", "1");
	locked = vmstat("nr_mlock");
	put("/proc/sys/vm/stat_interval", "0");
	stress_all((unsigned int)atoi(argv[1]));
	put("/proc/sys/vm/stat_interval", "1");
	put("/proc/sys/vm/stat_refresh", "1");
	good &= say(vmstat("nr_mlock") == locked, "locked pages that are counted and are none",
		    vmstat("nr_mlock") - locked);
	good &= say(least_drift() == 0, "pages missing between the free lists and nr_free_pages", least_drift());
	good &= say(!warned(), "warnings in the kernel's log", warned());
	puts(good ? "conserved" : "NOT CONSERVED");
	return good ? 0 : 2;
}
