// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/cpulist.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int parse_cpu(const char **text, unsigned long *ret_cpu)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	*ret_cpu = strtoul(*text, &end, 10);
	*text = end;
	return *ret_cpu < CPU_SETSIZE ? 0 : -ERANGE;
}

static int parse_range(const char **text, cpu_set_t *set)
{
	unsigned long first;
	unsigned long last;
	int ret = parse_cpu(text, &first);

	if (ret < 0)
		return ret;
	last = first;
	if (**text == '-') {
		(*text)++;
		ret = parse_cpu(text, &last);
		if (ret < 0)
			return ret;
	}
	for (unsigned long cpu = first; cpu <= last; cpu++)
		CPU_SET(cpu, set);
	return first <= last ? 0 : -EINVAL;
}

int cpulist_parse(const char *text, cpu_set_t *ret_set)
{
	const char *p = text;
	cpu_set_t set;
	int ret;

	CPU_ZERO(&set);
	while (*p && !isspace((unsigned char)*p)) {
		ret = parse_range(&p, &set);
		if (ret < 0)
			return ret;
		if (*p == ',' && isdigit((unsigned char)p[1]))
			p++;
		else if (*p && !isspace((unsigned char)*p))
			return -EINVAL;
	}
	if (p[strspn(p, " \t\n")])
		return -EINVAL;
	*ret_set = set;
	return 0;
}
