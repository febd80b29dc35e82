// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes a trace.dat from pieces that a 6.1 kernel gave, and has libtracecmd read it. */
#include "agents/tracedat.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <trace-cmd.h>

#include "common/cleanup.h"
#include "common/fs.h"

#define DATA "tests/data/tracedat/"
#define FIRST_SWITCH_TSC 27184265316ULL
#define SWITCHES 18
#define WORKS 3

struct recorded {
	struct tracedat_parts parts;
	struct tracedat_format formats[2];
	struct tracedat_blob stats[2];
	int pages[2];
	char path[32];
};

static struct tracedat_blob read_piece(const char *name)
{
	_cleanup_free_ char *path = str_printf(DATA "%s", name);
	struct tracedat_blob blob;

	assert_int_equal(fs_read(path, 1 << 20, &blob.data, &blob.bytes, NULL), 0);
	return blob;
}

static struct tracedat_blob text(const char *words)
{
	return (struct tracedat_blob){ .data = strdup(words), .bytes = strlen(words) };
}

static int setup(void **state)
{
	struct recorded *r = calloc(1, sizeof(*r));

	r->formats[0] = (struct tracedat_format){ "sched", read_piece("sched.sched_switch.format") };
	r->formats[1] = (struct tracedat_format){ "workqueue", read_piece("workqueue.workqueue_execute_start.format") };
	r->stats[0] = text("entries: 0\n");
	r->stats[1] = text("entries: 165\n");
	r->pages[0] = -1; /* nothing was recorded on CPU 0 */
	r->pages[1] = open(DATA "cpu1.pages", O_RDONLY | O_CLOEXEC);
	assert_true(r->pages[1] >= 0);
	r->parts = (struct tracedat_parts){
		.header_page = read_piece("header_page"),
		.header_event = read_piece("header_event"),
		.events = r->formats,
		.events_count = 2,
		.kallsyms = read_piece("kallsyms"),
		.saved_cmdlines = text("70 vcpulat-probe\n"),
		.trace_clock = text("local global [x86-tsc]\n"),
		.uname = text("Linux test 6.1.192 x86_64"),
		.cpu_stats = r->stats,
		.cpu_pages = r->pages,
		.cpus = 2,
		.link = { .trace_id = 42 },
	};
	snprintf(r->path, sizeof(r->path), "%s", "/tmp/tracedat-XXXXXX");
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct recorded *r = *state;

	free(r->parts.header_page.data);
	free(r->parts.header_event.data);
	free(r->parts.kallsyms.data);
	free(r->parts.saved_cmdlines.data);
	free(r->parts.trace_clock.data);
	free(r->parts.uname.data);
	for (int i = 0; i < 2; i++) {
		free(r->formats[i].text.data);
		free(r->stats[i].data);
	}
	close(r->pages[1]);
	unlink(r->path);
	free(r);
	return 0;
}

static struct tracecmd_input *write_and_open(struct recorded *r)
{
	_cleanup_close_ int fd = mkstemp(r->path);
	struct err err = { "" };

	assert_true(fd >= 0);
	if (tracedat_write(fd, &r->parts, &err) < 0)
		fail_msg("%s", err.msg);
	return tracecmd_open(r->path, TRACECMD_FL_LOAD_NO_PLUGINS);
}

static void reads_back(void **state)
{
	struct tracecmd_input *input = write_and_open(*state);

	assert_non_null(input);
	assert_int_equal(tracecmd_get_traceid(input), 42);
	assert_int_equal(tep_get_cpus(tracecmd_get_tep(input)), 2);
	assert_null(tracecmd_read_cpu_first(input, 0));
	tracecmd_close(input);
}

/* What the test sums up over all records. */
struct seen {
	size_t switches;
	size_t works;
	uint64_t first_switch;
	char function[64]; /* of the last work */
};

static void see(struct tep_handle *tep, struct tep_record *record, struct seen *seen)
{
	struct tep_event *event = tep_find_event_by_record(tep, record);
	unsigned long long address = 0;
	const char *name;

	assert_int_equal(record->cpu, 1);
	if (event && strcmp(event->name, "sched_switch") == 0 && seen->switches++ == 0)
		seen->first_switch = record->ts;
	if (event && strcmp(event->name, "workqueue_execute_start") == 0) {
		seen->works++;
		assert_int_equal(tep_get_field_val(NULL, event, "function", record, &address, 0), 0);
		name = tep_find_function(tep, address);
		snprintf(seen->function, sizeof(seen->function), "%s", name ? name : "");
	}
}

