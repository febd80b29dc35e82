// SPDX-License-Identifier: GPL-2.0-or-later
/* probe.bin as a guest may send it: refused, or gaps that lie in order inside the probe's time. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "reports/probe_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ struct probe_record *records = NULL;
	struct probe_header header;
	struct err err;

	if (probe_file_parse(data, size, &header, &records, &err) < 0)
		return 0;
	for (uint64_t i = 0; i < header.count; i++)
		if (records[i].t0 >= records[i].t1 || (i && records[i].t0 < records[i - 1].t1))
			__builtin_trap();
	return 0;
}
