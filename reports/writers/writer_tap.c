// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/writers/writer.h"

#include "reports/writers/test_case.h"

/* One line whatever it says; '#' would begin a directive. */
static void print_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '#' || c == '\\')
			fputc('\\', out);
		fputc(c == '\n' || c == '\t' ? ' ' : c < 0x20 || c == 0x7f ? '?' : c, out);
	}
}

static void print_point(FILE *out, size_t number, const struct test_case *item)
{
	fprintf(out, "%sok %zu - ", item->fails ? "not " : "", number);
	print_text(out, item->scenario);
	fputc(' ', out);
	print_text(out, item->arm);
	fputc(' ', out);
	print_text(out, item->name);
	fputs("\n# ", out);
	print_text(out, item->text);
	fputc('\n', out);
}

int writer_tap(const struct writer_input *input, FILE *out, struct err *err)
{
	struct test_case item;
	size_t n = 0;

	(void)err;
	fputs("TAP version 13\n", out);
	for (; test_case_at(input->comparison, n, &item); n++)
		print_point(out, n + 1, &item);
	fprintf(out, "1..%zu%s\n", n, n ? "" : " # SKIP nothing was to be judged");
	return 0;
}
