// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/conclude.h"

#include <errno.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/log.h"
#include "host/paths.h"
#include "reports/analyze.h"
#include "reports/compare.h"
#include "reports/writers/html.h"
#include "reports/load.h"
#include "reports/writers/table.h"

static int analyze_into(const char *bundle, struct load_results *results, struct err *err)
{
	_cleanup_free_ char *path = analyze_result_path(bundle);
	json_t *result = NULL;
	int ret = path ? analyze_write(bundle, path, NULL, err) : err_sys(err, -ENOMEM, "'%s'", bundle);

	if (ret == 0)
		ret = load_file(path, &result, err);
	return ret < 0 ? ret : load_results_add(results, result);
}

static int analyze_all(const json_t *bundles, struct load_results *results, struct err *err)
{
	const json_t *bundle;
	size_t i;

	json_array_foreach (bundles, i, bundle) {
		int ret;

		log_status("analyzing run %zu of %zu", i + 1, json_array_size(bundles));
		ret = analyze_into(json_string_value(bundle), results, err);
		if (ret < 0)
			return ret;
	}
	log_status(NULL);
	return 0;
}

static int write_report(const json_t *comparison, const struct load_results *results, const char *path, struct err *err)
{
	_cleanup_free_ char *assets = paths_html_assets();

	if (!assets)
		return err_sys(err, -ENOMEM, "report '%s'", path);
	return report_html(comparison, results->result, results->count, assets, path, err);
}

static int print(const struct conclude_params *params, const json_t *comparison, const char *report, FILE *stream,
		 struct err *err)
{
	struct table_params table = { .colour = table_wants_colour(stream) };

	if (params->json)
		return json_print(stream, comparison, err);
	table_print(stream, comparison, &table);
	fprintf(stream, "\nbundles: %s\nreport:  %s\n", params->out, report);
	return fflush(stream) == 0 ? 0 : err_sys(err, -errno, "cannot print the table");
}

int conclude(const struct conclude_params *params, FILE *stream, bool *ret_passed, struct err *err)
{
	_cleanup_(load_results_done) struct load_results results = { 0 };
	_cleanup_free_ char *path = str_printf("%s/comparison.json", params->out);
	_cleanup_free_ char *report = str_printf("%s/report.html", params->out);
	struct compare_params compare = { .seed = params->seed };
	_cleanup_json_ json_t *comparison = NULL;
	int ret;

	if (!path || !report)
		return err_sys(err, -ENOMEM, "'%s'", params->out);
	ret = analyze_all(params->bundles, &results, err);
	if (ret == 0)
		ret = compare_results(results.result, results.count, &compare, &comparison, err);
	if (ret < 0)
		return ret;
	ret = json_write(path, comparison, err);
	if (ret == 0)
		ret = write_report(comparison, &results, report, err);
	if (ret < 0)
		return ret;
	ret = print(params, comparison, report, stream, err);
	if (ret < 0)
		return ret;
	*ret_passed = compare_passed(comparison);
	return 0;
}
