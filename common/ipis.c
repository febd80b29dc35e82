// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/ipis.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fs.h"

#define MAX_BYTES (4 << 20)

/* "CAL:  12  34   Function call interrupts": one number a CPU. */
static uint64_t sum(const char *numbers)
{
	uint64_t total = 0;

	for (char *end;; numbers = end) {
		uint64_t number = strtoull(numbers, &end, 10);

		if (end == numbers)
			return total;
		total += number;
	}
}

uint64_t ipis_parse(const char *text)
{
	uint64_t total = 0;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += strspn(line, "\n ");
		if (strncmp(line, "CAL:", 4) == 0 || strncmp(line, "TLB:", 4) == 0)
			total += sum(line + 4);
	}
	return total;
}

int ipis_read(uint64_t *ret)
{
	_cleanup_free_ char *text = NULL;
	int res = fs_read("/proc/interrupts", MAX_BYTES, &text, NULL, NULL);

	if (res == 0)
		*ret = ipis_parse(text);
	return res;
}
