// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/setup.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/fs.h"
#include "common/json.h"

#define MAX_KEY_CHARS 200
#define MAX_DEPTH 8

static bool is_in(const char *const *list, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], word) == 0)
			return true;
	return false;
}

/* The object that is a member, made where there is none. Borrowed; NULL without memory. */
static json_t *member(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	if (value)
		return value;
	value = json_object();
	return value && json_object_set_new(object, key, value) == 0 ? value : NULL;
}

static int add_token(json_t *set, const char *token, size_t len)
{
	json_t *text = json_stringn(token, len);
	int r = text ? json_object_set_new(set, json_string_value(text), json_true()) : -1;

	json_decref(text);
	return r < 0 ? -ENOMEM : 0;
}

/* Options of a run that say where it put things, or which random numbers it took. */
static bool is_passing_option(const char *word, size_t len)
{
	static const char *const options[] = { "--seed", "-o", "--output", "--progress" };

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strlen(options[i]) == len && strncmp(options[i], word, len) == 0)
			return true;
	return false;
}

static int add_words(json_t *set, const char *text)
{
	bool skip = false;
	int r = 0;

	for (const char *word = text + strspn(text, " \n"); *word && r == 0; word += strspn(word, " \n")) {
		size_t len = strcspn(word, " \n");
		bool passing = is_passing_option(word, len);

		if (!skip && !passing)
			r = add_token(set, word, len);
		skip = passing;
		word += len;
	}
	return r;
}

static int add_lines(json_t *set, const char *text)
{
	int r = 0;

	while (*text && r == 0) {
		size_t len = strcspn(text, "\n");

		if (len)
			r = add_token(set, text, len);
		text += len + (text[len] == '\n');
	}
	return r;
}

static int add_text(json_t *section, const char *key, const char *text)
{
	static const char *const word_keys[] = { "cmdline", "command" };
	json_t *set = member(section, key);

	if (!set)
		return -ENOMEM;
	if (is_in(word_keys, ARRAY_SIZE(word_keys), key))
		return add_words(set, text);
	if (strchr(text, '\n'))
		return add_lines(set, text);
	return *text ? add_token(set, text, strlen(text)) : 0;
}

static char *spell(const json_t *value)
{
	if (json_is_string(value))
		return strdup(json_string_value(value));
	return json_is_null(value) ? strdup("unknown") : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
}

static int add_scalar(json_t *section, const char *key, const json_t *value)
{
	_cleanup_free_ char *text = spell(value);

	return text ? add_text(section, key, text) : -ENOMEM;
}

/* Elements of a list are one key's values: their order says nothing. */
static int add_list(json_t *section, const char *key, const json_t *list)
{
	json_t *set = member(section, key);
	json_t *item;
	size_t i;
	int r = set ? 0 : -ENOMEM;

	json_array_foreach (list, i, item) {
		_cleanup_free_ char *text = r == 0 ? spell(item) : NULL;

		if (r == 0)
			r = text ? add_token(set, text, strlen(text)) : -ENOMEM;
	}
	return r;
}

