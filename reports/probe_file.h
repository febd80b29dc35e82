/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe.bin (common/probe_format.h), read as the hostile input that a guest's is. Pure but for memory. */
#ifndef VCPULAT_PROBE_FILE_H
#define VCPULAT_PROBE_FILE_H

#include <stddef.h>

#include "common/err.h"
#include "common/probe_format.h"

#define PROBE_MAX_BYTES ((size_t)256 << 20)

/**
 * probe_file_parse - check a probe's file
 * @data: its content
 * @len: bytes
 * @ret_header: its header; count is that of @ret_records
 * @ret_records: set to a heap array, ascending and not overlapping; NULL when there is none
 * @err: says what is wrong, without the file's name
 *
 * Return: 0, -EINVAL for a file that is none or contradicts itself, or -ENOMEM.
 */
int probe_file_parse(const void *data, size_t len, struct probe_header *ret_header, struct probe_record **ret_records,
		     struct err *err);

#endif
