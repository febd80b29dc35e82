// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/compare_p.h"

#include <errno.h>
#include <fnmatch.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <stdlib.h>
#include <string.h>

#include "common/fs.h"
#include "common/json.h"

#define LONG_WAIT_S 1 /* of a stimulus; below that it may be its own work on a busy machine */

DEFINE_CLEANUP(gsl_rng *, gsl_rng_free)

static void name_list_done(struct name_list *list)
{
	free(list->name);
}

static bool name_list_has(const struct name_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->name[i], name) == 0)
			return true;
	return false;
}

int name_list_add(struct name_list *list, const char *name)
{
	const char **names;

	if (name_list_has(list, name))
		return 0;
	names = reallocarray(list->name, list->count + 1, sizeof(*names));
	if (!names)
		return -ENOMEM;
	list->name = names;
	names[list->count++] = name;
	return 0;
}

static const char *probe_of(const struct pool_run *run)
{
	return json_get_string(json_object_get(run->result, "probe"), "kind");
}

/* A wake-up's latency and a busy loop's gap are two things. */
static int check_probes(const struct comparison *c, struct err *err)
{
	for (size_t i = 0; i < c->runs; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(c->run[i].scenario, c->run[k].scenario) == 0 &&
			    strcmp(probe_of(&c->run[i]), probe_of(&c->run[k])) != 0)
				return err_set(
					err, -EINVAL,
					"%s: %s was measured with probe '%s', in %s with '%s': compare each kind "
					"with its own",
					json_get_string(c->run[i].result, "path"), c->run[i].scenario,
					probe_of(&c->run[i]), json_get_string(c->run[k].result, "path"),
					probe_of(&c->run[k]));
	return 0;
}

static int run_init(struct pool_run *run, const json_t *result, struct err *err)
{
	const char *guest = json_get_string(result, "guest");

	*run = (struct pool_run){
		.result = result,
		.arm = json_get_name(result, "arm"),
		.scenario = json_get_name(result, "scenario"),
		.boot = json_get_string(result, "boot_id"),
	};
	if (pool_kind_parse(guest, &run->kind) < 0)
		return err_set(err, -EINVAL, "%s: guest '%s' is none of libvirt, none, bare",
			       json_get_string(result, "path"), guest);
	return 0;
}

/* Which half a boot belongs to: boots are shuffled, then dealt out in turn. */
static int deal_boots(const struct comparison *c, struct name_list *boots)
{
	_cleanup_(gsl_rng_freep) gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	if (!rng)
		return -ENOMEM;
	for (size_t i = 0; i < c->runs; i++)
		if (name_list_add(boots, c->run[i].boot) < 0)
			return -ENOMEM;
	gsl_rng_set(rng, c->seed);
	gsl_ran_shuffle(rng, boots->name, boots->count, sizeof(*boots->name));
	return 0;
}

static int split_arm(struct comparison *c, struct err *err)
{
	_cleanup_(name_list_done) struct name_list boots = { 0 };
	int r = deal_boots(c, &boots);

	if (r < 0)
		return r;
	if (boots.count < 2)
		return err_set(err, -EINVAL,
			       "an A/A comparison wants two boots of '%s' at least; these are of one boot",
			       c->run[0].arm);
	c->half[0] = str_printf("%s/A", c->run[0].arm);
	c->half[1] = str_printf("%s/B", c->run[0].arm);
	if (!c->half[0] || !c->half[1])
		return -ENOMEM;
	for (size_t i = 0; i < c->runs; i++)
		for (size_t b = 0; b < boots.count; b++)
			if (strcmp(boots.name[b], c->run[i].boot) == 0)
				c->run[i].arm = c->half[b % 2];
	c->arms.count = 0;
	return name_list_add(&c->arms, c->half[0]) < 0 || name_list_add(&c->arms, c->half[1]) < 0 ? -ENOMEM : 0;
}

static const json_t *arm_of(const struct comparison *c, const char *arm)
{
	for (size_t i = 0; i < c->runs; i++)
		if (strcmp(c->run[i].arm, arm) == 0)
			return json_object_get(c->run[i].result, "arm");
	return NULL;
}

