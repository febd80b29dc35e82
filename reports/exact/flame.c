// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/exact/flame.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "reports/exact/meter_class.h"

static uint64_t total_of(const struct meter_gap *gap)
{
	return gap->insns[METER_HOST] + gap->insns[METER_GUEST];
}

static int by_total(const void *left, const void *right)
{
	const struct meter_gap *const *a = left;
	const struct meter_gap *const *b = right;
	uint64_t x = total_of(*a);
	uint64_t y = total_of(*b);

	return (x > y) - (x < y);
}

static bool shows_only(const struct meter_data *data, const struct meter_gap *gap, const char *cause)
{
	return gap->roots == 1 && gap->root[0].count == 1 &&
	       !strcmp(names_text(data->names, gap->root[0].cause), cause);
}

static const json_t *gap_of_result(const json_t *result, uint64_t turn)
{
	size_t i;
	const json_t *gap;

	json_array_foreach (json_object_get(result, "gaps"), i, gap) {
		if (json_get_u64(gap, "turn") == turn)
			return gap;
	}
	return NULL;
}

static bool is_of(const struct meter_data *data, const json_t *result, const struct meter_gap *gap, const char *cause)
{
	const json_t *timed = result ? gap_of_result(result, gap->turn) : NULL;

	if (!gap->whole)
		return false;
	if (!timed || !strcmp(json_get_string(timed, "cause"), "unexplained"))
		return shows_only(data, gap, cause);
	return json_is_true(json_object_get(timed, "single")) && !strcmp(json_get_string(timed, "cause"), cause);
}

static void say_causes(const struct meter_data *data, const char *cause, struct err *err)
{
	size_t used = (size_t)snprintf(err->msg, sizeof(err->msg), "no metered gap is '%s' alone; there are:", cause);
	uint32_t seen[16];
	size_t n = 0;

	for (size_t i = 0; i < data->gaps && n < ARRAY_SIZE(seen); i++) {
		const struct meter_gap *gap = &data->gap[i];
		bool known = gap->roots != 1;

		for (size_t j = 0; j < n && !known; j++)
			known = seen[j] == gap->root[0].cause;
		if (known || used >= sizeof(err->msg))
			continue;
		seen[n++] = gap->root[0].cause;
		used += (size_t)snprintf(err->msg + used, sizeof(err->msg) - used, " %s",
					 names_text(data->names, gap->root[0].cause));
	}
}

int flame_pick(const struct meter_data *data, const json_t *result, const char *cause, const struct meter_gap **ret,
	       struct err *err)
{
	_cleanup_free_ const struct meter_gap **gap = calloc(data->gaps + 1, sizeof(*gap));
	size_t n = 0;

	if (!gap)
		return err_sys(err, -ENOMEM, "cannot pick a gap");
	for (size_t i = 0; i < data->gaps; i++) {
		if (is_of(data, result, &data->gap[i], cause))
			gap[n++] = &data->gap[i];
	}
	if (!n) {
		if (err)
			say_causes(data, cause, err);
		return -ENOENT;
	}
	qsort(gap, n, sizeof(*gap), by_total);
	*ret = gap[(n - 1) / 2];
	return 0;
}

static void put_frame(FILE *out, const char *text)
{
	for (; *text; text++)
		fputc(*text == ';' || isspace((unsigned char)*text) ? '_' : *text, out);
}

int flame_write_folded(FILE *out, const struct meter_data *data, const struct meter_gap *gap)
{
	for (size_t i = 0; i < gap->costs; i++) {
		const struct meter_cost *cost = &gap->cost[i];

		if (!cost->insns)
			continue;
		fputs(cost->layer == METER_HOST ? "host;" : "guest;", out);
		put_frame(out, names_text(data->names, cost->context));
		fputc(';', out);
		put_frame(out, names_text(data->names, cost->function));
		fprintf(out, " %llu\n", (unsigned long long)cost->insns);
	}
	return ferror(out) ? -EIO : 0;
}

static json_t *frames_of(const struct meter_data *data, const struct meter_gap *gap)
{
	json_t *frames = json_array();

	for (size_t i = 0; i < gap->costs; i++) {
		const struct meter_cost *cost = &gap->cost[i];
		const char *function = names_text(data->names, cost->function);

		if (cost->insns)
			json_array_append_new(frames,
					      json_pack("[s,s,s,I,b]", cost->layer == METER_HOST ? "host" : "guest",
							names_text(data->names, cost->context), function,
							(json_int_t)cost->insns, meter_class_is_tracer(function)));
	}
	return frames;
}

static json_t *page_data(const char *title, const struct meter_data *data, const struct meter_gap *gap)
{
	return json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:b,s:o}", "title", title, "host",
			 (json_int_t)gap->insns[METER_HOST], "guest", (json_int_t)gap->insns[METER_GUEST], "switches",
			 (json_int_t)gap->exits, "turn", (json_int_t)gap->turn, "slack", (json_int_t)gap->slack,
			 "whole", gap->whole, "frames", frames_of(data, gap));
}

/* JSON inside a script element: nothing in it may end the element or begin a comment. */
static void put_script_safe(FILE *out, const char *json)
{
	for (; *json; json++) {
		if (strchr("<>&", *json))
			fprintf(out, "\\u%04x", (unsigned int)*json);
		else
			fputc(*json, out);
	}
}

int flame_write_page(FILE *out, const char *template, const char *title, const struct meter_data *data,
		     const struct meter_gap *gap)
{
	const char *mark = strstr(template, FLAME_MARK);
	_cleanup_json_ json_t *value = page_data(title, data, gap);
	_cleanup_free_ char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

	if (!mark)
		return -EINVAL;
	if (!text)
		return -ENOMEM;
	fwrite(template, 1, (size_t)(mark - template), out);
	put_script_safe(out, text);
	fputs(mark + strlen(FLAME_MARK), out);
	return ferror(out) ? -EIO : 0;
}
