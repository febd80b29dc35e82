// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/pool.h"

#include <errno.h>
#include <string.h>

#include "common/json.h"
#include "reports/search.h"
#include "reports/statistics.h"

int pool_kind_parse(const char *guest, enum pool_kind *ret)
{
	static const char *const names[POOL_KIND_MAX] = {
		[POOL_GUEST] = "libvirt", [POOL_NATIVE] = "none", [POOL_BARE] = "bare"
	};

	for (size_t i = 0; i < POOL_KIND_MAX; i++) {
		if (strcmp(guest, names[i]) != 0)
			continue;
		*ret = (enum pool_kind)i;
		return 0;
	}
	return -EINVAL;
}

bool pool_is_traced(const json_t *result)
{
	const json_t *trace = json_object_get(result, "trace");
	bool has_kernel = strcmp(json_get_string(result, "guest"), "libvirt") == 0;

	return !trace || (json_is_true(json_object_get(trace, "host")) &&
			  (!has_kernel || json_is_true(json_object_get(trace, "guest"))));
}

bool pool_has_causes(const json_t *result)
{
	return pool_is_traced(result) ||
	       json_is_true(json_object_get(json_object_get(result, "trace"), "meter_instead"));
}

static unsigned int get_count(const json_t *object, const char *key)
{
	return (unsigned int)json_get_u64(object, key);
}

static void add_counts(struct pool_counts *counts, const json_t *object, uint64_t exposure_ns)
{
	counts->primers += get_count(object, "primers");
	counts->hit += get_count(object, "hit");
	counts->count += get_count(object, "count");
	counts->exposure_s += (double)exposure_ns / 1e9;
}

/* What a result says of a cause; NULL: nothing, or no cause is meant. */
static const json_t *find_figures(const json_t *result, const char *cause)
{
	json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(result, "causes"), i, entry)
		if (cause && strcmp(json_get_string(entry, "cause"), cause) == 0)
			return entry;
	return NULL;
}

static void add_figures(struct pool *pool, const json_t *result, const json_t *figures)
{
	const json_t *exposure = json_object_get(result, "exposure");
	const json_t *lost = json_object_get(result, "lost");

	add_counts(&pool->armed, json_object_get(figures, "armed"), json_get_u64(exposure, "armed_ns"));
	add_counts(&pool->control, json_object_get(figures, "control"), json_get_u64(exposure, "control_ns"));
	pool->lost += (double)(json_get_u64(lost, "host_events") + json_get_u64(lost, "guest_events") +
			       json_get_u64(lost, "gaps"));
}

static unsigned int occurrences(const json_t *gap, const char *cause)
{
	unsigned int count = 0;
	json_t *root;
	size_t i;

	if (!cause)
		return 1;
	if (json_is_true(json_object_get(gap, "lost")))
		return 0;
	json_array_foreach (json_object_get(gap, "roots"), i, root)
		if (strcmp(json_get_string(root, "cause"), cause) == 0)
			count += get_count(root, "count");
	return count;
}

static double own_part(const json_t *gap, const char *cause)
{
	double ns = 0;
	json_t *part;
	size_t i;

	json_array_foreach (json_object_get(gap, "parts"), i, part)
		if (!cause || strcmp(json_get_string(part, "cause"), cause) == 0)
			ns += (double)json_get_u64(part, "ns");
	return ns;
}

/* A guard is not scored, nor a window that never was. */
static bool is_scored(const json_t *window)
{
	return strcmp(json_get_string(window, "state"), "guard") != 0 &&
	       json_get_u64(window, "t1_ns") > json_get_u64(window, "t0_ns");
}

