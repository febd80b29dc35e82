/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A handful of exact numbers as JSON: {"n", "median", "min", "max", "distinct", "values": [[value, times], ...]}. */
#ifndef VCPULAT_EXACT_VALUES_H
#define VCPULAT_EXACT_VALUES_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define EXACT_VALUES_MAX 64 /* different values listed, most frequent first; "more" counts the others */

/**
 * exact_values - summarise numbers
 * @value: sorted in place
 * @n: how many, at least 1
 *
 * Return: a new reference, or NULL when memory is short.
 */
json_t *exact_values(uint64_t *value, size_t n);

#endif
