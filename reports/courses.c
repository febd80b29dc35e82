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
