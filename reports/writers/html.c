// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/writers/html.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "reports/writers/writer.h"

#define ASSET_LIMIT ((size_t)4 << 20)
#define DEBIAN_D3 "/usr/share/nodejs/d3/dist/d3.min.js"

/* What a marker of the template is replaced by. */
struct insert {
	const char *marker;
	const char *file; /* NULL: the data */
	char *text;
};

#define INSERTS 14 /* the last one is empty */

static void inserts_free(struct insert (*inserts)[INSERTS])
{
	for (size_t i = 0; i < INSERTS; i++)
		free((*inserts)[i].text);
}

static int read_asset(const char *dir, const char *file, char **ret, struct err *err)
{
	_cleanup_free_ char *path = str_printf("%s/%s", dir, file);

	if (!path)
		return err_sys(err, -ENOMEM, "cannot read '%s'", file);
	return fs_read(path, ASSET_LIMIT, ret, NULL, err);
}

static int read_d3(const char *dir, char **ret, struct err *err)
{
	int r = read_asset(dir, "d3.min.js", ret, NULL);

	if (r == -ENOENT)
		r = fs_read(DEBIAN_D3, ASSET_LIMIT, ret, NULL, NULL);
	if (r < 0)
		return err_set(err, r, "cannot read D3 from %s/d3.min.js or " DEBIAN_D3 "; install the package node-d3",
			       dir);
	if (strcasestr(*ret, "</script"))
		return err_set(err, -EINVAL, "this D3 contains </script and cannot be put into a page");
	return 0;
}

static int read_inserts(const char *dir, struct insert *inserts, struct err *err)
{
	for (; inserts->marker; inserts++) {
		int r = 0;

		if (!inserts->file)
			continue;
		if (strcmp(inserts->file, "d3.min.js") == 0)
			r = read_d3(dir, &inserts->text, err);
		else
			r = read_asset(dir, inserts->file, &inserts->text, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static const struct insert *next_insert(const char *template, const struct insert *inserts, const char **ret_at)
{
	const struct insert *found = NULL;

	for (; inserts->marker; inserts++) {
		const char *at = strstr(template, inserts->marker);

		if (!at || (found && at >= *ret_at))
			continue;
		found = inserts;
		*ret_at = at;
	}
	return found;
}

/* Each marker once, in the template only: what is inserted is not looked at again. */
static void fill(const char *template, const struct insert *inserts, FILE *out)
{
	const struct insert *insert;
	const char *at = NULL;

	while ((insert = next_insert(template, inserts, &at)) != NULL) {
		fwrite(template, 1, (size_t)(at - template), out);
		fputs(insert->text, out);
		template = at + strlen(insert->marker);
	}
	fputs(template, out);
}

int writer_html(const struct writer_input *input, FILE *out, struct err *err)
{
	_cleanup_(inserts_free) struct insert inserts[INSERTS] = {
		{ "@STYLE@", "report.css", NULL },
		{ "@D3@", "d3.min.js", NULL },
		{ "@D3_LICENSE@", "d3-license.txt", NULL },
		{ "@CORE@", "core.js", NULL },
		{ "@TABLES@", "tables.js", NULL },
		{ "@EXACT@", "exact.js", NULL },
		{ "@FAULTS@", "faults.js", NULL },
		{ "@STIMULUS@", "stimulus.js", NULL },
		{ "@GAPS@", "gaps.js", NULL },
		{ "@LANES@", "lanes.js", NULL },
		{ "@SPREAD@", "spread.js", NULL },
		{ "@MAIN@", "main.js", NULL },
		{ "@DATA@", NULL, NULL },
		{ NULL, NULL, NULL },
	};
	_cleanup_free_ char *template = NULL;
	int r;

	r = read_asset(input->assets_dir, "template.html", &template, err);
	if (r == 0)
		r = read_inserts(input->assets_dir, inserts, err);
	if (r < 0)
		return r;
	for (struct insert *insert = inserts; insert->marker; insert++)
		if (!insert->file)
			insert->text = report_html_data(input->comparison, input->results, input->count);
	for (struct insert *insert = inserts; insert->marker; insert++)
		if (!insert->text)
			return err_sys(err, -ENOMEM, "cannot make the page");
	fill(template, inserts, out);
	return 0;
}

int report_html(const json_t *comparison, const json_t *const *results, size_t n, const char *assets_dir,
		const char *path, struct err *err)
{
	const struct writer_input input = {
		.comparison = comparison, .results = results, .count = n, .assets_dir = assets_dir
	};

	return writer_to_file(writer_find("html"), &input, path, err);
}
