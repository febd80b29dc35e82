// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which drains make a worker run on the isolated CPU? To be run as root on a host under
 * test: something is left in each of the CPU's caches, the kernel is made to want it
 * back, and the workers that began there are counted. Prints "NAME COUNT" for each.
 */
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inside.h"

#define CGROUP "/sys/fs/cgroup/"

/* Touches pages on the isolated CPU and stays there, asleep: its caches are not emptied by an exit. */
static pid_t leave_behind(size_t pages, size_t unmapped, const char *cgroup)
{
	int ready[2];
	char *memory;
	pid_t pid;

	if (pipe(ready) < 0)
		die("pipe");
	pid = fork();
	if (pid == 0) {
		if (cgroup)
			put(cgroup, "0");
		memory = map_pages(pages + unmapped);
		pin(ISOLATED);
		for (size_t i = 0; i < pages + unmapped; i++)
			memory[i * PAGE] = 1;
		if (unmapped)
			munmap(memory + pages * PAGE, unmapped * PAGE);
		if (write(ready[1], "", 1) != 1)
			die("write");
		for (;;)
			pause();
	}
	if (pid < 0 || read(ready[0], &(char){ 0 }, 1) != 1)
		die("child");
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void count(const char *name, const char *function, pid_t child)
{
	usleep(200000);
	printf("%s %d\n", name, traced(function));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void lru(void)
{
	pid_t child = leave_behind(5, 0, NULL);

	trace_works();
	put("/proc/sys/vm/compact_memory", "1");
	count("lru_add_drain_per_cpu", "lru_add_drain_per_cpu", child);
}

/* The attempt drains every CPU, whether the memory can go or not; what goes comes back at once. */
static void pcp(void)
{
	pid_t child = leave_behind(1, 8, NULL);
	glob_t blocks;

	if (glob("/sys/devices/system/memory/memory*/state", 0, NULL, &blocks) != 0)
		die("no memory blocks");
	trace_works();
	for (size_t i = 0; i < blocks.gl_pathc && i < 4; i++) {
		const char *words[] = { "offline", "online" };

		for (int w = 0; w < 2; w++) {
			int fd = open(blocks.gl_pathv[blocks.gl_pathc - 1 - i], O_WRONLY);

			if (fd < 0 || write(fd, words[w], strlen(words[w])) < 0)
				perror(blocks.gl_pathv[blocks.gl_pathc - 1 - i]);
			close(fd);
		}
	}
	globfree(&blocks);
	count("drain_local_pages_wq", "drain_local_pages_wq", child);
}

static void memcg(void)
{
	char high[32];
	pid_t child;
	FILE *file;
	long bytes;

	put(CGROUP "cgroup.subtree_control", "+memory");
	if (mkdir(CGROUP "trigger", 0755) < 0)
		die(CGROUP "trigger");
	child = leave_behind(5, 0, CGROUP "trigger/cgroup.procs");
	trace_works();
	file = fopen(CGROUP "trigger/memory.current", "r");
	if (!file || fscanf(file, "%ld", &bytes) != 1)
		die("memory.current");
	fclose(file);
	snprintf(high, sizeof(high), "%ld", bytes - PAGE);
	put(CGROUP "trigger/memory.high", high);
	put(CGROUP "trigger/memory.high", "max");
	count("drain_local_stock", "drain_local_stock", child);
	rmdir(CGROUP "trigger");
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	pin(0);
	lru();
	pcp();
	memcg();
	return 0;
}
