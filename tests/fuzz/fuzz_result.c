// SPDX-License-Identifier: GPL-2.0-or-later
/* What somebody may pass off as a result: any JSON, compared with itself and rendered in every form. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "reports/compare.h"
#include "reports/writers/html.h"
#include "reports/writers/table.h"
#include "reports/writers/writer.h"

#define MAX_BYTES 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void render(const json_t *comparison, const json_t *const *results, size_t n)
{
	static const char *const names[] = { "junit", "excerpt", "perfetto" };
	const uint64_t gaps[] = { 0, 3 };
	struct writer_input input = { .comparison = comparison, .results = results, .count = n };
	struct table_params table = { .all_causes = true };
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct err err;

	if (!out)
		return;
	table_print(out, comparison, &table);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		writer_find(names[i])->write(&input, out, &err);
	input.gap = gaps;
	input.gaps = ARRAY_SIZE(gaps);
	writer_perfetto(&input, out, &err);
	fclose(out);
	free(text);
	free(report_html_data(comparison, results, n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_json_ json_t *result = NULL;
	_cleanup_json_ json_t *comparison = NULL;
	const json_t *results[2];
	struct err err;

	if (size > MAX_BYTES)
		return 0;
	result = json_loadb((const char *)data, size, 0, NULL);
	results[0] = results[1] = result;
	if (result && compare_results(results, 2, NULL, &comparison, &err) == 0)
		render(comparison, results, 2);
	return 0;
}