/* A value under its key; members of an object as "key.member". */
static int add_value(json_t *section, const char *key, const json_t *value, unsigned int depth)
{
	const char *name;
	json_t *inner;

	if (json_is_array(value))
		return add_list(section, key, value);
	if (!json_is_object(value))
		return add_scalar(section, key, value);
	json_object_foreach ((json_t *)value, name, inner) {
		char path[MAX_KEY_CHARS];
		int r;

		snprintf(path, sizeof(path), "%s%s%s", key, *key ? "." : "", name);
		r = depth < MAX_DEPTH ? add_value(section, path, inner, depth + 1) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_some(json_t *section, const json_t *object, const char *const *skip, size_t n)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)object, name, value) {
		int r = is_in(skip, n, name) ? 0 : add_value(section, name, value, 0);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Release and command line are the arm's, where they stand without the words of one run. */
static int add_facts(struct setup *setup, const char *name, const json_t *facts)
{
	static const char *const skip[] = { "boot_id", "log_ns", "monotonic_ns", "loadavg", "release", "cmdline" };
	json_t *section = facts ? member(setup->sections, name) : NULL;

	if (!facts)
		return 0;
	return section ? add_some(section, facts, skip, ARRAY_SIZE(skip)) : -ENOMEM;
}

static int add_arm(struct setup *setup, const json_t *arm)
{
	static const char *const skip[] = { "host", "guest", "retries" };
	json_t *section = member(setup->sections, "arm");
	json_t *host = member(setup->sections, "host");
	json_t *guest = member(setup->sections, "guest");
	int r = section && host && guest ? add_some(section, arm, skip, ARRAY_SIZE(skip)) : -ENOMEM;

	if (r == 0)
		r = add_some(host, json_object_get(arm, "host"), NULL, 0);
	return r < 0 ? r : add_some(guest, json_object_get(arm, "guest"), NULL, 0);
}

/* "guest-start: no agent in 45 s" */
static int add_retries(json_t *section, const json_t *retries)
{
	json_t *set = member(section, "retries");
	json_t *retry;
	size_t i;

	json_array_foreach (retries, i, retry) {
		_cleanup_free_ char *text =
			str_printf("%s: %s", json_get_string(retry, "what"), json_get_string(retry, "reason"));

		if (!set || !text || add_token(set, text, strlen(text)) < 0)
			return -ENOMEM;
	}
	return set ? 0 : -ENOMEM;
}

/* The clock is measured at every start and never gives the same number twice. */
static int add_clock(json_t *section, const json_t *manifest)
{
	uint64_t hz = json_get_u64(manifest, "cycles_per_second");
	_cleanup_free_ char *text = str_printf("%.1f MHz", (double)hz / 1e6);

	return !hz ? 0 : text ? add_text(section, "tsc", text) : -ENOMEM;
}

static int add_run(struct setup *setup, const json_t *manifest)
{
	static const char *const keys[] = { "tool", "mode",    "emulated",	 "guest",  "threshold_ns", "status",
					    "lost", "tracing", "missing_events", "limits", "command" };
	json_t *section = member(setup->sections, "run");
	int r = section ? 0 : -ENOMEM;

	for (size_t i = 0; i < ARRAY_SIZE(keys) && r == 0; i++) {
		const json_t *value = json_object_get(manifest, keys[i]);

		r = value ? add_value(section, keys[i], value, 0) : 0;
	}
	r = r < 0 ? r : add_clock(section, manifest);
	return r < 0 ? r : add_retries(section, json_object_get(manifest, "retries"));
}

int setup_add(struct setup *setup, const json_t *manifest, const json_t *host_facts, const json_t *guest_facts)
{
	json_t *scenario;
	int r;

	if (!setup->sections)
		setup->sections = json_object();
	scenario = member(setup->sections, "scenario");
	if (!setup->sections || !scenario)
		return -ENOMEM;
	setup->runs++;
	r = add_arm(setup, json_object_get(manifest, "arm"));
	r = r < 0 ? r : add_facts(setup, "host facts", host_facts);
	r = r < 0 ? r : add_facts(setup, "guest facts", guest_facts);
	r = r < 0 ? r : add_value(scenario, "", json_object_get(manifest, "scenario"), 0);
	return r < 0 ? r : add_run(setup, manifest);
}

/* The members of one set that the other has not. */
static json_t *only_in(const json_t *set, const json_t *other)
{
	json_t *list = json_array();
	const char *token;
	json_t *value;

	json_object_foreach ((json_t *)set, token, value)
		if (!json_object_get(other, token))
			json_array_append_new(list, json_string(token));
	return list;
}

static void add_difference(json_t *list, const char *section, const char *key, json_t *a, json_t *b)
{
	if (!json_array_size(a) && !json_array_size(b)) {
		json_decref(a);
		json_decref(b);
		return;
	}
	json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o}", "section", section, "key", key, "a", a, "b", b));
}

static void diff_section(json_t *list, const char *section, const json_t *a, const json_t *b)
{
	const char *key;
	json_t *set;

	json_object_foreach ((json_t *)a, key, set)
		add_difference(list, section, key, only_in(set, json_object_get(b, key)),
			       only_in(json_object_get(b, key), set));
	json_object_foreach ((json_t *)b, key, set)
		if (!json_object_get(a, key))
			add_difference(list, section, key, json_array(), only_in(set, NULL));
}

/* A section that one side lacks altogether was not recorded there: no reason to list what the other has. */
static void diff_sections(json_t *list, json_t *missing, const struct setup *a, const struct setup *b)
{
	const char *name;
	json_t *section;

	json_object_foreach (a->sections, name, section) {
		const json_t *other = json_object_get(b->sections, name);

		if (other)
			diff_section(list, name, section, other);
		else
			json_array_append_new(missing, json_pack("{s:s, s:s}", "section", name, "side", "b"));
	}
	json_object_foreach (b->sections, name, section)
		if (!json_object_get(a->sections, name))
			json_array_append_new(missing, json_pack("{s:s, s:s}", "section", name, "side", "a"));
}

static size_t count_keys(const struct setup *setup)
{
	const char *name;
	json_t *section;
	size_t n = 0;

	json_object_foreach (setup->sections, name, section)
		n += json_object_size(section);
	return n;
}

static json_t *side_json(const struct setup *setup)
{
	return json_pack("{s:s, s:I, s:I}", "path", setup->path ? setup->path : "", "runs", (json_int_t)setup->runs,
			 "keys", (json_int_t)count_keys(setup));
}

json_t *setup_diff(const struct setup *a, const struct setup *b)
{
	json_t *differences = json_array();
	json_t *missing = json_array();

	diff_sections(differences, missing, a, b);
	return json_pack("{s:s, s:o, s:o, s:b, s:o, s:o}", "schema", "vcpulat-diff-1", "a", side_json(a), "b",
			 side_json(b), "same", !json_array_size(differences) && !json_array_size(missing),
			 "not_recorded", missing, "differences", differences);
}

void setup_done(struct setup *setup)
{
	json_decref(setup->sections);
	free(setup->path);
	*setup = (struct setup){ 0 };
}
