// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/compare_p.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault_rate.h"
#include "common/json.h"
#include "reports/statistics.h"

#define PERMUTATIONS 9999
#define MAX_ROWS 64 /* numbers of threads */
#define METHOD "permutation of boots, corrected for the thread counts (Holm)"

/* Which figure of which runs. */
struct key {
	const char *scenario;
	const char *figure;
	uint64_t threads;
};

/* What each boot of an arm says. */
struct means {
	double *boot;
	size_t n;
	double all; /* mean of them */
};

struct row {
	struct means to;
	struct means from; /* of the baseline; n 0: there is none */
	uint64_t threads;
	double p;
	double smallest_p;
};

struct faults {
	const struct comparison *c;
	json_t *rows;
	bool decidable; /* in one row at least there are boots enough */
};

static const char *const figures[] = { "per_s", "per_cpu_s", "insns", "ipis_per_1000" };

static const json_t *of_threads(const json_t *list, uint64_t threads)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (json_get_u64(item, "threads") == threads)
			return item;
	return NULL;
}

/* The median thread and round, for each page. */
static bool insns_of(const json_t *result, uint64_t threads, double *ret)
{
	const json_t *item = of_threads(json_object_get(json_object_get(result, "exact"), "page_faults"), threads);
	double pages = (double)json_get_u64(item, "pages");

	if (pages > 0)
		*ret = (double)json_get_u64(json_object_get(item, "insns"), "median") / pages;
	return pages > 0;
}

static bool value_of(const json_t *result, const struct key *key, double *ret)
{
	const json_t *item = of_threads(json_object_get(result, "fault_rate"), key->threads);
	const json_t *value = json_object_get(item, key->figure);

	if (strcmp(key->figure, "insns") == 0)
		return insns_of(result, key->threads, ret);
	*ret = json_number_value(value);
	return json_is_number(value);
}

static bool is_of(const struct pool_run *run, const char *arm, const struct key *key)
{
	return strcmp(run->arm, arm) == 0 && strcmp(run->scenario, key->scenario) == 0;
}

/* Runs of one boot count as one. */
static bool mean_of_boot(const struct comparison *c, size_t first, const struct key *key, double *ret)
{
	double sum = 0;
	double value;
	size_t n = 0;

	for (size_t i = 0; i < c->runs; i++) {
		const struct pool_run *run = &c->run[i];

		if (!is_of(run, c->run[first].arm, key) || strcmp(run->boot, c->run[first].boot) != 0 ||
		    !value_of(run->result, key, &value))
			continue;
		if (i < first)
			return false;
		sum += value;
		n++;
	}
	*ret = sum / (double)n;
	return n > 0;
}

static int load_means(const struct comparison *c, const char *arm, const struct key *key, struct means *ret)
{
	ret->boot = calloc(c->runs, sizeof(*ret->boot));
	if (!ret->boot)
		return -ENOMEM;
	for (size_t i = 0; i < c->runs; i++)
		if (is_of(&c->run[i], arm, key) && mean_of_boot(c, i, key, &ret->boot[ret->n]))
			ret->all += ret->boot[ret->n++];
	ret->all /= ret->n ? (double)ret->n : 1;
	return 0;
}

static void rows_done(struct row *row, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(row[i].to.boot);
		free(row[i].from.boot);
	}
}

static int test(const struct comparison *c, struct row *row)
{
	const size_t n = row->to.n + row->from.n;
	_cleanup_free_ struct stat_unit *unit = calloc(n + 1, sizeof(*unit));
	struct stat_permutation permutation;
	int err;

	row->p = row->smallest_p = 1;
	if (!unit)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		unit[i] = (struct stat_unit){ .value = i < row->to.n ? row->to.boot[i] : row->from.boot[i - row->to.n],
					      .treated = i < row->to.n };
	err = stat_permutation(unit, n, PERMUTATIONS, c->seed, &permutation);
	if (err == 0) {
		row->p = permutation.p;
		row->smallest_p = permutation.smallest_p;
	}
	return err == -ENOMEM ? err : 0;
}

