// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/exact/meter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fs.h"
#include "common/marks.h"
#include "reports/exact/meter_fold.h"
#include "reports/exact/meter_read.h"

struct loader {
	const char *path;
	uint32_t run; /* METER_NO_GAP until it is known */
	struct kallsyms *syms[METER_LAYERS];
	struct meter_folder *folder;
	struct meter_data *data;
	size_t gap_room;
	size_t mark_room;
};

/* A layer without kallsyms, or with nothing but zeros there, has no names. */
static int load_symbols(struct loader *loader, int layer, const char *path, struct err *err)
{
	int rc = path && fs_exists(path) ? kallsyms_load(path, &loader->syms[layer], err) : 0;

	return rc == -ENODATA ? 0 : rc;
}

static int add_mark(struct loader *loader, const struct meter_mark_record *record)
{
	struct meter_data *data = loader->data;

	if (data->marks == loader->mark_room) {
		size_t room = loader->mark_room ? loader->mark_room * 2 : 64;
		struct meter_mark *mark = realloc(data->mark, room * sizeof(*mark));

		if (!mark)
			return -ENOMEM;
		data->mark = mark;
		loader->mark_room = room;
	}
	if (record->code == MARK_CALIBRATE && record->cpu == data->run.cpu &&
	    meter_folder_calibrate(loader->folder, record->position))
		return -ENOMEM;
	data->mark[data->marks++] = (struct meter_mark){
		.code = record->code,
		.layer = record->layer,
		.cpu = record->cpu,
		.position = record->position,
		.rep = record->rep,
		.probe_turn = record->probe_turn,
	};
	return 0;
}

static struct meter_gap *new_gap(struct loader *loader)
{
	struct meter_data *data = loader->data;

	if (data->gaps == loader->gap_room) {
		size_t room = loader->gap_room ? loader->gap_room * 2 : 64;
		struct meter_gap *gap = realloc(data->gap, room * sizeof(*gap));

		if (!gap)
			return NULL;
		data->gap = gap;
		loader->gap_room = room;
	}
	memset(&data->gap[data->gaps], 0, sizeof(*data->gap));
	return &data->gap[data->gaps++];
}

static void copy_counts(const struct meter_gap_record *record, struct meter_gap *ret)
{
	ret->gap = record->gap;
	ret->flags = record->flags;
	ret->turn = record->turn;
	ret->position = record->position;
	for (int i = 0; i < METER_LAYERS; i++) {
		ret->insns[i] = record->insns[i];
		ret->rep[i] = record->rep[i];
	}
	ret->exit_insns = record->exit_insns;
	ret->entry_insns = record->entry_insns;
	ret->exits = record->exits;
	ret->slack = record->slack;
}

static int add_gap(struct loader *loader, const struct meter_entry *entry)
{
	struct meter_gap *gap = new_gap(loader);

	if (!gap)
		return -ENOMEM;
	copy_counts(entry->gap, gap);
	return meter_folder_gap(loader->folder, entry->gap, entry->steps,
				loader->data->run.layer == METER_GUEST ? METER_GUEST : METER_HOST, gap);
}

static bool is_ours(struct loader *loader, uint32_t run)
{
	if (loader->run == METER_NO_GAP)
		loader->run = run;
	return loader->run == run;
}

static int take(struct loader *loader, const struct meter_entry *entry)
{
	struct meter_data *data = loader->data;

	switch ((enum meter_type)entry->head->type) {
	case METER_RUN:
	case METER_RUN_END:
		if (is_ours(loader, entry->run->run))
			data->run = *entry->run;
		data->ended |= loader->run == entry->run->run && entry->head->type == METER_RUN_END;
		return 0;
	case METER_BLOCK:
		return meter_folder_block(loader->folder, entry->block);
	case METER_GAP:
		return is_ours(loader, entry->gap->run) ? add_gap(loader, entry) : 0;
	case METER_MARK:
		return entry->mark->run == loader->run ? add_mark(loader, entry->mark) : 0;
	case METER_END:
		data->end = *entry->end;
		data->complete = true;
		return 0;
	}
	return 0;
}

