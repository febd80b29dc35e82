// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/writers/test_case.h"

#include "common/json.h"
#include "reports/verdict.h"

static bool verdict_fails(const json_t *verdict)
{
	return json_is_true(json_object_get(verdict, "decisive")) && !verdict_good(json_get_string(verdict, "state"));
}

bool test_case_at(const json_t *comparison, size_t i, struct test_case *ret)
{
	const json_t *verdicts = json_object_get(comparison, "verdicts");
	const json_t *findings = json_object_get(comparison, "findings");
	size_t n = json_array_size(verdicts);
	const json_t *item = i < n ? json_array_get(verdicts, i) : json_array_get(findings, i - n);

	if (!item)
		return false;
	*ret = (struct test_case){
		.scenario = json_get_string(item, "scenario"),
		.arm = json_get_string(item, "arm"),
		.name = i < n ? json_get_string(item, "cause") : "finding",
		.kind = i < n ? json_get_string(item, "state") : "finding",
		.text = json_get_string(item, "text"),
		.fails = i < n ? verdict_fails(item) : json_is_true(json_object_get(item, "fails")),
	};
	return true;
}
