// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/bundle.h"

#include <errno.h>
#include <string.h>

#include "common/fs.h"
#include "common/json.h"
#include "reports/probe_file.h"
#include "reports/search.h"

#define SCHEMA "vcpulat-bundle-1"
#define MAX_ACTIONS_BYTES ((size_t)64 << 20)

static const char *const state_names[BUNDLE_STATE_MAX] = { "armed", "control", "guard", "outside" };
static const char *const role_names[BUNDLE_ROLE_MAX] = { "primer", "sham", "stimulus", "settle" };

const char *bundle_state_name(enum bundle_state state)
{
	return state_names[state];
}

const char *bundle_role_name(enum bundle_role role)
{
	return role_names[role];
}

static int find_name(const char *const *names, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

char *bundle_path(const struct bundle *bundle, const char *file)
{
	return str_printf("%s/%s", bundle->dir, file);
}

static int load_manifest(struct bundle *b, struct err *err)
{
	_cleanup_free_ char *path = bundle_path(b, "manifest.json");
	int r = path ? json_read(path, &b->manifest, err) : -ENOMEM;

	if (r == -ENOENT)
		return err_set(err, r, "'%s' is no bundle: it has no manifest.json", b->dir);
	if (r < 0)
		return r;
	if (strcmp(json_get_string(b->manifest, "schema"), SCHEMA) != 0)
		return err_set(err, -EINVAL, "'%s' has schema '%s', only '%s' is known", path,
			       json_get_string(b->manifest, "schema"), SCHEMA);
	b->has_guest = strcmp(json_get_string(b->manifest, "guest"), "none") != 0;
	b->is_bare = strcmp(json_get_string(b->manifest, "guest"), "bare") == 0;
	b->is_complete = strcmp(json_get_string(b->manifest, "status"), "complete") == 0;
	b->is_emulated = json_is_true(json_object_get(b->manifest, "emulated"));
	b->cycles_per_second = json_get_u64(b->manifest, "cycles_per_second");
	b->threshold_ns = json_get_u64(b->manifest, "threshold_ns");
	return 0;
}

static void load_pids(struct bundle *b, const json_t *pids, enum trace_layer layer, const char *key)
{
	const json_t *list = json_object_get(pids, key);
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n && b->n_stimulus[layer] < BUNDLE_MAX_PIDS; i++)
		b->stimulus[layer][b->n_stimulus[layer]++] = (int32_t)json_integer_value(json_array_get(list, i));
}

static void load_measured(struct bundle *b)
{
	const json_t *m = json_object_get(b->manifest, "measured");
	const json_t *pids = json_object_get(m, "stimulus_pids");

	b->host_cpu = (uint16_t)json_get_u64(m, "host_cpu");
	b->guest_cpu = (uint16_t)json_get_u64(m, "guest_cpu");
	b->vcpu_tid = (int32_t)json_get_u64(m, "vcpu_tid");
	b->probe_tid = (int32_t)json_get_u64(m, "probe_tid");
	load_pids(b, pids, TRACE_HOST, "host");
	load_pids(b, pids, TRACE_GUEST, "guest");
}

static int load_windows(struct bundle *b, struct err *err)
{
	const json_t *list = json_object_get(b->manifest, "windows");
	size_t n = json_array_size(list);
	uint64_t before = 0;

	b->windows = calloc(n + 1, sizeof(*b->windows));
	if (!b->windows)
		return err_sys(err, -ENOMEM, "'%s'", b->dir);
	for (size_t i = 0; i < n; i++) {
		const json_t *item = json_array_get(list, i);
		int state = find_name(state_names, BUNDLE_OUTSIDE, json_get_string(item, "state"));
		struct bundle_window *w = &b->windows[i];

		*w = (struct bundle_window){ .state = (enum bundle_state)state,
					     .t0 = json_get_u64(item, "t0"),
					     .t1 = json_get_u64(item, "t1"),
					     .has_ipis = json_is_integer(json_object_get(item, "ipis")),
					     .ipis = json_get_u64(item, "ipis") };
		if (state < 0 || w->t0 < before || w->t1 < w->t0)
			return err_set(err, -EINVAL,
				       "'%s/manifest.json': window %zu has no known state or is out of order", b->dir,
				       i);
		before = w->t1;
		b->n_windows++;
	}
	return 0;
}

static struct tsc_map parse_map(const json_t *vcpu)
{
	struct tsc_map map = { .offset = json_integer_value(json_object_get(vcpu, "offset")),
			       .ratio = json_get_u64(vcpu, "ratio"),
			       .frac_bits = (uint32_t)json_get_u64(vcpu, "frac_bits") };

