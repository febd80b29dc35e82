// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/writers/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fs.h"

static const struct writer writers[] = {
	{ "html", writer_html },       { "junit", writer_junit },	{ "tap", writer_tap },
	{ "excerpt", writer_excerpt }, { "perfetto", writer_perfetto },
};

const struct writer *writer_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(writers); i++)
		if (strcmp(writers[i].name, name) == 0)
			return &writers[i];
	return NULL;
}

int writer_to_file(const struct writer *writer, const struct writer_input *input, const char *path, struct err *err)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int r;

	if (!out)
		return err_sys(err, -errno, "cannot write '%s'", path);
	r = writer->write(input, out, err);
	if (fclose(out) != 0 && r == 0)
		r = err_sys(err, -ENOMEM, "cannot write '%s'", path);
	if (r == 0)
		r = fs_write_atomic(path, text, len, err);
	free(text);
	return r;
}
