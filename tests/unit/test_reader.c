// SPDX-License-Identifier: GPL-2.0-or-later
/* Pages, descriptions and records of traces, whole and damaged. */
#include "reports/trace/decoder.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "reports/trace/event_format.h"
#include "reports/trace/reader.h"
#include "reports/trace/ring_page.h"

static const char exit_format[] =
	"name: kvm_exit\nID: 105\nformat:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
	"\tfield:unsigned int exit_reason;\toffset:8;\tsize:4;\tsigned:0;\n"
	"\tfield:unsigned long guest_rip;\toffset:16;\tsize:8;\tsigned:0;\n"
	"\tfield:u32 isa;\toffset:24;\tsize:4;\tsigned:0;\n"
	"\tfield:unsigned int vcpu_id;\toffset:56;\tsize:4;\tsigned:0;\n\n"
	"print fmt: \"vcpu %u reason %s\", REC->vcpu_id, (REC->isa == 1) ? __print_symbolic(REC->exit_reason & 0xffff, "
	"{ 0, \"EXCEPTION_NMI\" }, { 1, \"EXTERNAL_INTERRUPT\" }, { 12, \"HLT\" }) : "
	"__print_symbolic(REC->exit_reason, "
	"{ 0x060, \"interrupt\" }, { 0x078, \"hlt\" }, { 0x400, \"npf\" })";

/* As 6.1 has it. */
static const char rss_format[] =
	"name: rss_stat\nID: 646\nformat:\n"
	"\tfield:unsigned int mm_id;\toffset:8;\tsize:4;\tsigned:0;\n"
	"\tfield:unsigned int curr;\toffset:12;\tsize:4;\tsigned:0;\n"
	"\tfield:int member;\toffset:16;\tsize:4;\tsigned:1;\n"
	"\tfield:long size;\toffset:24;\tsize:8;\tsigned:1;\n\n"
	"print fmt: \"mm_id=%u curr=%d type=%s size=%ldB\", REC->mm_id, REC->curr, __print_symbolic(REC->member, "
	"{ 0, \"MM_FILEPAGES\" }, { 1, \"MM_ANONPAGES\" }, { 2, \"MM_SWAPENTS\" }, { 3, \"MM_SHMEMPAGES\" }), "
	"REC->size";

static const char tick_format[] =
	"name: tick_stop\nID: 401\nformat:\n"
	"\tfield:int success;\toffset:8;\tsize:4;\tsigned:1;\n"
	"\tfield:int dependency;\toffset:12;\tsize:4;\tsigned:1;\n\n"
	"print fmt: \"success=%d dependency=%s\",  REC->success, __print_symbolic(REC->dependency, "
	"{ 0, \"NONE\" }, { (1 << 0), \"POSIX_TIMER\" }, { (1 << 1), \"PERF_EVENTS\" }, { (1 << 2), \"SCHED\" })";

static const char irq_format[] = "name: irq_handler_entry\nID: 7\nformat:\n"
				 "\tfield:int irq;\toffset:8;\tsize:4;\tsigned:1;\n"
				 "\tfield:__data_loc char[] name;\toffset:12;\tsize:4;\tsigned:1;\n";

static const char switch_format[] = "name: sched_switch\nID: 9\nformat:\n"
				    "\tfield:long prev_state;\toffset:8;\tsize:8;\tsigned:1;\n"
				    "\tfield:char next_comm[16];\toffset:16;\tsize:16;\tsigned:1;\n"
				    "\tfield:pid_t next_pid;\toffset:32;\tsize:4;\tsigned:1;\n";

struct page {
	unsigned char data[4096];
	size_t used; /* behind the header */
};

static void put_page_header(struct page *page, uint64_t tsc, uint64_t flags)
{
	uint64_t commit = page->used | flags;

	memcpy(page->data, &tsc, 8);
	memcpy(page->data + 8, &commit, 8);
}

static void put_entry(struct page *page, uint32_t type, uint32_t delta, const void *data, size_t len)
{
	uint32_t header = type | delta << 5;
	unsigned char *at = page->data + RING_PAGE_HEADER + page->used;

	memcpy(at, &header, 4);
	memcpy(at + 4, data, len);
	page->used += 4 + len;
}

