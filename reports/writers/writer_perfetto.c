// SPDX-License-Identifier: GPL-2.0-or-later
/* The Trace Event Format of Chrome, which ui.perfetto.dev opens: times in microseconds, one process a layer. */
#include "reports/writers/writer.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "reports/writers/hit.h"

/* Each result has three processes: the host's CPU, the guest's vCPU and the probe's gaps. */
enum track { TRACK_HOST, TRACK_GUEST, TRACK_GAPS, TRACK_MAX };

struct sheet {
	json_t *events;
	int first_pid;
};

static int append(struct sheet *sheet, json_t *event)
{
	return json_array_append_new(sheet->events, event) < 0 ? -ENOMEM : 0;
}

static enum track track_of(const json_t *object)
{
	return strcmp(json_get_string(object, "lane"), "guest") == 0 ? TRACK_GUEST : TRACK_HOST;
}

static int name_tracks(struct sheet *sheet, const json_t *result)
{
	static const char *const names[TRACK_MAX] = { "host CPU", "guest vCPU", "gaps" };

	for (int i = 0; i < TRACK_MAX; i++) {
		_cleanup_free_ char *name =
			str_printf("%s: %s, %s, %s", names[i], json_get_name(result, "arm"),
				   json_get_name(result, "scenario"), json_get_string(result, "guest"));

		if (!name ||
		    append(sheet, json_pack("{s:s, s:s, s:i, s:i, s:{s:s}}", "ph", "M", "name", "process_name", "pid",
					    sheet->first_pid + i, "tid", 1, "args", "name", name)) < 0 ||
		    append(sheet,
			   json_pack("{s:s, s:s, s:i, s:i, s:{s:i}}", "ph", "M", "name", "process_sort_index", "pid",
				     sheet->first_pid + i, "tid", 1, "args", "sort_index", sheet->first_pid + i)) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_slice(struct sheet *sheet, enum track track, const char *name, double start_ns, double length_ns,
		     json_t *args)
{
	return append(sheet, json_pack("{s:s, s:s, s:s, s:i, s:i, s:f, s:f, s:o}", "ph", "X", "name", name, "cat",
				       "vcpulat", "pid", sheet->first_pid + (int)track, "tid", 1, "ts", start_ns / 1000,
				       "dur", length_ns / 1000, "args", args));
}

static int add_course(struct sheet *sheet, const struct hit *hit, double start_ns)
{
	json_t *segment;
	json_t *event;
	size_t i;

	json_array_foreach (hit->segments, i, segment) {
		double t0 = json_number_value(json_object_get(segment, "t0_ns"));
		double t1 = json_number_value(json_object_get(segment, "t1_ns"));

		if (add_slice(sheet, track_of(segment), json_get_string(segment, "what"), start_ns + t0, t1 - t0,
			      json_object()) < 0)
			return -ENOMEM;
	}
	json_array_foreach (hit->events, i, event)
		if (append(sheet, json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:f}", "ph", "i", "s", "t", "name",
					    json_get_string(event, "text"), "cat", "vcpulat", "pid",
					    sheet->first_pid + (int)track_of(event), "tid", 1, "ts",
					    (start_ns + json_number_value(json_object_get(event, "t_ns"))) / 1000)) < 0)
			return -ENOMEM;
	return 0;
}

static int add_hit(struct sheet *sheet, const struct hit *hit)
{
	double start_ns = json_number_value(json_object_get(hit->gap, "t_ns"));
	json_t *args = json_pack("{s:O, s:O*, s:O*, s:O*}", "gap", json_object_get(hit->gap, "id"), "window",
				 json_object_get(hit->gap, "window"), "host_ns", json_object_get(hit->gap, "host_ns"),
				 "parts", json_object_get(hit->gap, "parts"));

	if (add_slice(sheet, TRACK_GAPS, json_get_string(hit->gap, "cause"), start_ns,
		      json_number_value(json_object_get(hit->gap, "len_ns")), args) < 0)
		return -ENOMEM;
	return add_course(sheet, hit, start_ns);
}

static int add_typical(struct sheet *sheet, const json_t *result, size_t *found)
{
	const char *cause;
	json_t *example;

	json_object_foreach (json_object_get(result, "examples"), cause, example) {
		struct hit hit;

		if (!hit_typical(result, cause, &hit))
			continue;
		if (add_hit(sheet, &hit) < 0)
			return -ENOMEM;
		(*found)++;
	}
	return 0;
}

static int add_result(struct sheet *sheet, const struct writer_input *input, const json_t *result, size_t *found)
{
	if (name_tracks(sheet, result) < 0)
		return -ENOMEM;
	if (input->gaps == 0)
		return add_typical(sheet, result, found);
	for (size_t i = 0; i < input->gaps; i++) {
		struct hit hit;

		if (!hit_by_id(result, input->gap[i], &hit))
			continue;
		if (add_hit(sheet, &hit) < 0)
			return -ENOMEM;
		(*found)++;
	}
	return 0;
}

int writer_perfetto(const struct writer_input *input, FILE *out, struct err *err)
{
	_cleanup_json_ json_t *document =
		json_pack("{s:[], s:s, s:{s:s, s:O*}}", "traceEvents", "displayTimeUnit", "ns", "otherData", "tool",
			  "vcpulat " VCPULAT_VERSION, "emulated", json_object_get(input->comparison, "emulated"));
	struct sheet sheet = { .events = json_object_get(document, "traceEvents"), .first_pid = 1 };
	size_t found = 0;

	for (size_t i = 0; i < input->count; i++, sheet.first_pid += TRACK_MAX)
		if (add_result(&sheet, input, input->results[i], &found) < 0)
			return err_sys(err, -ENOMEM, "cannot write the trace");
	if (found == 0)
		return err_set(err, -ENOENT, "no result has such a gap to show");
	if (json_dumpf(document, out, JSON_COMPACT | JSON_REAL_PRECISION(15)) < 0)
		return err_sys(err, -EIO, "cannot write the trace");
	return 0;
}