static size_t find_base(const struct comparison *c)
{
	for (size_t i = 0; i < c->arms.count; i++)
		if (strcmp(c->arms.name[i], "stock") == 0)
			return i;
	for (size_t i = 0; i < c->arms.count; i++)
		if (json_array_size(json_object_get(arm_of(c, c->arms.name[i]), "removes")) == 0)
			return i;
	return 0;
}

/* So that it stands first wherever arms are listed. */
static void put_base_first(struct comparison *c)
{
	size_t base = find_base(c);
	const char *name = c->arms.name[base];

	memmove(c->arms.name + 1, c->arms.name, base * sizeof(*c->arms.name));
	c->arms.name[0] = name;
}

int comparison_init(struct comparison *c, const json_t *const *results, size_t n, const struct compare_params *params,
		    struct err *err)
{
	int r;

	if (n == 0)
		return err_set(err, -EINVAL, "there are no results to compare");
	c->seed = params->seed;
	c->run = calloc(n, sizeof(*c->run));
	if (!c->run)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		r = run_init(&c->run[c->runs++], results[i], err);
		if (r < 0)
			return r;
		if (name_list_add(&c->arms, c->run[i].arm) < 0 || name_list_add(&c->scenarios, c->run[i].scenario) < 0)
			return -ENOMEM;
	}
	r = check_probes(c, err);
	if (r < 0)
		return r;
	if (params->aa && c->arms.count > 2)
		return err_set(err, -EINVAL, "an A/A comparison takes one arm or two, not %zu", c->arms.count);
	if (params->aa && c->arms.count == 1) {
		r = split_arm(c, err);
		if (r < 0)
			return r;
	}
	put_base_first(c);
	return 0;
}

void comparison_done(struct comparison *c)
{
	free(c->run);
	free(c->half[0]);
	free(c->half[1]);
	name_list_done(&c->scenarios);
	name_list_done(&c->arms);
}

static int add_provoked(const struct comparison *c, const char *scenario, struct name_list *list)
{
	for (size_t i = 0; i < c->runs; i++) {
		const json_t *provokes = json_object_get(json_object_get(c->run[i].result, "scenario"), "provokes");
		json_t *cause;
		size_t k;

		if (strcmp(c->run[i].scenario, scenario) != 0)
			continue;
		json_array_foreach (provokes, k, cause)
			if (json_is_string(cause) && name_list_add(list, json_string_value(cause)) < 0)
				return -ENOMEM;
	}
	return 0;
}

struct loss {
	const char *cause;
	double ns;
};

static int compare_losses(const void *a, const void *b)
{
	const struct loss *x = a;
	const struct loss *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	return strcmp(x->cause, y->cause);
}

static void add_losses(const struct comparison *c, const char *scenario, const struct name_list *list,
		       struct loss *loss)
{
	for (size_t i = 0; i < c->runs; i++) {
		json_t *entry;
		size_t k;

		if (strcmp(c->run[i].scenario, scenario) != 0)
			continue;
		json_array_foreach (json_object_get(c->run[i].result, "causes"), k, entry)
			for (size_t j = 0; j < list->count; j++)
				if (strcmp(list->name[j], json_get_string(entry, "cause")) == 0)
					loss[j].ns += (double)json_get_u64(json_object_get(entry, "gap_ns"), "total");
	}
}

static int sort_causes(const struct comparison *c, const char *scenario, struct name_list *list, size_t first)
{
	_cleanup_free_ struct loss *loss = calloc(list->count + 1, sizeof(*loss));

	if (!loss)
		return -ENOMEM;
	for (size_t i = 0; i < list->count; i++)
		loss[i].cause = list->name[i];
	add_losses(c, scenario, list, loss);
	if (list->count > first)
		qsort(loss + first, list->count - first, sizeof(*loss), compare_losses);
	for (size_t i = first; i < list->count; i++)
		list->name[i] = loss[i].cause;
	return 0;
}

