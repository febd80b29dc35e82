// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/tsc_check.h"

#include <stdbool.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"

static bool has_flag(const json_t *flags, const char *name)
{
	json_t *flag;
	size_t i;

	json_array_foreach (flags, i, flag)
		if (json_is_string(flag) && strcmp(json_string_value(flag), name) == 0)
			return true;
	return false;
}

static void find(json_t *findings, const char *layer, const char *what, const char *detail)
{
	_cleanup_free_ char *text = str_printf("the TSC of the %s %s%s", layer, what, detail);

	json_array_append_new(findings, json_pack("{s:s, s:s}", "layer", layer, "text", text ? text : what));
}

void tsc_check(const json_t *facts, const char *layer, json_t *findings)
{
	const json_t *flags = json_object_get(facts, "cpu_flags");
	const char *source = json_get_string(facts, "clocksource");
	bool is_host = strcmp(layer, "host") == 0;

	if (json_is_array(flags) && is_host && !has_flag(flags, "constant_tsc"))
		find(findings, layer, "is not known to be constant: no flag constant_tsc", "");
	if (json_is_array(flags) && !has_flag(flags, "nonstop_tsc"))
		find(findings, layer, "is not known to be invariant: no flag nonstop_tsc", "");
	if (*source && is_host && strcmp(source, "tsc") != 0)
		find(findings, layer, "is not trusted to be in step on all CPUs: the clock source is ", source);
}