static void page_gives_records_and_times(void **state)
{
	struct page page = { .used = 0 };
	uint32_t extend = 2;		     /* in units of 2^27 cycles */
	uint32_t large[4] = { 12, 7, 8, 9 }; /* length with itself, then data */
	uint32_t discarded[2] = { 4, 0 };
	struct ring_page cursor;
	struct ring_record record;

	(void)state;
	put_entry(&page, 2, 5, "abcdefgh", 8);
	put_entry(&page, 30, 1, &extend, 4);
	put_entry(&page, 0, 3, large, 12);
	put_entry(&page, 29, 1, discarded, 4);
	put_entry(&page, 1, 4, "ijkl", 4);
	put_page_header(&page, 1000, 1U << 31);
	ring_page_begin(&cursor, page.data, sizeof(page.data));
	assert_true(cursor.lost);
	assert_true(ring_page_next(&cursor, &record));
	assert_int_equal(record.tsc, 1005);
	assert_int_equal(record.len, 8);
	assert_memory_equal(record.data, "abcdefgh", 8);
	assert_true(ring_page_next(&cursor, &record));
	assert_int_equal(record.tsc, 1005 + (2ULL << 27) + 1 + 3);
	assert_int_equal(record.len, 8);
	assert_memory_equal(record.data, &large[1], 8);
	assert_true(ring_page_next(&cursor, &record));
	assert_int_equal(record.tsc, 1005 + (2ULL << 27) + 1 + 3 + 1 + 4);
	assert_memory_equal(record.data, "ijkl", 4);
	assert_false(ring_page_next(&cursor, &record));
	assert_false(ring_page_next(&cursor, &record));
}

static void damaged_page_ends(void **state)
{
	uint32_t lengths[] = { 0, 3, 4, 4000, 5000, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct page page = { .used = 0 };
		struct ring_page cursor;
		struct ring_record record;
		unsigned int n = 0;

		put_entry(&page, 0, 1, &lengths[i], 4);
		page.used = 4080;
		put_page_header(&page, 1, 0x7ffffff & ~4080ULL); /* claims far more than a page */
		ring_page_begin(&cursor, page.data, sizeof(page.data));
		while (ring_page_next(&cursor, &record)) {
			assert_true((const unsigned char *)record.data + record.len <= page.data + sizeof(page.data));
			assert_true(++n < 2000);
		}
	}
}

static void short_pages_are_empty(void **state)
{
	unsigned char data[24] = { 0 };
	struct ring_page cursor;
	struct ring_record record;

	(void)state;
	for (size_t len = 0; len <= sizeof(data); len++) {
		ring_page_begin(&cursor, data, len);
		assert_false(ring_page_next(&cursor, &record));
	}
}

static struct decoder *make_decoder(struct names *names)
{
	struct decoder *decoder = decoder_new(TRACE_HOST, names);

	assert_non_null(decoder);
	assert_int_equal(decoder_add(decoder, "kvm", exit_format), 0);
	assert_int_equal(decoder_add(decoder, "irq", irq_format), 0);
	assert_int_equal(decoder_add(decoder, "sched", switch_format), 0);
	assert_int_equal(decoder_add(decoder, "irq_vectors", "name: local_timer_entry\nID: 11\nformat:\n"), 0);
	assert_int_equal(decoder_add(decoder, "vcpulat", "name: invalidate_bh_lru\nID: 12\nformat:\n"), 0);
	assert_int_equal(decoder_add(decoder, "vcpulat_call", "name: cgroup_rstat_flush\nID: 13\nformat:\n"), 0);
	assert_int_equal(decoder_add(decoder, "vcpulat_return", "name: cgroup_rstat_flush\nID: 14\nformat:\n"), 0);
	assert_int_equal(decoder_add(decoder, "kvm", "no description at all"), 0);
	return decoder;
}

