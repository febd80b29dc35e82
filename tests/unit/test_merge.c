// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The order in which we join both layers against trace-cmd's own: the guest's file gets the
 * option that `trace-cmd attach` writes (its clock's shift against the host's), then
 * `trace-cmd report` interleaves both files. Skipped without trace-cmd.
 */
#include "reports/trace/merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fs.h"
#include "reports/bundle.h"

#define OPTION_TIME_SHIFT 12
#define PAGE 4096

struct bytes {
	char *data;
	size_t len;
};

static void put(struct bytes *to, const void *data, size_t len)
{
	to->data = realloc(to->data, to->len + len);
	assert_non_null(to->data);
	memcpy(to->data + to->len, data, len);
	to->len += len;
}

static void put_number(struct bytes *to, uint64_t value, size_t len)
{
	put(to, &value, len);
}

static size_t find(const struct bytes *in, const char *text, size_t len)
{
	const char *at = memmem(in->data, in->len, text, len);

	assert_non_null(at);
	return (size_t)(at - in->data);
}

static uint64_t number_at(const struct bytes *in, size_t at, size_t len)
{
	uint64_t value = 0;

	assert_true(at + len <= in->len);
	memcpy(&value, in->data + at, len);
	return value;
}

/* One sample a CPU of times, offsets and scalings, then the scalings' fractions: guest + offset = host. */
static void put_shift(struct bytes *to, uint64_t host_id, uint64_t cpus, int64_t offset)
{
	put_number(to, OPTION_TIME_SHIFT, 2);
	put_number(to, 16 + cpus * (4 + 3 * 8) + cpus * 8, 4);
	put_number(to, host_id, 8);
	put_number(to, 0, 4);
	put_number(to, cpus, 4);
	for (uint64_t i = 0; i < cpus; i++) {
		put_number(to, 1, 4);
		put_number(to, 0, 8);
		put_number(to, (uint64_t)offset, 8);
		put_number(to, 1, 8);
	}
	for (uint64_t i = 0; i < cpus; i++)
		put_number(to, 0, 8);
}

/* The end of the options: where one more goes. */
static size_t end_of_options(const struct bytes *in)
{
	size_t at = find(in, "options  ", 10) + 10;

	while (number_at(in, at, 2))
		at += 6 + number_at(in, at + 2, 4);
	return at;
}

/* The pages stay where they are, or move on by whole pages. */
static struct bytes attach(const struct bytes *guest, uint64_t host_id, int64_t offset)
{
	size_t options = end_of_options(guest);
	size_t table = options + 2 + 10;
	uint64_t cpus = number_at(guest, find(guest, "options  ", 10) - 4, 4);
	size_t clock = table + 16 * cpus;
	size_t end = clock + 8 + number_at(guest, clock, 8);
	size_t first = (end + PAGE - 1) / PAGE * PAGE;
	size_t moved;
	struct bytes to = { 0 };

	put(&to, guest->data, options);
	put_shift(&to, host_id, cpus, offset);
	put(&to, guest->data + options, table - options);
	moved = (end + to.len - table + PAGE - 1) / PAGE * PAGE - first;
	for (uint64_t i = 0; i < cpus; i++) {
		put_number(&to, number_at(guest, table + 16 * i, 8) + moved, 8);
		put_number(&to, number_at(guest, table + 16 * i + 8, 8), 8);
	}
	put(&to, guest->data + clock, end - clock);
	while (to.len < first + moved)
		put_number(&to, 0, 1);
	put(&to, guest->data + first, guest->len - first);
	return to;
}

static uint64_t trace_id(const char *path)
{
	struct bytes file = { 0 };
	uint64_t id = 0;

	assert_int_equal(fs_read(path, 16 << 20, &file.data, &file.len, NULL), 0);
	for (size_t at = find(&file, "options  ", 10) + 10; number_at(&file, at, 2);
	     at += 6 + number_at(&file, at + 2, 4))
		if (number_at(&file, at, 2) == 11)
			id = number_at(&file, at + 6, 8);
	free(file.data);
	assert_true(id != 0);
	return id;
}

static uint64_t map(const void *ctx, enum trace_layer layer, unsigned int cpu, uint64_t tsc)
{
	return bundle_map(ctx, layer, cpu, tsc);
}

static void open_layer(struct merge *merge, const struct bundle *bundle, enum trace_layer layer, struct names *names)
{
	_cleanup_free_ char *path = bundle_path(bundle, layer == TRACE_HOST ? "host.dat" : "guest.dat");
	struct reader_params params = { .path = path, .layer = layer, .names = names };
	struct err err = { "" };

	if (reader_open(&params, &merge->reader[layer], &err) < 0)
		fail_msg("%s", err.msg);
}

