// SPDX-License-Identifier: GPL-2.0-or-later
/* What is kept of chosen gaps, and that it has an end. */
#include "reports/example.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/json.h"

#define GAPS 450
#define GAP_CYCLES 1000

struct world {
	struct names *names;
	struct causes *causes;
	struct gap gap[GAPS];
	size_t chosen[GAPS];
	struct example *example;
};

static void set_up(struct world *w, size_t n_chosen)
{
	struct example_params params = { .gaps = w->gap, .chosen = w->chosen, .n_chosen = n_chosen, .cpu = { 1, 1 } };

	w->names = names_new();
	w->causes = causes_new(w->names);
	for (size_t i = 0; i < GAPS; i++) {
		w->gap[i] = (struct gap){ .t0 = (2 * i + 1) * GAP_CYCLES, .t1 = (2 * i + 2) * GAP_CYCLES };
		w->chosen[i] = i;
	}
	params.names = w->names;
	params.causes = w->causes;
	params.cycles_per_second = 1000000000;
	w->example = example_new(&params);
	assert_non_null(w->causes);
	assert_non_null(w->example);
}

static void tear_down(struct world *w)
{
	example_free(w->example);
	causes_free(w->causes);
	names_free(w->names);
}

static void feed(struct world *w, uint64_t tsc, enum trace_type type, uint16_t cpu, uint64_t arg)
{
	const struct trace_event event = { .tsc = tsc, .type = (uint8_t)type, .cpu = cpu, .arg = arg };

	assert_int_equal(example_event(w->example, &event), 0);
}

static size_t kept(struct world *w, size_t index, json_int_t *ret_cut)
{
	_cleanup_json_ json_t *course = example_json(w->example, index);

	*ret_cut = (json_int_t)json_get_u64(course, "events_cut");
	return json_array_size(json_object_get(course, "events"));
}

static void gaps_and_runs_are_bounded(void **state)
{
	struct world w;
	json_int_t cut;

	(void)state;
	set_up(&w, GAPS);
	for (size_t i = 0; i < GAPS; i++)
		for (unsigned int k = 0; k < EXAMPLE_MAX_EVENTS + (i ? 0 : 100); k++)
			feed(&w, w.gap[i].t0 + k, TRACE_OTHER, 1, 0);
	assert_int_equal(kept(&w, 0, &cut), EXAMPLE_MAX_EVENTS);
	assert_int_equal(cut, 100);
	assert_int_equal(kept(&w, 1, &cut), EXAMPLE_MAX_EVENTS);
	assert_int_equal(cut, 0);
	assert_int_equal(kept(&w, GAPS - 1, &cut), 0);
	assert_int_equal(cut, EXAMPLE_MAX_EVENTS);
	tear_down(&w);
}

/* What asked for the CPU shortly before stands with each gap that it may have led to. */
static void what_led_to_a_gap(void **state)
{
	struct world w;
	json_int_t cut;

	(void)state;
	set_up(&w, 2);
	feed(&w, w.gap[0].t0 - 500, TRACE_WAKEUP, 0, 1);
	feed(&w, w.gap[0].t0 - 400, TRACE_WAKEUP, 0, 7); /* of another CPU */
	feed(&w, w.gap[0].t0 + 10, TRACE_OTHER, 1, 0);
	feed(&w, w.gap[1].t0 + 10, TRACE_OTHER, 1, 0);
	assert_int_equal(kept(&w, 0, &cut), 2);
	assert_int_equal(kept(&w, 1, &cut), 2);
	assert_int_equal(cut, 0);
	tear_down(&w);
}

/* A name that becomes known when its gap has been passed already goes to that gap's segments, and to no other's. */
static void names_go_to_their_gap(void **state)
{
	struct world w;
	uint32_t from;
	uint32_t to;

	(void)state;
	set_up(&w, 3);
	from = causes_get(w.causes, TRACE_HOST, CAUSE_PENDING, 0);
	to = causes_get(w.causes, TRACE_HOST, CAUSE_KERNEL, 0);
	feed(&w, w.gap[2].t0 + 1, TRACE_OTHER, 1, 0);
	for (size_t i = 0; i < 3; i++)
		example_segment(w.example, i, TRACE_HOST, w.gap[i].t0, w.gap[i].t1, from);
	example_renamed(w.example, 1, from, to);
	for (size_t i = 0; i < 3; i++) {
		_cleanup_json_ json_t *course = example_json(w.example, i);
		const json_t *segment = json_array_get(json_object_get(course, "segments"), 0);

		assert_string_equal(json_get_string(segment, "what"), causes_text(w.causes, i == 1 ? to : from));
	}
	tear_down(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gaps_and_runs_are_bounded),
		cmocka_unit_test(what_led_to_a_gap),
		cmocka_unit_test(names_go_to_their_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