static void exit_reasons_by_processor(void **state)
{
	static const struct {
		uint32_t isa;
		uint32_t reason;
		const char *name;
	} rows[] = {
		{ 2, 0x60, "interrupt" },	{ 2, 0x400, "npf" },	  { 2, 0x77, "0x77" }, { 2, 99999, "0x1869f" },
		{ 1, 1, "external_interrupt" }, { 1, 0x8000000c, "hlt" }, { 1, 0x60, "0x60" }
	};
	struct names *names = names_new();
	struct decoder *decoder = make_decoder(names);

	(void)state;
	for (int twice = 0; twice < 2; twice++) {
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			uint32_t record[15] = { 105, 42, rows[i].reason, 0, 0, 0, rows[i].isa, [14] = 1 };
			struct trace_event event;

			assert_true(decoder_decode(decoder, record, sizeof(record), &event));
			assert_int_equal(event.type, TRACE_KVM_EXIT);
			assert_int_equal(event.pid, 42);
			assert_int_equal(event.peer, 1);
			assert_string_equal(names_text(names, event.name), rows[i].name);
		}
	}
	decoder_free(decoder);
	names_free(names);
}

static void texts_stay_inside_records(void **state)
{
	struct names *names = names_new();
	struct decoder *decoder = make_decoder(names);
	uint32_t record[6] = { 7, 0, 25, 16 | 8 << 16, 0x30687465, 0 }; /* "eth0" at 16 */
	struct trace_event event;

	(void)state;
	assert_true(decoder_decode(decoder, record, sizeof(record), &event));
	assert_int_equal(event.peer, 25);
	assert_string_equal(names_text(names, event.name), "eth0");
	record[3] = 16 | 0xffffU << 16;
	assert_true(decoder_decode(decoder, record, sizeof(record), &event));
	assert_string_equal(names_text(names, event.name), "");
	for (size_t len = 0; len < sizeof(record); len++)
		assert_int_equal(decoder_decode(decoder, record, len, &event), len >= 8);
	decoder_free(decoder);
	names_free(names);
}

static void names_are_printable(void **state)
{
	struct names *names = names_new();
	struct decoder *decoder = make_decoder(names);
	unsigned char record[36] = { 9 };
	struct trace_event event;

	(void)state;
	memcpy(record + 16, "a\033[1m\xff<b>\"", 11);
	assert_true(decoder_decode(decoder, record, sizeof(record), &event));
	assert_string_equal(names_text(names, event.name), "a?[1m?<b>\"");
	decoder_free(decoder);
	names_free(names);
}

static const char stack_format[] = "name: kernel_stack\nID: 4\nformat:\n"
				   "\tfield:int size;\toffset:8;\tsize:4;\tsigned:1;\n"
				   "\tfield:unsigned long caller[8];\toffset:16;\tsize:64;\tsigned:0;\n";

static const char *find_stack_function(void *ctx, uint64_t address)
{
	(void)ctx;
	return address == 0xabc0 ? "queue_work_on" : address == 0xabd0 ? "vmstat_shepherd" : NULL;
}

/* The record's own count is believed as far as the record goes. */
static void stacks_are_names(void **state)
{
	static const struct {
		uint64_t frames;
		size_t len;
		const char *text;
	} rows[] = { { 2, 40, "queue_work_on vmstat_shepherd" },
		     { 3, 40, "queue_work_on vmstat_shepherd 0x1234" },
		     { 0, 40, "" },
		     { 0xffffffff, 40, "queue_work_on vmstat_shepherd 0x1234" },
		     { 3, 36, "queue_work_on vmstat_shepherd" },
		     { 3, 20, "" } };
	struct names *names = names_new();
	struct decoder *decoder = make_decoder(names);

	(void)state;
	assert_int_equal(decoder_add(decoder, "ftrace", stack_format), 0);
	decoder_set_functions(decoder, find_stack_function, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t record[5] = { 4 | 7ULL << 32, rows[i].frames, 0xabc0, 0xabd0, 0x1234 };
		struct trace_event event;

		assert_true(decoder_decode(decoder, record, rows[i].len, &event));
		assert_int_equal(event.type, TRACE_STACK);
		assert_int_equal(event.pid, 7);
		assert_string_equal(names_text(names, event.name), rows[i].text);
	}
	decoder_free(decoder);
	names_free(names);
}