/* "host.dat:    <idle>-0     [001]175093697418: reschedule_entry:     vector=253" */
static bool parse_line(const char *line, enum trace_layer *ret_layer, unsigned int *ret_cpu, uint64_t *ret_tsc,
		       char ret_name[static 64])
{
	const char *bracket;
	unsigned long long tsc;

	/* A later bracket may be of the event's own text; the first that fits is wanted. */
	for (bracket = strchr(line, '['); bracket; bracket = strchr(bracket + 1, '['))
		if (sscanf(bracket, "[%3u]%llu: %63[^:]:", ret_cpu, &tsc, ret_name) == 3)
			break;
	*ret_layer = strncmp(line + strspn(line, " "), "host.dat:", 9) == 0 ? TRACE_HOST : TRACE_GUEST;
	*ret_tsc = bracket ? tsc : 0;
	return bracket;
}

/* Every event of the join is the next one of trace-cmd's. */
static unsigned int compare_orders(struct merge *merge, const struct names *names, FILE *report)
{
	unsigned int n = 0;
	char line[4096];

	while (fgets(line, sizeof(line), report)) {
		enum trace_layer layer;
		struct trace_event event;
		unsigned int cpu;
		uint64_t tsc;
		char name[64];

		if (!parse_line(line, &layer, &cpu, &tsc, name))
			continue;
		do
			assert_int_equal(merge_next(merge, &event), 1);
		while (event.type == TRACE_LOST);
		if (event.tsc != tsc || event.cpu != cpu || event.layer != layer ||
		    strcmp(names_text(names, event.event), name) != 0)
			fail_msg("event %u: %s of layer %d, CPU %u at %llu, but trace-cmd has: %s", n,
				 names_text(names, event.event), event.layer, event.cpu, (unsigned long long)event.tsc,
				 line);
		n++;
	}
	return n;
}

/* What a command of trace-cmd prints is compared with a join from the beginning. */
static void check_report(const struct bundle *bundle, const char *command)
{
	_cleanup_(names_freep) struct names *names = names_new();
	struct merge merge = { .map = map, .ctx = bundle };
	struct trace_event event;
	FILE *report = popen(command, "r");

	assert_non_null(report);
	open_layer(&merge, bundle, TRACE_HOST, names);
	open_layer(&merge, bundle, TRACE_GUEST, names);
	assert_true(compare_orders(&merge, names, report) > 1000);
	assert_int_equal(pclose(report), 0);
	assert_int_equal(merge_next(&merge, &event), 0);
	merge_done(&merge);
}

/* The shift in the guest's file, and the shift on the command line, as the page tells it. */
static void check_bundle(const char *dir)
{
	_cleanup_(bundle_freep) struct bundle *bundle = NULL;
	char attached[] = "/tmp/vcpulat-merge-XXXXXX";
	_cleanup_free_ char *host = str_printf("%s/host.dat", dir);
	_cleanup_free_ char *guest = str_printf("%s/guest.dat", dir);
	_cleanup_free_ char *with_option = NULL;
	_cleanup_free_ char *with_argument = NULL;
	int64_t shift;
	struct bytes from = { 0 };
	struct bytes to;
	int fd = mkstemp(attached);

	assert_true(fd >= 0);
	assert_int_equal(bundle_open(dir, &bundle, NULL), 0);
	assert_int_equal(fs_read(guest, 16 << 20, &from.data, &from.len, NULL), 0);
	shift = -bundle->clock.vcpu[bundle->guest_cpu].offset;
	to = attach(&from, trace_id(host), shift);
	assert_int_equal(fs_write_all(fd, to.data, to.len), 0);
	with_option = str_printf("trace-cmd report -i %s -i %s 2>/dev/null", host, attached);
	with_argument =
		str_printf("trace-cmd report -i %s -i %s --ts-offset %lld 2>/dev/null", host, guest, (long long)shift);
	check_report(bundle, with_option);
	check_report(bundle, with_argument);
	close(fd);
	unlink(attached);
	free(from.data);
	free(to.data);
}

static void same_order_as_trace_cmd(void **state)
{
	(void)state;
	if (system("command -v trace-cmd >/dev/null") != 0)
		skip();
	check_bundle("tests/data/vmstat-host-libvirt-stock");
	check_bundle("tests/data/vmstat-host-libvirt-skip");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_order_as_trace_cmd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
