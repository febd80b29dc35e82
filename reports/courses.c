// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/courses.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"

struct place {
	uint32_t cause;
	uint64_t cycles;
	size_t gap;
};

/* By cause, the longest first. */
static int compare_places(const void *a, const void *b)
{
	const struct place *x = a;
	const struct place *y = b;

	if (x->cause != y->cause)
		return x->cause < y->cause ? -1 : 1;
	if (x->cycles != y->cycles)
		return x->cycles > y->cycles ? -1 : 1;
	return x->gap < y->gap ? -1 : x->gap > y->gap;
}

/* Number @i of one cause's @n gaps: the first @quota, and as many of the rest, at even distances. */
static bool is_wanted(size_t i, size_t n, size_t quota)
{
	size_t rest = n > quota ? n - quota : 0;
	size_t k = i - quota;

	if (i < quota || rest <= quota)
		return true;
	return k * quota / rest != (k + 1) * quota / rest;
}

static size_t mark_all(const struct place *list, size_t n, size_t quota, bool *ret_marked)
{
	size_t marked = 0;

	for (size_t i = 0, j; i < n; i = j) {
		for (j = i; j < n && list[j].cause == list[i].cause;)
			j++;
		for (size_t k = i; k < j; k++) {
			bool wanted = is_wanted(k - i, j - i, quota);

			ret_marked[list[k].gap] = wanted;
			marked += wanted;
		}
	}
	return marked;
}

int courses_mark(const struct gap *gaps, size_t n, bool *ret_marked)
{
	_cleanup_free_ struct place *list = calloc(n + 1, sizeof(*list));
	size_t quota = COURSES_PER_CAUSE;
	size_t places = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (!gaps[i].vague)
			list[places++] = (struct place){ gaps[i].cause, gaps[i].t1 - gaps[i].t0, i };
	qsort(list, places, sizeof(*list), compare_places);
	while (mark_all(list, places, quota, ret_marked) > COURSES_MAX && quota > 0)
		quota /= 2;
	return 0;
}

struct candidate {
	uint32_t cause;
	unsigned int doubts; /* 2: not in an armed window; 1: mostly unexplained; the fewer the better */
	uint64_t cycles;
	size_t gap;
};

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a;
	const struct candidate *y = b;

	if (x->cause != y->cause)
		return x->cause < y->cause ? -1 : 1;
	if (x->doubts != y->doubts)
		return x->doubts < y->doubts ? -1 : 1;
	if (x->cycles != y->cycles)
		return x->cycles < y->cycles ? -1 : 1;
	return x->gap < y->gap ? -1 : x->gap > y->gap;
}

static unsigned int doubts_of(const struct bundle *b, const struct gap *gap, const struct causes *causes)
{
	return (bundle_state_at(b, gap->t0) == BUNDLE_ARMED ? 0 : 2) + (gap_is_explained(gap, causes) ? 0 : 1);
}

static size_t list_candidates(const struct bundle *b, const struct gap *gaps, const struct causes *causes,
			      struct candidate *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n_gaps; i++) {
		const struct gap *gap = &gaps[i];

		if (gap->single && gap->cause != CAUSE_ID_UNEXPLAINED)
			ret[n++] = (struct candidate){ gap->cause, doubts_of(b, gap, causes), gap->t1 - gap->t0, i };
	}
	qsort(ret, n, sizeof(*ret), compare_candidates);
	return n;
}

int courses_typical(const struct bundle *bundle, const struct gap *gaps, const struct causes *causes, size_t *ret,
		    size_t *ret_n)
{
	_cleanup_free_ struct candidate *list = calloc(bundle->n_gaps + 1, sizeof(*list));
	size_t n = list ? list_candidates(bundle, gaps, causes, list) : 0;

	if (!list)
		return -ENOMEM;
	*ret_n = 0;
	for (size_t i = 0, j; i < n; i = j) {
		size_t last = i;

		for (j = i; j < n && list[j].cause == list[i].cause; j++)
			if (list[j].doubts == list[i].doubts)
				last = j;
		ret[(*ret_n)++] = list[i + (last - i) / 2].gap;
	}
	return 0;
}
