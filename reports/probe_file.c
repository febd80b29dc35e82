// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/probe_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

static int check_header(const struct probe_header *h, size_t len, struct err *err)
{
	if (memcmp(h->magic, PROBE_MAGIC, sizeof(h->magic)) != 0)
		return err_set(err, -EINVAL, "is no file of a probe");
	if (h->version != PROBE_VERSION || h->header_bytes != sizeof(*h) ||
	    h->record_bytes != sizeof(struct probe_record))
		return err_set(err, -EINVAL, "is of version %u, only %u is known", h->version, PROBE_VERSION);
	if (h->kind >= PROBE_KIND_MAX)
		return err_set(err, -EINVAL, "comes from an unknown kind of probe, %u", h->kind);
	if (h->cycles_per_second < 1000000 || h->cycles_per_second > 100000000000ULL)
		return err_set(err, -EINVAL, "says %llu cycles per second, which no TSC makes",
			       (unsigned long long)h->cycles_per_second);
	if (h->start_tsc > h->end_tsc)
		return err_set(err, -EINVAL, "ends before it begins");
	if (h->count > (len - sizeof(*h)) / sizeof(struct probe_record))
		return err_set(err, -EINVAL, "is cut short: %llu gaps announced, room for %zu",
			       (unsigned long long)h->count, (len - sizeof(*h)) / sizeof(struct probe_record));
	return 0;
}

static int check_records(const struct probe_header *h, const struct probe_record *records, struct err *err)
{
	uint64_t before = h->start_tsc;

	for (uint64_t i = 0; i < h->count; i++) {
		const struct probe_record *r = &records[i];

		if (r->t0 < before || r->t1 <= r->t0 || r->t1 > h->end_tsc)
			return err_set(err, -EINVAL, "gap %llu lies outside its place in time", (unsigned long long)i);
		before = r->t1;
	}
	return 0;
}

int probe_file_parse(const void *data, size_t len, struct probe_header *ret_header, struct probe_record **ret_records,
		     struct err *err)
{
	_cleanup_free_ struct probe_record *records = NULL;
	struct probe_header header;
	int r;

	if (len < sizeof(header))
		return err_set(err, -EINVAL, "is cut short: no whole header");
	memcpy(&header, data, sizeof(header));
	r = check_header(&header, len, err);
	if (r < 0)
		return r;
	if (header.count) {
		records = calloc(header.count, sizeof(*records));
		if (!records)
			return err_sys(err, -ENOMEM, "%llu gaps", (unsigned long long)header.count);
		memcpy(records, (const char *)data + sizeof(header), header.count * sizeof(*records));
	}
	r = check_records(&header, records, err);
	if (r < 0)
		return r;
	*ret_header = header;
	*ret_records = TAKE_PTR(records);
	return 0;
}
