// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>

#include "reports/exact/meter_read.h"

struct cut {
	uint32_t run;
	bool found;
	FILE *out;
	const char *to;
};

static int put(struct cut *cut, const void *data, size_t len, struct err *err)
{
	if (fwrite(data, 1, len, cut->out) != len)
		return err_sys(err, errno ? -errno : -EIO, "cannot write '%s'", cut->to);
	return 0;
}

/* All blocks stay: their ids are positions. */
static bool belongs(struct cut *cut, const struct meter_entry *entry)
{
	switch ((enum meter_type)entry->head->type) {
	case METER_RUN:
		cut->found |= entry->run->run == cut->run;
		return entry->run->run == cut->run;
	case METER_RUN_END:
		return entry->run->run == cut->run;
	case METER_GAP:
		return entry->gap->run == cut->run;
	case METER_MARK:
		return entry->mark->run == cut->run || entry->mark->run + 1 == cut->run;
	case METER_BLOCK:
	case METER_END:
		return true;
	}
	return false;
}

static int copy(struct meter_reader *reader, struct cut *cut, struct err *err)
{
	struct meter_entry entry;
	int rc = put(cut, meter_reader_header(reader), sizeof(struct meter_header), err);

	while (!rc && (rc = meter_reader_next(reader, &entry, err)) > 0)
		rc = belongs(cut, &entry) ? put(cut, entry.head, entry.head->bytes, err) : 0;
	return rc;
}

int meter_cut(const char *from, uint32_t run, const char *to, struct err *err)
{
	_cleanup_meter_reader_ struct meter_reader *reader = NULL;
	struct cut cut = { .run = run, .to = to };
	int rc = meter_reader_open(from, &reader, err);

	if (rc)
		return rc;

	_cleanup_fclose_ FILE *out = fopen(to, "wbe");

	if (!out)
		return err_sys(err, -errno, "cannot write '%s'", to);
	cut.out = out;
	rc = copy(reader, &cut, err);
	if (!rc && fflush(out))
		rc = err_sys(err, -errno, "cannot write '%s'", to);
	if (!rc && !cut.found)
		rc = err_set(err, -ENOENT, "'%s' holds no run %u of a probe", from, run);
	if (rc)
		remove(to);
	return rc;
}