	if (map.frac_bits > 63)
		map.ratio = 0;
	return map;
}

static void load_maps(struct bundle *b, const json_t *clock)
{
	json_t *vcpu;
	size_t i;

	json_array_foreach (json_object_get(clock, "vcpus"), i, vcpu) {
		if (json_get_u64(vcpu, "vcpu") != b->guest_cpu)
			continue;
		b->clock.has_map = true;
		for (size_t j = 0; j < BUNDLE_MAX_VCPUS; j++)
			b->clock.vcpu[j] = parse_map(vcpu);
	}
	json_array_foreach (json_object_get(clock, "vcpus"), i, vcpu)
		if (json_get_u64(vcpu, "vcpu") < BUNDLE_MAX_VCPUS)
			b->clock.vcpu[json_get_u64(vcpu, "vcpu")] = parse_map(vcpu);
}

static int load_clock(struct bundle *b, struct err *err)
{
	_cleanup_free_ char *path = bundle_path(b, "clock.json");
	_cleanup_json_ json_t *clock = NULL;
	int r;

	b->clock.stable = true;
	if (!path)
		return err_sys(err, -ENOMEM, "'%s'", b->dir);
	if (!b->has_guest || !fs_exists(path))
		return 0;
	r = json_read(path, &clock, err);
	if (r < 0)
		return r;
	load_maps(b, clock);
	b->clock.error_cycles = json_get_u64(clock, "error_cycles");
	b->clock.stable = json_is_true(json_object_get(clock, "stable"));
	b->clock.in_traces = json_is_true(json_object_get(clock, "in_traces"));
	return 0;
}

uint64_t bundle_map(const struct bundle *bundle, enum trace_layer layer, unsigned int cpu, uint64_t tsc)
{
	if (layer == TRACE_HOST || !bundle->clock.has_map)
		return tsc;
	return tsc_guest_to_host(&bundle->clock.vcpu[cpu < BUNDLE_MAX_VCPUS ? cpu : bundle->guest_cpu], tsc);
}

bool bundle_action_hung(const struct bundle *bundle, const struct bundle_action *action)
{
	return action->role == BUNDLE_STIMULUS &&
	       action->t1 - action->t0 >= tsc_from_ns(BUNDLE_HANG_NS, bundle->cycles_per_second);
}

static int parse_action(const struct bundle *b, const json_t *line, struct bundle_action *ret)
{
	int role = find_name(role_names, BUNDLE_ROLE_MAX, json_get_string(line, "role"));
	bool in_guest = strcmp(json_get_string(line, "layer"), "guest") == 0;
	const char *result = json_get_string(line, "result");
	int64_t cpu = json_integer_value(json_object_get(line, "cpu"));

	if (role < 0)
		return -EINVAL;
	ret->role = (enum bundle_role)role;
	ret->layer = in_guest ? TRACE_GUEST : TRACE_HOST;
	ret->by_probe = strcmp(json_get_string(line, "by"), "probe") == 0;
	snprintf(ret->kind, sizeof(ret->kind), "%s", json_get_string(line, "kind"));
	snprintf(ret->detail, sizeof(ret->detail), "%s", json_get_string(line, "detail"));
	if (strcmp(result, "ok") != 0)
		snprintf(ret->failure, sizeof(ret->failure), "%s", result);
	ret->t0 = bundle_map(b, ret->layer, cpu < 0 ? 0 : (unsigned int)cpu, json_get_u64(line, "t0"));
	ret->t1 = bundle_map(b, ret->layer, cpu < 0 ? 0 : (unsigned int)cpu, json_get_u64(line, "t1"));
	ret->window = (size_t)json_get_u64(line, "window");
	return ret->t1 < ret->t0 ? -EINVAL : 0;
}

static int compare_actions(const void *a, const void *b)
{
	const struct bundle_action *x = a;
	const struct bundle_action *y = b;

	return x->t0 < y->t0 ? -1 : x->t0 > y->t0;
}

