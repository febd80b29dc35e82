// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/debug_kernel.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fs.h"

/* kallsyms: "ADDRESS TYPE NAME", or "ADDRESS TYPE NAME\t[MODULE]" */
static bool has_function(const char *kallsyms, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = strstr(kallsyms, name); p; p = strstr(p + 1, name))
		if (p > kallsyms && p[-1] == ' ' && (p[len] == '\n' || p[len] == '\0'))
			return true;
	return false;
}

void debug_kernel_check(const char *kallsyms, const char *layer, json_t *findings)
{
	static const struct {
		const char *function, *option;
	} marks[] = { { "lock_acquire", "LOCKDEP" },
		      { "kasan_report", "KASAN" },
		      { "kcsan_setup_watchpoint", "KCSAN" },
		      { "kmemleak_scan", "DEBUG_KMEMLEAK" } };
	_cleanup_free_ char *text = NULL;
	char options[64] = ""; /* fits all of them */
	int len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (has_function(kallsyms, marks[i].function))
			len += snprintf(options + len, sizeof(options) - (size_t)len, "%s%s", len ? ", " : "",
					marks[i].option);
	if (!len)
		return;
	text = str_printf("the %s's kernel checks itself while it runs (%s)", layer, options);
	json_array_append_new(findings, json_pack("{s:s, s:s*}", "layer", layer, "text", text));
}
