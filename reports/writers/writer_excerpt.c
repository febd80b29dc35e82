// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/writers/writer.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "reports/writers/hit.h"
#include "reports/writers/text.h"

#define COLUMNS 72

static void print_paragraph(FILE *out, const char *lead, const char *text)
{
	text_paragraph(out, lead, text, COLUMNS);
}

static void print_head(FILE *out, const struct hit *hit)
{
	const json_t *result = hit->result;
	bool emulated = json_is_true(json_object_get(result, "emulated"));
	double length = (double)json_get_u64(hit->gap, "len_ns") / 1000;
	double host = (double)json_get_u64(hit->gap, "host_ns") / 1000;
	uint64_t exits = json_get_u64(hit->gap, "exits");
	_cleanup_free_ char *what = str_printf("%s, scenario %s, arm %s", json_get_string(hit->gap, "cause"),
					       json_get_name(result, "scenario"), json_get_name(result, "arm"));
	_cleanup_free_ char *figures = NULL;

	if (hit_in_guest(hit))
		figures = str_printf("guest penalty %.1f us: %.1f us on the host, %.1f us in the guest, %llu exit%s.",
				     length, host, length - host, (unsigned long long)exits, exits == 1 ? "" : "s");
	else
		figures = str_printf("native gap %.1f us, in a probe on the host's CPU without a guest.", length);
	print_paragraph(out, "", what ? what : "");
	print_paragraph(out, "", figures ? figures : "");
	if (emulated)
		print_paragraph(out, "", "Emulated CPU: the order of events holds, microseconds do not carry over.");
	fputc('\n', out);
}

static void print_event(FILE *out, double us, const char *lane, const char *text)
{
	char lead[32];

	snprintf(lead, sizeof(lead), "%10.1f  %-5.5s  ", us, lane);
	print_paragraph(out, lead, text);
}

static void print_events(FILE *out, const struct hit *hit)
{
	const char *probe = hit_in_guest(hit) ? "guest" : "host";
	bool begun = false;
	json_t *event;
	size_t i;

	fputs("        us  layer  event\n", out);
	json_array_foreach (hit->events, i, event) {
		double ns = json_number_value(json_object_get(event, "t_ns"));

		/* What led to a hit may lie before it. */
		if (ns >= 0 && !begun)
			print_event(out, 0, probe, "probe's last turn");
		begun |= ns >= 0;
		print_event(out, ns / 1000, json_get_string(event, "lane"), json_get_string(event, "text"));
	}
	if (!begun)
		print_event(out, 0, probe, "probe's last turn");
	print_event(out, (double)json_get_u64(hit->gap, "len_ns") / 1000, probe, "probe's next turn");
	fputc('\n', out);
}

static void print_account(FILE *out, const struct hit *hit)
{
	json_t *part;
	size_t i;

	fputs("        us  spent in\n", out);
	json_array_foreach (json_object_get(hit->gap, "parts"), i, part) {
		char lead[32];

		snprintf(lead, sizeof(lead), "%10.1f  ", (double)json_get_u64(part, "ns") / 1000);
		print_paragraph(out, lead, json_get_string(part, "cause"));
	}
	fputc('\n', out);
}

/* "CPU 0, kworker/0:1 (25), in softirq": a task that was interrupted is not the one who asked. */
static void print_queuer(FILE *out, const json_t *item)
{
	const char *context = json_get_string(item, "context");
	bool in_task = strcmp(context, "task") == 0;
	const char *task = json_get_string(item, "task");
	_cleanup_free_ char *text = str_printf(
		"%s, by CPU %llu of the %s, %s%s%s (%llu)", json_get_string(item, "cause"),
		(unsigned long long)json_get_u64(item, "cpu"), json_get_string(item, "layer"), in_task ? "" : context,
		in_task ? "" : " over ", *task ? task : "task", (unsigned long long)json_get_u64(item, "pid"));
	char lead[32];
	json_t *function;
	size_t i;

	snprintf(lead, sizeof(lead), "%10.1f  ", json_number_value(json_object_get(item, "t_ns")) / 1000);
	print_paragraph(out, lead, text ? text : "");
	json_array_foreach (json_object_get(item, "stack"), i, function)
		print_paragraph(out, "              => ",
				json_string_value(function) ? json_string_value(function) : "");
}