/* Nothing is known of this event but its own format. */
static void other_events_name_their_values(void **state)
{
	static const char *const kinds[] = { "mm_filepages", "mm_anonpages", "mm_swapents", "mm_shmempages", "0x4" };
	struct names *names = names_new();
	struct decoder *decoder = make_decoder(names);
	struct trace_event event;

	(void)state;
	assert_int_equal(decoder_add(decoder, "kmem", rss_format), 0);
	for (uint32_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		uint32_t record[8] = { 646, 42, 7, 1, i };

		assert_true(decoder_decode(decoder, record, sizeof(record), &event));
		assert_int_equal(event.type, TRACE_OTHER);
		assert_string_equal(names_text(names, event.event), "rss_stat");
		assert_string_equal(names_text(names, event.name), kinds[i]);
	}
	assert_int_equal(decoder_add(decoder, "timer", tick_format), 0);
	assert_true(decoder_decode(decoder, (const uint32_t[]){ 401, 42, 1, 4 }, 16, &event));
	assert_string_equal(names_text(names, event.name), "sched");
	assert_true(decoder_decode(decoder, (const uint32_t[]){ 401, 42, 1, 0 }, 16, &event));
	assert_string_equal(names_text(names, event.name), "none");
	decoder_free(decoder);
	names_free(names);
}

static void vectors_and_unknown_events(void **state)
{
	struct names *names = names_new();
	struct decoder *decoder = make_decoder(names);
	uint32_t record[3] = { 11, 3, 236 };
	struct trace_event event;

	(void)state;
	assert_true(decoder_decode(decoder, record, sizeof(record), &event));
	assert_int_equal(event.type, TRACE_VECTOR_ENTRY);
	assert_string_equal(names_text(names, event.name), "local_timer");
	record[0] = 12;
	assert_true(decoder_decode(decoder, record, sizeof(record), &event));
	assert_int_equal(event.type, TRACE_FUNCTION);
	assert_string_equal(names_text(names, event.name), "invalidate_bh_lru");
	for (record[0] = 13; record[0] <= 14; record[0]++) {
		assert_true(decoder_decode(decoder, record, sizeof(record), &event));
		assert_int_equal(event.type, record[0] == 13 ? TRACE_CALL : TRACE_RETURN);
		assert_string_equal(names_text(names, event.name), "cgroup_rstat_flush");
		assert_string_equal(names_text(names, event.event), record[0] == 13 ? "call" : "return");
	}
	record[0] = 65535;
	assert_true(decoder_decode(decoder, record, sizeof(record), &event));
	assert_int_equal(event.type, TRACE_OTHER);
	decoder_free(decoder);
	names_free(names);
}

struct read_back {
	struct names *names;
	struct reader *reader;
};

static struct read_back open_file(const char *path, enum trace_layer layer)
{
	struct read_back ret = { .names = names_new() };
	struct reader_params params = { .path = path, .layer = layer, .names = ret.names };
	struct err err = { "" };

	if (reader_open(&params, &ret.reader, &err) < 0)
		fail_msg("%s", err.msg);
	return ret;
}

static void close_file(struct read_back *file)
{
	reader_free(file->reader);
	names_free(file->names);
}

/* The own reader and libtracecmd must agree on every event, its time, its CPU and its names. */
static void both_readers_agree(void **state)
{
	struct read_back own = open_file("tests/data/trace/version6.dat", TRACE_HOST);
	struct read_back other = open_file("tests/data/trace/version7.dat", TRACE_HOST);
	struct trace_event a;
	struct trace_event b;
	uint64_t before = 0;
	unsigned int n = 0;

	(void)state;
	for (; reader_next(own.reader, &a) == 1; n++) {
		assert_int_equal(reader_next(other.reader, &b), 1);
		assert_true(a.tsc >= before);
		before = a.tsc;
		assert_true(a.tsc == b.tsc && a.cpu == b.cpu && a.pid == b.pid && a.type == b.type);
		assert_true(a.peer == b.peer && a.arg == b.arg);
		assert_string_equal(names_text(own.names, a.name), names_text(other.names, b.name));
		assert_string_equal(names_text(own.names, a.event), names_text(other.names, b.event));
	}
	assert_int_equal(reader_next(other.reader, &b), 0);
	assert_true(n > 100);
	close_file(&own);
	close_file(&other);
}

