/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One row of comparison.json: what one arm's runs say about one cause in one scenario. */
#ifndef VCPULAT_ROW_H
#define VCPULAT_ROW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "reports/pool.h"

/* The pools of one cause on one arm in one scenario. */
struct row_cell {
	const char *scenario; /* borrowed */
	const char *cause;
	const char *arm;
	bool provoked;
	struct pool kind[POOL_KIND_MAX];
	struct pool all; /* the kinds in which the cause can occur, together */
};

/**
 * row_cell_load - fill the pools of a cell
 * @runs: all runs
 * @n: how many
 * @cell: scenario, cause and arm are set; end it with row_cell_done()
 *
 * Return: 0 or -ENOMEM.
 */
int row_cell_load(const struct pool_run *runs, size_t n, struct row_cell *cell);

/**
 * row_cell_done - free the pools of a cell
 * @cell: may be zeroed
 */
void row_cell_done(struct row_cell *cell);

/**
 * row_build - the row of a cell
 * @cell: loaded
 * @seed: of permutations
 *
 * Return: a new reference, or NULL with ENOMEM.
 */
json_t *row_build(const struct row_cell *cell, uint64_t seed);

#endif