static int add_windows(struct pool *pool, const json_t *result, const json_t *figures, unsigned int boot)
{
	const json_t *by_window = json_object_get(figures, "by_window");
	const json_t *windows = json_object_get(result, "windows");
	size_t n = json_array_size(windows);
	struct pool_unit *units = reallocarray(pool->window, pool->windows + n + 1, sizeof(*units));
	json_t *window;
	size_t i;

	if (!units)
		return -ENOMEM;
	pool->window = units;
	json_array_foreach (windows, i, window) {
		uint64_t length_ns = json_get_u64(window, "t1_ns") - json_get_u64(window, "t0_ns");

		if (!is_scored(window))
			continue;
		units[pool->windows++] = (struct pool_unit){
			.count = (unsigned int)json_integer_value(json_array_get(by_window, i)),
			.exposure_s = (double)length_ns / 1e9,
			.boot = boot,
			.armed = strcmp(json_get_string(window, "state"), "armed") == 0,
		};
	}
	return 0;
}

/* Where one run's scored windows lie; as many as units were added for it, in the same order. */
struct span {
	uint64_t t0_ns;
	uint64_t t1_ns;
};

static struct span *list_spans(const json_t *windows)
{
	struct span *spans = calloc(json_array_size(windows) + 1, sizeof(*spans));
	json_t *window;
	size_t n = 0;
	size_t i;

	json_array_foreach (windows, i, window)
		if (spans && is_scored(window))
			spans[n++] = (struct span){ json_get_u64(window, "t0_ns"), json_get_u64(window, "t1_ns") };
	return spans;
}

/* The number of the span that holds a time; @n when none does. Spans ascend. */
static size_t find_span(const struct span *spans, size_t n, uint64_t t_ns)
{
	size_t i = FIRST_BEYOND(spans, n, t1_ns, t_ns);

	return i < n && spans[i].t0_ns <= t_ns ? i : n;
}

/* A kernel that checks itself takes its time: what it does counts, not for how long. */
static bool has_lengths(const json_t *result)
{
	return json_array_size(json_object_get(result, "debug_kernel")) == 0;
}

static void add_single(struct pool *pool, const json_t *gap, const char *cause)
{
	pool->gap_ns[pool->gaps] = (double)json_get_u64(gap, "len_ns");
	pool->cost_ns[pool->gaps] = own_part(gap, cause);
	pool->gaps++;
	pool->host_ns += (double)json_get_u64(gap, "host_ns");
	pool->guest_ns += (double)json_get_u64(gap, "guest_ns");
}

static int reserve_gaps(struct pool *pool, size_t more)
{
	double *gap_ns = reallocarray(pool->gap_ns, pool->gaps + more + 1, sizeof(*gap_ns));
	double *cost_ns;

	if (!gap_ns)
		return -ENOMEM;
	pool->gap_ns = gap_ns;
	cost_ns = reallocarray(pool->cost_ns, pool->gaps + more + 1, sizeof(*cost_ns));
	if (!cost_ns)
		return -ENOMEM;
	pool->cost_ns = cost_ns;
	return 0;
}

static int add_gaps(struct pool *pool, const json_t *result, const char *cause, bool counted, size_t first_window)
{
	_cleanup_free_ struct span *spans = list_spans(json_object_get(result, "windows"));
	const json_t *gaps = json_object_get(result, "gaps");
	bool lengths = has_lengths(result);
	size_t n = pool->windows - first_window;
	json_t *gap;
	size_t i;

	if (!spans || reserve_gaps(pool, json_array_size(gaps)) < 0)
		return -ENOMEM;
	json_array_foreach (gaps, i, gap) {
		unsigned int count = occurrences(gap, cause);
		bool armed = strcmp(json_get_string(gap, "window"), "armed") == 0;
		size_t window;

		if (count == 0)
			continue;
		window = find_span(spans, n, json_get_u64(gap, "t_ns"));
		if (window < n && !counted)
			pool->window[first_window + window].count += count;
		pool->explained += armed ? count : 0;
		if (!cause && window < n)
			*(armed ? &pool->armed.count : &pool->control.count) += 1;
		if (armed && lengths && (!cause || json_is_true(json_object_get(gap, "single"))))
			add_single(pool, gap, cause);
	}
	return 0;
}

