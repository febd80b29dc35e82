// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/probe_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"

struct file {
	struct probe_header header;
	struct probe_record record[3];
};

static struct file good_file(void)
{
	return (struct file){
		.header = { .magic = PROBE_MAGIC,
			    .version = PROBE_VERSION,
			    .header_bytes = sizeof(struct probe_header),
			    .record_bytes = sizeof(struct probe_record),
			    .kind = PROBE_SPIN,
			    .cpu = 1,
			    .cycles_per_second = 2000000000,
			    .start_tsc = 100,
			    .end_tsc = 1000,
			    .count = 3 },
		.record = { { 100, 200, 1 }, { 200, 300, 2 }, { 500, 1000, 9 } },
	};
}

static int parse(const struct file *file, size_t len, struct err *err)
{
	struct probe_record *records = NULL;
	struct probe_header header;
	int r = probe_file_parse(file, len, &header, &records, err);

	if (r == 0)
		assert_int_equal(header.count, 3);
	free(records);
	return r;
}

static void good(void **state)
{
	struct file file = good_file();
	struct err err = { "" };

	(void)state;
	assert_int_equal(parse(&file, sizeof(file), &err), 0);
}

static void cut_anywhere(void **state)
{
	struct file file = good_file();

	(void)state;
	for (size_t len = 0; len < sizeof(file); len++) {
		struct err err = { "" };

		assert_int_equal(parse(&file, len, &err), -EINVAL);
		assert_true(err.msg[0]);
	}
}

static void refuses(void (*spoil)(struct file *file), const char *words)
{
	struct file file = good_file();
	struct err err = { "" };

	spoil(&file);
	assert_int_equal(parse(&file, sizeof(file), &err), -EINVAL);
	assert_non_null(strstr(err.msg, words));
}

static void bad_magic(struct file *file)
{
	file->header.magic[0] = 'x';
}

static void bad_version(struct file *file)
{
	file->header.version = 2;
}

static void bad_record_size(struct file *file)
{
	file->header.record_bytes = 8;
}

static void bad_kind(struct file *file)
{
	file->header.kind = 77;
}

static void bad_hz(struct file *file)
{
	file->header.cycles_per_second = 0;
}

static void bad_count(struct file *file)
{
	file->header.count = UINT64_MAX;
}

static void bad_end(struct file *file)
{
	file->header.end_tsc = 1;
}

static void bad_order(struct file *file)
{
	file->record[1].t0 = 150;
}

static void bad_length(struct file *file)
{
	file->record[2].t1 = file->record[2].t0;
}

static void bad_place(struct file *file)
{
	file->record[2].t1 = UINT64_MAX;
}

static void contradictions(void **state)
{
	(void)state;
	refuses(bad_magic, "no file of a probe");
	refuses(bad_version, "version 2");
	refuses(bad_record_size, "version");
	refuses(bad_kind, "77");
	refuses(bad_hz, "cycles per second");
	refuses(bad_count, "cut short");
	refuses(bad_end, "ends before");
	refuses(bad_order, "gap 1");
	refuses(bad_length, "gap 2");
	refuses(bad_place, "gap 2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(contradictions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
