// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/writers/writer.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "reports/writers/test_case.h"

/* XML 1.0 has no way to write most control characters, escaped or not. */
static void print_xml(FILE *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '&')
			fputs("&amp;", out);
		else if (c == '<')
			fputs("&lt;", out);
		else if (c == '>')
			fputs("&gt;", out);
		else if (c == '"')
			fputs("&quot;", out);
		else if (c == '\n' || c == '\t')
			fprintf(out, "&#%u;", c);
		else
			fputc(c < 0x20 || c == 0x7f ? '?' : c, out);
	}
}

static void print_attribute(FILE *out, const char *name, const char *value)
{
	fprintf(out, " %s=\"", name);
	print_xml(out, value);
	fputc('"', out);
}

static void print_case(FILE *out, const struct test_case *item)
{
	fputs("    <testcase", out);
	fputs(" classname=\"vcpulat.", out);
	print_xml(out, item->scenario);
	fputc('.', out);
	print_xml(out, item->arm);
	fputc('"', out);
	print_attribute(out, "name", item->name);
	fputs(" time=\"0\">\n", out);
	if (item->fails) {
		fputs("      <failure", out);
		print_attribute(out, "message", item->text);
		print_attribute(out, "type", item->kind);
		fputs("/>\n", out);
	} else {
		fputs("      <system-out>", out);
		print_xml(out, item->text);
		fputs("</system-out>\n", out);
	}
	fputs("    </testcase>\n", out);
}

struct tally {
	unsigned int tests;
	unsigned int failures;
};

/* Counts the cases of a scenario, NULL: of all, and prints them where a stream is given. */
static struct tally cases(const json_t *comparison, const char *scenario, FILE *out)
{
	struct tally tally = { 0 };
	struct test_case item;

	for (size_t i = 0; test_case_at(comparison, i, &item); i++) {
		if (scenario && strcmp(item.scenario, scenario) != 0)
			continue;
		tally.tests++;
		tally.failures += item.fails;
		if (out)
			print_case(out, &item);
	}
	return tally;
}

static double scenario_seconds(const json_t *const *results, size_t n, const char *scenario)
{
	double seconds = 0;

	for (size_t i = 0; i < n; i++) {
		const json_t *exposure = json_object_get(results[i], "exposure");

		if (strcmp(json_get_name(results[i], "scenario"), scenario) == 0)
			seconds += (double)(json_get_u64(exposure, "armed_ns") + json_get_u64(exposure, "control_ns")) /
				   1e9;
	}
	return seconds;
}

static void print_suite(const struct writer_input *input, const char *scenario, FILE *out)
{
	struct tally tally = cases(input->comparison, scenario, NULL);
	json_t *arm;
	size_t i;

	fputs("  <testsuite", out);
	print_attribute(out, "name", scenario);
	fprintf(out, " tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"0\" time=\"%.3f\">\n", tally.tests,
		tally.failures, scenario_seconds(input->results, input->count, scenario));
	fputs("    <properties>\n", out);
	json_array_foreach (json_object_get(input->comparison, "arms"), i, arm) {
		fputs("      <property", out);
		print_attribute(out, "name", json_get_string(arm, "name"));
		print_attribute(out, "value", json_get_string(arm, "release"));
		fputs("/>\n", out);
	}
	fputs("      <property name=\"mode\"", out);
	print_attribute(out, "value", json_get_string(input->comparison, "mode"));
	fputs("/>\n    </properties>\n", out);
	cases(input->comparison, scenario, out);
	fputs("  </testsuite>\n", out);
}

int writer_junit(const struct writer_input *input, FILE *out, struct err *err)
{
	_cleanup_json_ json_t *done = json_object();
	struct tally tally = cases(input->comparison, NULL, NULL);
	json_t *row;
	size_t i;

	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites name=\"vcpulat\" tests=\"%u\" failures=\"%u\" errors=\"0\">\n",
		tally.tests, tally.failures);
	json_array_foreach (json_object_get(input->comparison, "rows"), i, row) {
		const char *scenario = json_get_string(row, "scenario");

		if (json_object_get(done, scenario))
			continue;
		if (json_object_set_new(done, scenario, json_true()) < 0)
			return err_sys(err, -ENOMEM, "cannot write JUnit XML");
		print_suite(input, scenario, out);
	}
	fputs("</testsuites>\n", out);
	return 0;
}