static bool same_arm(const struct pool_run *run, const struct pool_run *key)
{
	return strcmp(run->arm, key->arm) == 0 && strcmp(run->scenario, key->scenario) == 0;
}

bool pool_same_group(const struct pool_run *a, const struct pool_run *b)
{
	return a->kind == b->kind && same_arm(a, b);
}

static bool first_of_boot(const struct pool_run *runs, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (same_arm(&runs[j], &runs[i]) && strcmp(runs[j].boot, runs[i].boot) == 0)
			return false;
	return true;
}

/* The boot's number among those of its arm and scenario, the same for every kind of guest. */
static unsigned int boot_index(const struct pool_run *runs, size_t i)
{
	unsigned int index = 0;

	for (size_t j = 0; j < i; j++) {
		if (!same_arm(&runs[j], &runs[i]) || !first_of_boot(runs, j))
			continue;
		if (strcmp(runs[j].boot, runs[i].boot) == 0)
			break;
		index++;
	}
	return index;
}

static bool any_traced(const struct pool_run *runs, size_t n, const struct pool_run *key)
{
	for (size_t i = 0; i < n; i++)
		if (pool_same_group(&runs[i], key) && pool_is_traced(runs[i].result))
			return true;
	return false;
}

static bool has_evidence(const struct pool_run *run, bool traced)
{
	return traced ? pool_is_traced(run->result) : pool_has_causes(run->result);
}

int pool_load(const struct pool_run *runs, size_t n, const struct pool_run *key, const char *cause, struct pool *ret)
{
	_cleanup_pool_ struct pool pool = { 0 };
	bool traced = any_traced(runs, n, key);

	for (size_t i = 0; i < n; i++) {
		const json_t *figures = find_figures(runs[i].result, cause);
		bool counted = json_is_array(json_object_get(figures, "by_window"));
		size_t first_window = pool.windows;
		unsigned int boot;

		if (!pool_same_group(&runs[i], key) || (cause && !has_evidence(&runs[i], traced)))
			continue;
		boot = boot_index(runs, i);
		pool.boots = boot >= pool.boots ? boot + 1 : pool.boots;
		pool.runs++;
		add_figures(&pool, runs[i].result, figures);
		if (cause && strstr(cause, "/hang/")) /* no gap: the action itself shows it */
			pool.explained += get_count(json_object_get(figures, "armed"), "count");
		if (add_windows(&pool, runs[i].result, figures, boot) < 0 ||
		    add_gaps(&pool, runs[i].result, cause, counted, first_window) < 0)
			return -ENOMEM;
	}
	stat_sort(pool.gap_ns, pool.gaps);
	stat_sort(pool.cost_ns, pool.gaps);
	*ret = pool;
	pool = (struct pool){ 0 };
	return 0;
}

static void merge_counts(struct pool_counts *into, const struct pool_counts *from)
{
	into->primers += from->primers;
	into->hit += from->hit;
	into->count += from->count;
	into->exposure_s += from->exposure_s;
}

int pool_merge(struct pool *into, const struct pool *from)
{
	struct pool_unit *units = reallocarray(into->window, into->windows + from->windows + 1, sizeof(*units));

	if (!units)
		return -ENOMEM;
	into->window = units;
	if (from->windows > 0)
		memcpy(units + into->windows, from->window, from->windows * sizeof(*units));
	into->windows += from->windows;
	into->runs += from->runs;
	into->boots = into->boots > from->boots ? into->boots : from->boots;
	merge_counts(&into->armed, &from->armed);
	merge_counts(&into->control, &from->control);
	into->explained += from->explained;
	into->lost += from->lost;
	return 0;
}

void pool_done(struct pool *pool)
{
	free(pool->gap_ns);
	free(pool->cost_ns);
	free(pool->window);
	*pool = (struct pool){ 0 };
}