int comparison_causes(const struct comparison *c, const char *scenario, struct name_list *ret_list,
		      size_t *ret_provoked)
{
	if (add_provoked(c, scenario, ret_list) < 0)
		return -ENOMEM;
	*ret_provoked = ret_list->count;
	for (size_t i = 0; i < c->runs; i++) {
		json_t *entry;
		size_t k;

		if (strcmp(c->run[i].scenario, scenario) != 0)
			continue;
		json_array_foreach (json_object_get(c->run[i].result, "causes"), k, entry)
			if (*json_get_string(entry, "cause") &&
			    name_list_add(ret_list, json_get_string(entry, "cause")) < 0)
				return -ENOMEM;
	}
	return sort_causes(c, scenario, ret_list, *ret_provoked);
}

bool comparison_claims(const struct comparison *c, const char *arm, const char *claim, const char *cause)
{
	json_t *pattern;
	size_t i;

	json_array_foreach (json_object_get(arm_of(c, arm), claim), i, pattern)
		if (json_is_string(pattern) && fnmatch(json_string_value(pattern), cause, 0) == 0)
			return true;
	return false;
}

static size_t count_boots(const struct comparison *c, const char *arm)
{
	_cleanup_(name_list_done) struct name_list boots = { 0 };

	for (size_t i = 0; i < c->runs; i++)
		if (strcmp(c->run[i].arm, arm) == 0 && name_list_add(&boots, c->run[i].boot) < 0)
			break;
	return boots.count;
}

json_t *comparison_arms_json(const struct comparison *c)
{
	_cleanup_json_ json_t *arms = json_array();

	for (size_t i = 0; i < c->arms.count; i++) {
		const json_t *arm = arm_of(c, c->arms.name[i]);
		const json_t *host = json_object_get(arm, "host");
		json_t *removes = json_object_get(arm, "removes");
		json_t *entry;

		entry = json_pack("{s:s, s:s, s:s, s:s, s:I, s:o, s:b, s:O?, s:O?, s:s}", "name", c->arms.name[i],
				  "release", json_get_string(host, "release"), "sha256",
				  json_get_string(host, "sha256"), "cmdline", json_get_string(host, "cmdline"), "boots",
				  (json_int_t)count_boots(c, c->arms.name[i]), "removes",
				  removes ? json_incref(removes) : json_array(), "baseline", i == 0, "host",
				  json_object_get(arm, "host"), "guest", json_object_get(arm, "guest"), "vcpu_policy",
				  json_get_string(arm, "vcpu_policy"));
		if (json_array_append_new(arms, entry) < 0)
			return NULL;
	}
	return TAKE_PTR(arms);
}

static int add_finding(json_t *findings, const struct pool_run *run, bool fails, const char *what, const char *text)
{
	_cleanup_free_ char *line = str_printf("%s%s%s", what, *text ? ": " : "", text);

	if (!line)
		return -ENOMEM;
	return json_array_append_new(findings, json_pack("{s:s, s:s, s:s, s:b, s:s}", "arm", run->arm, "scenario",
							 run->scenario, "guest", json_get_string(run->result, "guest"),
							 "fails", fails, "text", line));
}