/* Both kinds of file say what the tasks are called. */
static void tasks_have_names(void **state)
{
	struct read_back own = open_file("tests/data/trace/version6.dat", TRACE_HOST);
	struct read_back other = open_file("tests/data/trace/version7.dat", TRACE_HOST);

	(void)state;
	for (int twice = 0; twice < 2; twice++) {
		assert_string_equal(names_text(own.names, reader_task(own.reader, 35)), "kworker/1:1");
		assert_string_equal(names_text(own.names, reader_task(own.reader, 0)), "idle");
		assert_int_equal(reader_task(own.reader, 35 + 256), 0);
		assert_string_equal(names_text(other.names, reader_task(other.reader, 35)), "kworker/1:1");
		assert_int_equal(reader_task(other.reader, 35 + 256), 0);
	}
	close_file(&own);
	close_file(&other);
}

static void guests_get_the_checked_reader_only(void **state)
{
	_cleanup_(names_freep) struct names *names = names_new();
	struct reader_params params = { .path = "tests/data/trace/version7.dat", .layer = TRACE_GUEST, .names = names };
	struct reader *reader;
	struct err err = { "" };

	(void)state;
	assert_int_equal(reader_open(&params, &reader, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.msg, "version 6"));
}

/* Cut anywhere, a file is refused or read as far as it goes. */
static void cut_files(void **state)
{
	_cleanup_free_ char *data = NULL;
	struct err err = { "" };
	size_t len;

	(void)state;
	assert_int_equal(fs_read("tests/data/trace/version6.dat", 1 << 20, &data, &len, &err), 0);
	for (size_t cut = 0; cut < len; cut += 1 + cut / 50) {
		_cleanup_(names_freep) struct names *names = names_new();
		_cleanup_(reader_freep) struct reader *reader = NULL;
		_cleanup_close_ int fd = memfd_create("cut", MFD_CLOEXEC);
		_cleanup_free_ char *path = str_printf("/proc/self/fd/%d", fd);
		struct reader_params params = { .path = path, .layer = TRACE_GUEST, .names = names };
		struct trace_event event;

		assert_int_equal(write(fd, data, cut), cut);
		if (reader_open(&params, &reader, &err) == 0)
			while (reader_next(reader, &event) == 1)
				;
	}
}

static void names_have_an_end(void **state)
{
	struct names *names = names_new();
	uint32_t last = 0;

	(void)state;
	for (unsigned int i = 0; i < NAMES_MAX + 10; i++) {
		char text[16];

		last = names_intern(names, text, (size_t)snprintf(text, sizeof(text), "n%u", i));
		assert_true(last != 0);
	}
	assert_string_equal(names_text(names, last), "(more)");
	assert_string_equal(names_text(names, names_intern(names, "n17", 3)), "n17");
	assert_int_equal(names_intern(names, "", 0), 0);
	names_free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_readers_agree),
		cmocka_unit_test(guests_get_the_checked_reader_only),
		cmocka_unit_test(cut_files),
		cmocka_unit_test(page_gives_records_and_times),
		cmocka_unit_test(damaged_page_ends),
		cmocka_unit_test(short_pages_are_empty),
		cmocka_unit_test(exit_reasons_by_processor),
		cmocka_unit_test(texts_stay_inside_records),
		cmocka_unit_test(names_are_printable),
		cmocka_unit_test(stacks_are_names),
		cmocka_unit_test(tasks_have_names),
		cmocka_unit_test(other_events_name_their_values),
		cmocka_unit_test(vectors_and_unknown_events),
		cmocka_unit_test(names_have_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
