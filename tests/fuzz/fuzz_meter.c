// SPDX-License-Identifier: GPL-2.0-or-later
/* meter.bin from anywhere: refused, or figures of which the parts of every whole gap sum to it. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "reports/exact/exact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_sum(const struct meter_gap *gap)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < gap->costs; i++)
		sum += gap->cost[i].insns;
	if (gap->whole && sum != gap->insns[METER_HOST] + gap->insns[METER_GUEST])
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *const kallsyms[METER_LAYERS] = { NULL, NULL };
	_cleanup_close_ int fd = memfd_create("meter", MFD_CLOEXEC);
	_cleanup_json_ json_t *exact = NULL;
	_cleanup_meter_ struct meter_data meter = { 0 };
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	if (meter_load(path, kallsyms, METER_NO_GAP, &meter, NULL) < 0)
		return 0;
	for (size_t i = 0; i < meter.gaps; i++)
		check_sum(&meter.gap[i]);
	exact_build(&meter, NULL, &exact);
	return 0;
}