static void print_queue(FILE *out, const struct hit *hit)
{
	const json_t *queued = json_object_get(hit->gap, "queued");
	json_t *item;
	size_t i;

	if (!json_array_size(queued))
		return;
	fputs("        us  queued\n", out);
	json_array_foreach (queued, i, item)
		print_queuer(out, item);
	fputc('\n', out);
}

/* What stimuli found, of kinds that look. @head comes before the first, if there is any. */
static bool print_findings(FILE *out, const char *head, const json_t *result)
{
	bool any = false;
	json_t *action;
	size_t i;

	json_array_foreach (json_object_get(result, "actions"), i, action) {
		double from = (double)json_get_u64(action, "t0_ns") / 1e9;
		double took = (double)json_get_u64(action, "t1_ns") / 1e9 - from;
		const char *detail = json_get_string(action, "detail");
		char lead[32];

		if (!*detail || strcmp(json_get_string(action, "role"), "stimulus") != 0)
			continue;
		if (!any)
			fprintf(out, "%s         s   took s  what the stimulus found\n", head);
		any = true;
		snprintf(lead, sizeof(lead), "%10.1f  %7.1f  ", from, took);
		print_paragraph(out, lead, detail);
	}
	if (any)
		fputc('\n', out);
	return any;
}

static void print_kernel(FILE *out, const char *lead, const json_t *side)
{
	_cleanup_free_ char *text = str_printf("%s, sha256 %.16s, %s", json_get_string(side, "release"),
					       json_get_string(side, "sha256"), json_get_string(side, "cmdline"));

	if (*json_get_string(side, "release"))
		print_paragraph(out, lead, text ? text : "");
}

static void print_origin(FILE *out, const struct hit *hit)
{
	const json_t *arm = json_object_get(hit->result, "arm");

	print_kernel(out, "host kernel:  ", json_object_get(arm, "host"));
	if (hit_in_guest(hit))
		print_kernel(out, "guest kernel: ", json_object_get(arm, "guest"));
	print_paragraph(out, "command:      ", json_get_string(hit->result, "command"));
	fputc('\n', out);
}

static void print_verdicts(FILE *out, const struct writer_input *input)
{
	json_t *verdict;
	size_t i;

	json_array_foreach (json_object_get(input->comparison, "verdicts"), i, verdict)
		print_paragraph(out, "* ", json_get_string(verdict, "text"));
}

/* A hit in a guest shows both layers; without one a native hit will do. */
static bool choose(const struct writer_input *input, struct hit *ret)
{
	bool found = false;

	for (size_t i = 0; i < input->count; i++) {
		struct hit hit;

		if (!hit_typical(input->results[i], input->cause, &hit))
			continue;
		if (!found || (hit_in_guest(&hit) && !hit_in_guest(ret)))
			*ret = hit;
		found = true;
	}
	return found;
}

/* Of a cause that makes no gap there is no hit to choose: every run tells what its stimuli found. */
static int print_runs(const struct writer_input *input, FILE *out, struct err *err)
{
	bool any = false;

	for (size_t i = 0; i < input->count && (!input->cause || strstr(input->cause, "/hang/")); i++) {
		const struct hit run = { .result = input->results[i] };
		_cleanup_free_ char *head = str_printf("scenario %s, arm %s\n\n", json_get_name(run.result, "scenario"),
						       json_get_name(run.result, "arm"));

		if (!print_findings(out, head ? head : "", run.result))
			continue;
		any = true;
		print_origin(out, &run);
	}
	if (!any)
		return err_set(err, -ENOENT, "no result has a hit of %s%s to show",
			       input->cause ? input->cause : "a provoked cause",
			       input->cause ? "" : " in a gap of its own");
	print_verdicts(out, input);
	return 0;
}

int writer_excerpt(const struct writer_input *input, FILE *out, struct err *err)
{
	struct hit hit;

	if (!choose(input, &hit))
		return print_runs(input, out, err);
	print_head(out, &hit);
	print_events(out, &hit);
	print_account(out, &hit);
	print_queue(out, &hit);
	print_findings(out, "", hit.result);
	print_origin(out, &hit);
	print_verdicts(out, input);
	return 0;
}
