/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the instructions of one gap went, as folded stacks (layer;context;function N, which
 * flame graph tools read) or as a page with an icicle that opens from a file, offline.
 */
#ifndef VCPULAT_FLAME_H
#define VCPULAT_FLAME_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"
#include "reports/exact/meter.h"

/**
 * flame_pick - the gap to show for a cause
 * @data: what the meter says
 * @result: gives causes; NULL: gaps have the causes that their instructions show
 * @cause: e.g. "host/kworker/vmstat_update"
 * @ret: set: of the gaps of nothing but this cause, with all steps, the one of median instructions
 * @err: lists the causes there are
 *
 * Return: 0, or -ENOENT when there is none.
 */
int flame_pick(const struct meter_data *data, const json_t *result, const char *cause, const struct meter_gap **ret,
	       struct err *err);

/**
 * flame_write_folded - one line a function
 * @out: where
 * @data: names
 * @gap: the gap
 *
 * ';' and white space in names become '_'. Return: 0 or -EIO.
 */
int flame_write_folded(FILE *out, const struct meter_data *data, const struct meter_gap *gap);

/**
 * flame_write_page - the page
 * @out: where
 * @template: the page's text, in which the first FLAME_MARK is replaced by the data
 * @title: its heading
 * @data: names
 * @gap: the gap
 *
 * Return: 0, -EINVAL for a template without the mark, -EIO or -ENOMEM.
 */
int flame_write_page(FILE *out, const char *template, const char *title, const struct meter_data *data,
		     const struct meter_gap *gap);

#define FLAME_MARK "@FLAME@"

#endif