static size_t count_lines(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static int load_actions(struct bundle *b, struct err *err)
{
	_cleanup_free_ char *path = bundle_path(b, "stimuli.jsonl");
	_cleanup_free_ char *text = NULL;
	char *rest;
	size_t number = 0;
	int r = path ? fs_read(path, MAX_ACTIONS_BYTES, &text, NULL, err) : -ENOMEM;

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	b->actions = calloc(count_lines(text), sizeof(*b->actions));
	if (!b->actions)
		return err_sys(err, -ENOMEM, "'%s'", path);
	rest = text;
	for (char *line; (line = strsep(&rest, "\n"));) {
		_cleanup_json_ json_t *value = *line ? json_loads(line, JSON_REJECT_DUPLICATES, NULL) : NULL;

		number++;
		if (!*line)
			continue;
		if (!value || parse_action(b, value, &b->actions[b->n_actions]) < 0)
			return err_set(err, -EINVAL, "%s:%zu: not an action", path, number);
		b->n_actions++;
	}
	qsort(b->actions, b->n_actions, sizeof(*b->actions), compare_actions);
	return 0;
}

/* The map keeps order, but rounding in its scaling may make two gaps touch: they are kept apart as they were. */
static void map_gaps(struct bundle *b)
{
	enum trace_layer layer = b->has_guest ? TRACE_GUEST : TRACE_HOST;
	uint64_t before = 0;
	size_t n = 0;

	for (size_t i = 0; i < b->n_gaps; i++) {
		uint64_t t0 = bundle_map(b, layer, b->guest_cpu, b->gaps[i].t0);
		uint64_t t1 = bundle_map(b, layer, b->guest_cpu, b->gaps[i].t1);

		if (t0 < before || t1 <= t0)
			continue;
		b->gaps[n++] = (struct probe_record){ t0, t1, b->gaps[i].turn };
		before = t1;
	}
	b->n_gaps = n;
}

static int load_probe(struct bundle *b, struct err *err)
{
	_cleanup_free_ char *path = bundle_path(b, "probe.bin");
	_cleanup_free_ char *data = NULL;
	size_t len;
	int r;

	if (!path)
		return err_sys(err, -ENOMEM, "'%s'", b->dir);
	if (!b->is_complete && !fs_exists(path))
		return 0;
	r = fs_read(path, PROBE_MAX_BYTES, &data, &len, err);
	if (r < 0)
		return r;
	r = probe_file_parse(data, len, &b->probe, &b->gaps, err);
	if (r < 0)
		return err_prefix(err, r, "'%s'", path);
	b->n_gaps = b->probe.count;
	if (b->has_guest && !b->clock.has_map)
		return err_set(err, -EINVAL,
			       "'%s': clock.json does not say how the guest's clock relates to the host's", b->dir);
	map_gaps(b);
	return 0;
}

static int check(struct bundle *b, struct err *err)
{
	if (!b->cycles_per_second && b->is_complete)
		return err_set(err, -EINVAL, "'%s/manifest.json' has no cycles_per_second", b->dir);
	if (!b->cycles_per_second)
		b->cycles_per_second = b->probe.cycles_per_second ? b->probe.cycles_per_second : 1000000000;
	if (b->cycles_per_second < 1000000 || b->cycles_per_second > 100000000000ULL)
		return err_set(err, -EINVAL, "'%s/manifest.json': cycles_per_second is not that of a TSC", b->dir);
	if (b->n_windows)
		b->epoch = b->windows[0].t0;
	else if (b->n_gaps)
		b->epoch = b->gaps[0].t0;
	return 0;
}

char *bundle_name(const char *dir)
{
	size_t len = strlen(dir);

	while (len > 1 && dir[len - 1] == '/')
		len--;
	return strndup(dir, len);
}

int bundle_open(const char *dir, struct bundle **ret, struct err *err)
{
	_cleanup_(bundle_freep) struct bundle *b = calloc(1, sizeof(*b));
	int r;

	if (b)
		b->dir = bundle_name(dir);
	if (!b || !b->dir)
		return err_sys(err, -ENOMEM, "'%s'", dir);
	r = load_manifest(b, err);
	if (r == 0)
		load_measured(b);
	r = r < 0 ? r : load_windows(b, err);
	r = r < 0 ? r : load_clock(b, err);
	r = r < 0 ? r : load_actions(b, err);
	r = r < 0 ? r : load_probe(b, err);
	r = r < 0 ? r : check(b, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(b);
	return 0;
}

void bundle_free(struct bundle *bundle)
{
	if (!bundle)
		return;
	json_decref(bundle->manifest);
	free(bundle->windows);
	free(bundle->actions);
	free(bundle->gaps);
	free(bundle->dir);
	free(bundle);
}

size_t bundle_window_at(const struct bundle *bundle, uint64_t tsc)
{
	size_t i = FIRST_BEYOND(bundle->windows, bundle->n_windows, t1, tsc);

	return i < bundle->n_windows && bundle->windows[i].t0 <= tsc ? i : bundle->n_windows;
}

enum bundle_state bundle_window_state(const struct bundle *bundle, size_t window)
{
	return window < bundle->n_windows ? bundle->windows[window].state : BUNDLE_OUTSIDE;
}

enum bundle_state bundle_state_at(const struct bundle *bundle, uint64_t tsc)
{
	return bundle_window_state(bundle, bundle_window_at(bundle, tsc));
}
