// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/cpus.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/cpulist.h"
#include "common/fs.h"

int cpus_read(const char *path, cpu_set_t *ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	int res = fs_read_line(path, &text, err);

	if (res < 0)
		return res;
	res = cpulist_parse(text, ret);
	if (res < 0)
		return err_sys(err, res, "'%s' holds '%s', not a CPU list", path, text);
	return 0;
}

char *cpus_format(const cpu_set_t *set)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	bool first = true;

	if (!out)
		return NULL;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		int last = cpu;

		if (!CPU_ISSET(cpu, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		fprintf(out, first ? "%d" : ",%d", cpu);
		if (last > cpu)
			fprintf(out, "-%d", last);
		cpu = last;
		first = false;
	}
	fclose(out);
	return text;
}

int cpus_first(const cpu_set_t *set)
{
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, set))
			return cpu;
	return -1;
}