static int correct(struct row *row, size_t n)
{
	double p[MAX_ROWS];

	for (size_t i = 0; i < n; i++)
		p[i] = row[i].p;
	if (stat_holm(p, n) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		row[i].p = p[i];
	return 0;
}

static int add_row(struct faults *f, const char *arm, const struct key *key, const struct row *row)
{
	bool compared = row->from.n > 0;
	json_t *made =
		json_pack("{s:s, s:s, s:s?, s:s, s:I, s:f, s:I, s:I, s:f, s:b}", "scenario", key->scenario, "arm", arm,
			  "against", compared ? f->c->arms.name[0] : NULL, "figure", key->figure, "threads",
			  (json_int_t)row->threads, "to", row->to.all, "boots", (json_int_t)row->to.n, "boots_against",
			  (json_int_t)row->from.n, "p", row->p, "significant", row->p <= 1 - STAT_CONFIDENCE);

	json_object_set_new(made, "from", compared ? json_real(row->from.all) : json_null());
	json_object_set_new(made, "change_percent",
			    compared && row->from.all > 0 ? json_real(100 * (row->to.all / row->from.all - 1))
							  : json_null());
	return json_array_append_new(f->rows, made) < 0 ? -ENOMEM : 0;
}

static int add_rows(struct faults *f, const char *arm, const struct key *key, struct row *row, size_t n)
{
	int err = correct(row, n);

	for (size_t i = 0; err == 0 && i < n; i++) {
		f->decidable |= row[i].smallest_p * (double)n <= 1 - STAT_CONFIDENCE;
		err = add_row(f, arm, key, &row[i]);
	}
	return err;
}

/* All numbers of threads of one figure of one arm, beside the baseline's. */
static int add_figure(struct faults *f, const char *arm, struct key key, uint64_t most_threads)
{
	const char *base = f->c->arms.count > 1 ? f->c->arms.name[0] : NULL;
	struct row row[MAX_ROWS];
	size_t n = 0;
	int err = 0;

	for (key.threads = 1; err == 0 && key.threads <= most_threads && n < MAX_ROWS; key.threads++) {
		struct row *at = &row[n++];

		*at = (struct row){ .threads = key.threads };
		err = load_means(f->c, arm, &key, &at->to);
		if (err == 0 && base)
			err = load_means(f->c, base, &key, &at->from);
		if (err == 0)
			err = test(f->c, at);
		if (err == 0 && (!at->to.n || (base && !at->from.n)))
			rows_done(&row[--n], 1);
	}
	if (err == 0)
		err = add_rows(f, arm, &key, row, n);
	rows_done(row, n);
	return err;
}

static uint64_t most_threads(const struct comparison *c, const char *scenario)
{
	uint64_t most = 0;
	const json_t *item;
	size_t k;

	for (size_t i = 0; i < c->runs; i++)
		json_array_foreach (json_object_get(c->run[i].result, "fault_rate"), k, item) {
			uint64_t threads = json_get_u64(item, "threads");

			if (strcmp(c->run[i].scenario, scenario) == 0 && threads <= FAULT_RATE_MAX_THREADS)
				most = threads > most ? threads : most;
		}
	return most;
}

static int add_scenario(struct faults *f, const char *scenario)
{
	const uint64_t most = most_threads(f->c, scenario);
	int err = 0;

	for (size_t arm = f->c->arms.count > 1; err == 0 && most && arm < f->c->arms.count; arm++)
		for (size_t i = 0; err == 0 && i < ARRAY_SIZE(figures); i++)
			err = add_figure(f, f->c->arms.name[arm],
					 (struct key){ .scenario = scenario, .figure = figures[i] }, most);
	return err;
}

int comparison_faults_json(const struct comparison *c, json_t **ret)
{
	_cleanup_json_ json_t *rows = json_array();
	struct faults f = { .c = c, .rows = rows };
	int err = rows ? 0 : -ENOMEM;

	*ret = NULL;
	for (size_t i = 0; err == 0 && i < c->scenarios.count; i++)
		err = add_scenario(&f, c->scenarios.name[i]);
	if (err < 0 || !json_array_size(rows))
		return err;
	*ret = json_pack("{s:s, s:b, s:O}", "method", METHOD, "decidable", f.decidable, "rows", rows);
	return *ret ? 0 : -ENOMEM;
}
