/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the programs that run inside an emulated host share. They stand alone: one file
 * each, static, nothing of the tool's. Any failure ends them with exit 1.
 */
#ifndef TESTS_LAB_INSIDE_H
#define TESTS_LAB_INSIDE_H

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ISOLATED 1 /* the CPU that the lab's command line isolates */
#define PAGE 4096
#define TRACING "/sys/kernel/tracing/"

static inline void die(const char *what)
{
	perror(what);
	exit(1);
}

static inline void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) == EOF || fclose(file) == EOF)
		die(path);
}

static inline void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		die("sched_setaffinity");
}

static inline void *map_pages(size_t pages)
{
	void *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

/* Lines of the isolated CPU's trace that name a function. */
static inline int traced(const char *function)
{
	FILE *file = fopen(TRACING "per_cpu/cpu1/trace", "r");
	char line[512];
	int n = 0;

	while (file && fgets(line, sizeof(line), file))
		n += strstr(line, function) != NULL;
	if (file)
		fclose(file);
	return n;
}

/* From here on traced() counts works that begin to run. */
static inline void trace_works(void)
{
	put(TRACING "events/workqueue/workqueue_execute_start/enable", "1");
	put(TRACING "trace", "");
}

#endif
