/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A comparison as test cases, for the formats that CI servers read: its verdicts, then its findings. */
#ifndef VCPULAT_TEST_CASE_H
#define VCPULAT_TEST_CASE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* All borrowed from the comparison. */
struct test_case {
	const char *scenario;
	const char *arm;
	const char *name; /* the cause, or "finding" */
	const char *kind; /* the verdict's state, or "finding" */
	const char *text;
	bool fails;
};

/**
 * test_case_at - one of a comparison's cases
 * @comparison: of schema vcpulat-comparison-1
 * @i: from 0
 * @ret: the case
 *
 * Return: whether there are so many.
 */
bool test_case_at(const json_t *comparison, size_t i, struct test_case *ret);

#endif