static void shows_the_events(void **state)
{
	struct tracecmd_input *input = write_and_open(*state);
	struct seen seen = { 0 };
	struct tep_record *record;

	assert_non_null(input);
	while ((record = tracecmd_read_data(input, 1))) {
		see(tracecmd_get_tep(input), record, &seen);
		tracecmd_free_record(record);
	}
	assert_int_equal(seen.switches, SWITCHES);
	assert_int_equal(seen.works, WORKS);
	assert_int_equal(seen.first_switch, FIRST_SWITCH_TSC); /* raw cycles, not scaled */
	assert_string_equal(seen.function, "vmstat_update");
	tracecmd_close(input);
}

#define SHIFT 1000000

/* One line of trace-cmd's of that file; 0: there is none. */
static uint64_t first_switch_of(const char *report, const char *file)
{
	_cleanup_free_ char *prefix = str_printf("%s:", file);
	const char *line = strstr(report, "sched_switch:");
	const char *bracket;

	while (line && line > report && line[-1] != '\n')
		line--;
	for (; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		if (strncmp(line + strspn(line, " "), prefix, strlen(prefix)) != 0)
			continue;
		bracket = strstr(line, "]");
		return bracket ? strtoull(bracket + 1, NULL, 10) : 0;
	}
	return 0;
}

static void write_tied(struct recorded *r, const char *path, const struct tracedat_link *link)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct err err = { "" };

	assert_true(fd >= 0);
	assert_int_equal(lseek(r->pages[1], 0, SEEK_SET), 0);
	r->parts.link = *link;
	if (tracedat_write(fd, &r->parts, &err) < 0)
		fail_msg("%s", err.msg);
}

/* The host's file names the guest's threads, and the guest's events are shown at the host's time. */
static void host_and_guest_are_tied(void **state)
{
	const struct tracedat_link host = { 42, 43, false, 2, { { -SHIFT, 70 }, { SHIFT, 71 } } };
	const struct tracedat_link guest = { 43, 42, true, 2, { { -SHIFT, 70 }, { SHIFT, 71 } } };
	char dir[] = "/tmp/tracedat-XXXXXX";
	_cleanup_free_ char *merge =
		str_printf("cd %s && trace-cmd report -i host.dat -i guest.dat >report 2>/dev/null", mkdtemp(dir));
	_cleanup_free_ char *remove = str_printf("rm -r %s", dir);
	_cleanup_free_ char *host_path = str_printf("%s/host.dat", dir);
	_cleanup_free_ char *guest_path = str_printf("%s/guest.dat", dir);
	_cleanup_free_ char *report_path = str_printf("%s/report", dir);
	_cleanup_free_ char *report = NULL;
	struct tracecmd_input *input;
	const char *name;
	const int *tids;
	size_t n = 0;
	int vcpus;

	write_tied(*state, host_path, &host);
	write_tied(*state, guest_path, &guest);
	input = tracecmd_open(host_path, TRACECMD_FL_LOAD_NO_PLUGINS);
	assert_int_equal(tracecmd_get_guest_cpumap(input, 43, &name, &vcpus, &tids), 0);
	assert_int_equal(vcpus, 2);
	assert_int_equal(tids[0], 70);
	assert_int_equal(tids[1], 71);
	assert_true(tracecmd_get_guest_cpumap(input, 44, &name, &vcpus, &tids) < 0);
	tracecmd_close(input);
	if (system("command -v trace-cmd >/dev/null") == 0) {
		assert_int_equal(system(merge), 0);
		assert_int_equal(fs_read(report_path, 1 << 20, &report, &n, NULL), 0);
		assert_int_equal(first_switch_of(report, "host.dat"), FIRST_SWITCH_TSC);
		assert_int_equal(first_switch_of(report, "guest.dat"), FIRST_SWITCH_TSC + SHIFT);
	}
	assert_int_equal(system(remove), 0);
}

static void no_events_at_all(void **state)
{
	struct recorded *r = *state;
	struct tracecmd_input *input;

	close(r->pages[1]);
	r->pages[1] = -1;
	r->parts.cpu_stats = NULL;
	r->parts.events_count = 0;
	input = write_and_open(r);
	assert_non_null(input);
	assert_null(tracecmd_read_cpu_first(input, 1));
	tracecmd_close(input);
}

static void full_disk_is_an_error(void **state)
{
	struct recorded *r = *state;
	_cleanup_close_ int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct err err = { "" };

	assert_int_equal(tracedat_write(fd, &r->parts, &err), -ENOSPC);
	assert_string_equal(err.msg, "cannot write the trace file: No space left on device");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(reads_back),
		TEST(shows_the_events),
		TEST(no_events_at_all),
		TEST(host_and_guest_are_tied),
		TEST(full_disk_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