static int read_all(struct loader *loader, struct meter_reader *reader, struct err *err)
{
	struct meter_entry entry;
	int rc;

	while ((rc = meter_reader_next(reader, &entry, err)) > 0) {
		rc = take(loader, &entry);
		if (rc)
			return err_sys(err, rc, "'%s': a record of type %u makes no sense", loader->path,
				       entry.head->type);
	}
	if (!rc && !loader->data->run.head.type)
		return err_set(err, -ENODATA, "'%s' holds no such run of a probe", loader->path);
	return rc;
}

static int by_turn(const void *left, const void *right)
{
	const struct meter_gap *a = left;
	const struct meter_gap *b = right;

	return (a->turn > b->turn) - (a->turn < b->turn);
}

static int load(struct loader *loader, const char *const kallsyms[METER_LAYERS], struct err *err)
{
	_cleanup_meter_reader_ struct meter_reader *reader = NULL;
	int rc = 0;

	for (int i = 0; !rc && i < METER_LAYERS; i++)
		rc = load_symbols(loader, i, kallsyms[i], err);
	if (!rc)
		rc = meter_reader_open(loader->path, &reader, err);
	if (rc)
		return rc;
	loader->data->header = *meter_reader_header(reader);
	loader->data->names = names_new();
	if (loader->data->names)
		loader->folder = meter_folder_new(loader->data->names, loader->syms);
	if (!loader->folder)
		return err_sys(err, -ENOMEM, "cannot read '%s'", loader->path);
	rc = read_all(loader, reader, err);
	if (!rc && loader->data->gaps)
		qsort(loader->data->gap, loader->data->gaps, sizeof(struct meter_gap), by_turn);
	return rc;
}

int meter_load(const char *path, const char *const kallsyms[METER_LAYERS], uint32_t run, struct meter_data *ret,
	       struct err *err)
{
	struct loader loader = { .path = path, .run = run, .data = ret };
	int rc;

	memset(ret, 0, sizeof(*ret));
	rc = load(&loader, kallsyms, err);
	meter_folder_free(loader.folder);
	for (int i = 0; i < METER_LAYERS; i++)
		kallsyms_free(loader.syms[i]);
	if (rc)
		meter_done(ret);
	return rc;
}

int meter_load_bundle(const char *dir, struct meter_data *ret, struct err *err)
{
	_cleanup_free_ char *path = str_printf("%s/meter.bin", dir);
	_cleanup_free_ char *host = str_printf("%s/kallsyms-host.txt", dir);
	_cleanup_free_ char *guest = str_printf("%s/kallsyms-guest.txt", dir);
	const char *const kallsyms[METER_LAYERS] = { host, guest };

	memset(ret, 0, sizeof(*ret));
	if (!path || !host || !guest)
		return err_sys(err, -ENOMEM, "cannot read '%s'", dir);
	if (!fs_exists(path))
		return err_set(err, -ENOENT,
			       "'%s' has no meter.bin: it was not run in a lab with the instruction meter", dir);
	return meter_load(path, kallsyms, METER_NO_GAP, ret, err);
}

void meter_done(struct meter_data *data)
{
	for (size_t i = 0; i < data->gaps; i++) {
		free(data->gap[i].cost);
		free(data->gap[i].root);
	}
	free(data->gap);
	free(data->mark);
	names_free(data->names);
	memset(data, 0, sizeof(*data));
}

const struct meter_gap *meter_find(const struct meter_data *data, uint32_t gap)
{
	for (size_t i = 0; gap != METER_NO_GAP && i < data->gaps; i++) {
		if (data->gap[i].gap == gap)
			return &data->gap[i];
	}
	return NULL;
}
