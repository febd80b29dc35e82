// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/writers/html.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"

/* Texts by index, in order of appearance. */
struct dictionary {
	json_t *index; /* object: name to number */
	json_t *names; /* array */
};

struct dictionaries {
	struct dictionary causes;
	struct dictionary events; /* texts of events */
};

static void dictionaries_done(struct dictionaries *d)
{
	json_decref(d->causes.index);
	json_decref(d->causes.names);
	json_decref(d->events.index);
	json_decref(d->events.names);
}

static json_int_t look_up(struct dictionary *dictionary, const char *name)
{
	json_t *known = json_object_get(dictionary->index, name);
	json_int_t next = (json_int_t)json_array_size(dictionary->names);

	if (known)
		return json_integer_value(known);
	json_object_set_new(dictionary->index, name, json_integer(next));
	json_array_append_new(dictionary->names, json_string(name));
	return next;
}

static void append_ns(json_t *column, const json_t *object, const char *key)
{
	json_array_append_new(column, json_integer((json_int_t)json_get_u64(object, key)));
}

static json_t *parts_json(const json_t *gap, struct dictionary *dictionary)
{
	json_t *flat = json_array();
	json_t *part;
	size_t i;

	json_array_foreach (json_object_get(gap, "parts"), i, part) {
		json_array_append_new(flat, json_integer(look_up(dictionary, json_get_string(part, "cause"))));
		append_ns(flat, part, "ns");
	}
	return flat;
}

static void append_lane(json_t *flat, const json_t *item)
{
	json_array_append_new(flat, json_integer(strcmp(json_get_string(item, "lane"), "guest") == 0));
}

static void append_time(json_t *flat, const json_t *item, const char *key)
{
	json_array_append_new(flat, json_integer(json_integer_value(json_object_get(item, key))));
}

/* Of each segment lane, begin, end and cause; of each event lane, time and text: a tenth of what objects would take. */
static json_t *course_json(const json_t *gap, struct dictionaries *d)
{
	json_t *segments = json_array();
	json_t *events = json_array();
	json_t *item;
	size_t i;

	json_array_foreach (json_object_get(gap, "segments"), i, item) {
		append_lane(segments, item);
		append_time(segments, item, "t0_ns");
		append_time(segments, item, "t1_ns");
		json_array_append_new(segments, json_integer(look_up(&d->causes, json_get_string(item, "what"))));
	}
	json_array_foreach (json_object_get(gap, "events"), i, item) {
		append_lane(events, item);
		append_time(events, item, "t_ns");
		json_array_append_new(events, json_integer(look_up(&d->events, json_get_string(item, "text"))));
	}
	return json_pack("{s:o, s:o, s:I}", "s", segments, "e", events, "cut",
			 (json_int_t)json_get_u64(gap, "events_cut"));
}

/* One bit each: 1 single, 2 lost, 32 vague; and 4, 8, 16 for armed, control, guard. */
static json_int_t flags(const json_t *gap)
{
	const char *window = json_get_string(gap, "window");
	json_int_t bits = json_is_true(json_object_get(gap, "single")) ? 1 : 0;

	bits |= json_is_true(json_object_get(gap, "lost")) ? 2 : 0;
	bits |= json_is_true(json_object_get(gap, "vague")) ? 32 : 0;
	if (strcmp(window, "armed") == 0)
		return bits | 4;
	if (strcmp(window, "control") == 0)
		return bits | 8;
	return strcmp(window, "guard") == 0 ? bits | 16 : bits;
}

static json_t *gaps_json(const json_t *gaps, struct dictionaries *d)
{
	json_t *column[] = { json_array(), json_array(), json_array(), json_array(),
			     json_array(), json_array(), json_array(), json_array() };
	json_t *detail = json_object();
	json_t *queued = json_object();
	json_t *gap;
	size_t i;

	json_array_foreach (gaps, i, gap) {
		char key[24];

		append_ns(column[0], gap, "t_ns");
		append_ns(column[1], gap, "len_ns");
		json_array_append_new(column[2], json_integer(look_up(&d->causes, json_get_string(gap, "cause"))));
		json_array_append_new(column[3], json_integer(flags(gap)));
		append_ns(column[4], gap, "host_ns");
		append_ns(column[5], gap, "exits");
		json_array_append_new(column[6], parts_json(gap, &d->causes));
		append_ns(column[7], gap, "id");
		snprintf(key, sizeof(key), "%zu", i);
		if (json_is_array(json_object_get(gap, "queued")))
			json_object_set(queued, key, json_object_get(gap, "queued"));
		if (json_is_array(json_object_get(gap, "segments")))
			json_object_set_new(detail, key, course_json(gap, d));
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "t", column[0], "len", column[1],
			 "cause", column[2], "flags", column[3], "host", column[4], "exits", column[5], "parts",
			 column[6], "id", column[7], "detail", detail, "queued", queued);
}

static json_t *run_json(const json_t *result, struct dictionaries *d)
{
	static const char *const kept[] = {
		"guest", "mode",     "boot_id", "status",  "command",	"retries",	     "clock",	   "probe",
		"lost",	 "exposure", "windows", "actions", "explained", "examples",	     "kernel_log", "verdict",
		"path",	 "bundle",   "trace",	"tool",	   "facts",	"kernel_log_missing"
	};
	json_t *run = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (json_object_get(result, kept[i]))
			json_object_set(run, kept[i], json_object_get(result, kept[i]));
	json_object_set_new(run, "arm", json_string(json_get_name(result, "arm")));
	json_object_set(run, "scenario", json_object_get(result, "scenario"));
	json_object_set_new(run, "gaps", gaps_json(json_object_get(result, "gaps"), d));
	return run;
}

/* In a script element "</script" would end it, and "<!--" begins a comment. */
static char *escape_for_script(const char *text)
{
	size_t extra = 0;
	char *escaped;
	char *out;

	for (const char *c = text; *c; c++)
		extra += *c == '<' || *c == '>' || *c == '&' ? 5 : 0;
	escaped = malloc(strlen(text) + extra + 1);
	if (!escaped)
		return NULL;
	out = escaped;
	for (const char *c = text; *c; c++) {
		if (*c == '<' || *c == '>' || *c == '&')
			out += snprintf(out, 7, "\\u%04x", (unsigned int)*c);
		else
			*out++ = *c;
	}
	*out = '\0';
	return escaped;
}

char *report_html_data(const json_t *comparison, const json_t *const *results, size_t n)
{
	_cleanup_(dictionaries_done) struct dictionaries d = { { json_object(), json_array() },
							       { json_object(), json_array() } };
	_cleanup_json_ json_t *data = NULL;
	_cleanup_free_ char *text = NULL;
	json_t *runs = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(runs, run_json(results[i], &d));
	data = json_pack("{s:O, s:o, s:O, s:O}", "comparison", comparison, "runs", runs, "causes", d.causes.names,
			 "texts", d.events.names);
	text = data ? json_dumps(data, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9)) : NULL;
	return text ? escape_for_script(text) : NULL;
}