static int add_log_findings(json_t *findings, const struct pool_run *run)
{
	json_t *line;
	size_t i;

	json_array_foreach (json_object_get(run->result, "kernel_log"), i, line) {
		_cleanup_free_ char *what = str_printf("kernel log of the %s", json_get_string(line, "layer"));

		if (!what || add_finding(findings, run, true, what, json_get_string(line, "line")) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_loss_finding(json_t *findings, const struct pool_run *run)
{
	const json_t *lost = json_object_get(run->result, "lost");
	uint64_t host = json_get_u64(lost, "host_events");
	uint64_t guest = json_get_u64(lost, "guest_events");
	uint64_t gaps = json_get_u64(lost, "gaps");
	_cleanup_free_ char *text = NULL;

	if (host + guest + gaps == 0)
		return 0;
	text = str_printf("%llu host events, %llu guest events, %llu gaps; what they would have shown is not known",
			  (unsigned long long)host, (unsigned long long)guest, (unsigned long long)gaps);
	return text ? add_finding(findings, run, false, "lost", text) : -ENOMEM;
}

/* The other face of an interruption that does not come: somebody waits for it. One that measures is busy so long. */
static int add_wait_finding(json_t *findings, const struct pool_run *run)
{
	const json_t *callers = json_object_get(run->result, "caller_ns");
	double max_s = json_number_value(json_object_get(callers, "max")) / 1e9;
	_cleanup_free_ char *text = NULL;

	if (max_s < LONG_WAIT_S || json_object_get(run->result, "fault_rate"))
		return 0;
	text = str_printf("%.1f s at the longest, %.1f s in all, in %llu calls", max_s,
			  json_number_value(json_object_get(callers, "total")) / 1e9,
			  (unsigned long long)json_get_u64(callers, "n"));
	return text ? add_finding(findings, run, false, "the stimulus's caller waited", text) : -ENOMEM;
}

/* What a kernel's log says has been quoted already, and what is missing of it been told. */
static bool is_told(const struct pool_run *run, const char *reason)
{
	return (json_array_size(json_object_get(run->result, "kernel_log")) > 0 && strstr(reason, "in kernel logs")) ||
	       strstr(reason, "'s kernel log ");
}

/* A limit that the baseline does not keep is what the other arms are there for. */
static int add_verdict_findings(json_t *findings, const struct comparison *c, const struct pool_run *run)
{
	const json_t *verdict = json_object_get(run->result, "verdict");
	bool base = c->arms.count > 1 && strcmp(run->arm, c->arms.name[0]) == 0;
	const char *state = json_get_string(verdict, "state");
	bool none = strcmp(state, "no-verdict") == 0;
	json_t *reason;
	size_t i;

	if (!none && strcmp(state, "failed") != 0)
		return 0;
	json_array_foreach (json_object_get(verdict, "reasons"), i, reason) {
		const char *text = json_string_value(reason);

		if (!text || is_told(run, text))
			continue;
		if (add_finding(findings, run, none || !base, none ? "no verdict" : "run failed", text) < 0)
			return -ENOMEM;
	}
	return 0;
}

static bool is_found(const json_t *findings, const char *arm, const char *text)
{
	json_t *finding;
	size_t i;

	json_array_foreach (findings, i, finding)
		if (strcmp(json_get_string(finding, "arm"), arm) == 0 && strstr(json_get_string(finding, "text"), text))
			return true;
	return false;
}

static int add_list(json_t *findings, const struct pool_run *run, const char *key, const char *detail)
{
	json_t *item;
	size_t i;

	json_array_foreach (json_object_get(run->result, key), i, item) {
		const char *text = json_get_string(item, "text");

		if (!is_found(findings, run->arm, text) && add_finding(findings, run, false, text, detail) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Once an arm; of an emulated CPU the times are not believed anyway, and in qualification it is part of the verdict. */
static int add_tsc_findings(json_t *findings, const struct pool_run *run)
{
	if (json_is_true(json_object_get(run->result, "emulated")) ||
	    strcmp(json_get_string(run->result, "mode"), "qualification") == 0)
		return 0;
	return add_list(findings, run, "tsc", "");
}

json_t *comparison_findings_json(const struct comparison *c)
{
	_cleanup_json_ json_t *findings = json_array();

	for (size_t i = 0; i < c->runs; i++) {
		const struct pool_run *run = &c->run[i];
		const char *status = json_get_string(run->result, "status");

		if (*status && strcmp(status, "complete") != 0 &&
		    add_finding(findings, run, true, status, json_get_string(run->result, "reason")) < 0)
			return NULL;
		if (json_is_false(json_object_get(json_object_get(run->result, "clock"), "stable")) &&
		    add_finding(findings, run, false, "clock", "the vCPU's TSC offset changed during the run") < 0)
			return NULL;
		if (!pool_has_causes(run->result) &&
		    add_finding(findings, run, false, "not traced", "its gaps are counted, not explained") < 0)
			return NULL;
		if (add_list(findings, run, "debug_kernel", "lengths are not told") < 0 ||
		    add_list(findings, run, "kernel_log_missing", "") < 0 || add_tsc_findings(findings, run) < 0 ||
		    add_log_findings(findings, run) < 0 || add_loss_finding(findings, run) < 0 ||
		    add_wait_finding(findings, run) < 0 || add_verdict_findings(findings, c, run) < 0)
			return NULL;
	}
	return TAKE_PTR(findings);
}
