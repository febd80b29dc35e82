/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report as one page that needs no network: template, style, script and D3 are put
 * into it here. It renders what is in the comparison and the results, and computes no
 * figure of its own. Everything from a guest reaches the page as JSON text in which '<'
 * is escaped, and from there only as text nodes.
 */
#ifndef VCPULAT_HTML_H
#define VCPULAT_HTML_H

#include <jansson.h>
#include <stddef.h>

#include "common/err.h"

/**
 * report_html - write the page
 * @comparison: of schema vcpulat-comparison-1
 * @results: the results it was made from
 * @n: how many
 * @assets_dir: reports/html of the tree or its copy; D3 is d3.min.js in it, else Debian's node-d3
 * @path: the page, replaced
 * @err: says what failed
 *
 * Return: 0, -ENOENT without D3 or an asset, or another -errno.
 */
int report_html(const json_t *comparison, const json_t *const *results, size_t n, const char *assets_dir,
		const char *path, struct err *err);

/**
 * report_html_data - what the page gets to know
 * @comparison: as report_html()
 * @results: as report_html()
 * @n: how many
 *
 * Gaps as columns of numbers, causes by index: a tenth of the results' size.
 * Return: a string the caller frees, JSON that is safe inside a script element; or NULL.
 */
char *report_html_data(const json_t *comparison, const json_t *const *results, size_t n);

#endif
