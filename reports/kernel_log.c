// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/kernel_log.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/printk.h"

#define MAX_LINE_CHARS 300

struct pattern {
	const char *text;
	bool leads;	  /* the message begins with it: the same words occur inside harmless messages */
	const char *also; /* must occur behind it; NULL: nothing more */
};

static const struct pattern patterns[] = {
	{ "WARNING: ", true, NULL },
	{ "BUG: ", true, NULL },
	{ "[ BUG: ", true, NULL },  /* lockdep's "Invalid wait context" */
	{ "BUG ", true, "ainted" }, /* SLUB's "BUG kmalloc-64 (Not tainted): Poison overwritten" */
	{ "kernel BUG at ", true, NULL },
	{ "Oops: ", false, NULL },
	{ "UBSAN: ", true, NULL },
	{ "general protection fault", true, NULL },
	{ "Kernel panic", true, NULL },
	{ "watchdog: BUG: ", true, NULL },
	{ "rcu: INFO: ", true, "stall" },
	{ "INFO: rcu", true, "stall" },
	{ "INFO: task ", true, "blocked for more than" },
	{ "INFO: trying to register non-static key", true, NULL },
	{ "vmstat_refresh: ", true, " -" }, /* a counter is negative */
	{ "Out of memory: ", true, NULL },
	{ "Memory cgroup out of memory: ", true, NULL },
	{ "invoked oom-killer", false, NULL },
	{ "workqueue lockup", false, NULL },
	{ "hard LOCKUP", false, NULL },
};

/* Behind "<4>", "[   12.345678]" and "[   T12]". */
static const char *message_of(const char *line)
{
	if (*line == '<' && strchr(line, '>'))
		line = strchr(line, '>') + 1;
	while (*line == '[' && strncmp(line, "[ BUG: ", 7) != 0 && strchr(line, ']')) {
		line = strchr(line, ']') + 1;
		line += strspn(line, " ");
	}
	return line;
}

/* die()'s "divide error: 0000 [#1] PREEMPT SMP", whatever the kernel died of. */
static bool is_death(const char *message)
{
	const char *count = strstr(message, " [#");

	return count && isdigit((unsigned char)count[3]);
}

bool kernel_log_is_finding(const char *line)
{
	const char *message = message_of(line);

	if (is_death(message))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		const char *at = strstr(message, patterns[i].text);

		if (!at || (patterns[i].leads && at != message))
			continue;
		if (!patterns[i].also || strstr(at, patterns[i].also))
			return true;
	}
	return false;
}

static void make_printable(char *line)
{
	if (strlen(line) > MAX_LINE_CHARS)
		line[MAX_LINE_CHARS] = '\0';
	for (; *line; line++)
		if (*line < ' ' || *line > '~')
			*line = '?';
}

const char *kernel_log_find(char *text)
{
	for (char *line; (line = strsep(&text, "\n"));)
		if (kernel_log_is_finding(line)) {
			make_printable(line);
			return line;
		}
	return NULL;
}

static bool is_expected(const char *line, const json_t *expected)
{
	const json_t *text;
	size_t i;

	json_array_foreach (expected, i, text)
		if (json_string_length(text) && strstr(line, json_string_value(text)))
			return true;
	return false;
}

json_t *kernel_log_expected(const json_t *manifest)
{
	json_t *expected = json_array();

	json_array_extend(expected, json_object_get(json_object_get(manifest, "scenario"), "expected_log"));
	if (json_is_true(json_object_get(manifest, "emulated")))
		json_array_append_new(expected, json_string(" sched_tick_remote+"));
	return expected;
}

/* Of one layer, and of one time. */
struct findings {
	json_t *kept;
	size_t n; /* with those that are not kept */
};

static int add_finding(struct findings *findings, const char *layer, char *line)
{
	if (findings->n++ >= KERNEL_LOG_MAX)
		return 0;
	make_printable(line);
	return json_array_append_new(findings->kept, json_pack("{s:s, s:s}", "layer", layer, "line", line)) < 0
		       ? -ENOMEM
		       : 0;
}

static int add_missing(json_t *missing, const char *layer, const char *text)
{
	json_t *entry = text ? json_pack("{s:s, s:s}", "layer", layer, "text", text) : NULL;

	return json_array_append_new(missing, entry) < 0 ? -ENOMEM : 0;
}

static int tell_rest(const struct findings *findings, const char *when, const char *layer, json_t *missing)
{
	_cleanup_free_ char *text = NULL;

	if (findings->n <= KERNEL_LOG_MAX)
		return 0;
	text = str_printf("the %s's kernel log has %zu more faults %s the run than are kept", layer,
			  findings->n - KERNEL_LOG_MAX, when);
	return add_missing(missing, layer, text);
}

static int tell_torn(const char *layer, json_t *missing)
{
	_cleanup_free_ char *text =
		str_printf("the %s's kernel log begins after the run did: what it said before is not known", layer);

	return add_missing(missing, layer, text);
}

int kernel_log_lacks(const char *layer, const struct kernel_log *ret)
{
	_cleanup_free_ char *text = str_printf("the %s's kernel log was not fetched", layer);

	return add_missing(ret->missing, layer, text);
}

int kernel_log_scan(const char *layer, char *text, uint64_t last_ns, const json_t *expected,
		    const struct kernel_log *ret)
{
	struct findings during = { .kept = ret->during };
	struct findings before = { .kept = ret->before };
	uint64_t first_ns = UINT64_MAX;
	int err = 0;

	for (char *line; err == 0 && (line = strsep(&text, "\n"));) {
		uint64_t stamp_ns = printk_stamp_ns(line);

		first_ns = first_ns == UINT64_MAX ? stamp_ns : first_ns;
		if (kernel_log_is_finding(line) && !is_expected(line, expected))
			err = add_finding(last_ns && stamp_ns <= last_ns ? &before : &during, layer, line);
	}
	if (err == 0 && last_ns && first_ns != UINT64_MAX && first_ns > last_ns)
		err = tell_torn(layer, ret->missing);
	if (err == 0)
		err = tell_rest(&during, "of", layer, ret->missing);
	return err < 0 ? err : tell_rest(&before, "before", layer, ret->missing);
}
