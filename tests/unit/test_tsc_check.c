// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/tsc_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/json.h"

/* Findings by the word that tells them apart. */
static void rows_of_facts(void **state)
{
	static const struct {
		const char *layer, *facts;
		const char *word[3]; /* NULL: no more findings */
	} rows[] = {
		{ "host", "{\"cpu_flags\":[\"constant_tsc\",\"nonstop_tsc\"],\"clocksource\":\"tsc\"}", { NULL } },
		{ "host", "{\"cpu_flags\":[\"constant_tsc\"],\"clocksource\":\"tsc\"}", { "nonstop_tsc" } },
		{ "host", "{\"cpu_flags\":[],\"clocksource\":\"hpet\"}", { "constant_tsc", "nonstop_tsc", "hpet" } },
		{ "guest", "{\"cpu_flags\":[\"tsc\"],\"clocksource\":\"kvm-clock\"}", { "nonstop_tsc" } },
		{ "guest", "{\"cpu_flags\":[\"nonstop_tsc\"],\"clocksource\":\"kvm-clock\"}", { NULL } },
		{ "host", "{\"cpu_flags\":7,\"clocksource\":null}", { NULL } },
		{ "host", "{}", { NULL } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_json_ json_t *facts = json_loads(rows[i].facts, 0, NULL);
		_cleanup_json_ json_t *findings = json_array();
		size_t n = 0;

		assert_non_null(facts);
		tsc_check(facts, rows[i].layer, findings);
		for (; n < 3 && rows[i].word[n]; n++) {
			const json_t *finding = json_array_get(findings, n);

			assert_string_equal(json_get_string(finding, "layer"), rows[i].layer);
			assert_non_null(strstr(json_get_string(finding, "text"), rows[i].word[n]));
		}
		assert_int_equal(json_array_size(findings), n);
	}
}

static void without_facts_nothing_is_said(void **state)
{
	_cleanup_json_ json_t *findings = json_array();

	(void)state;
	tsc_check(NULL, "host", findings);
	assert_int_equal(json_array_size(findings), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_facts),
		cmocka_unit_test(without_facts_nothing_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
