// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How fast traces are read, joined with gaps and attributed.
 *   bench_trace generate FILE EVENTS   writes a trace.dat of host events, two CPUs
 *   bench_trace read FILE              prints events, seconds of CPU time, KiB resident
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "common/cleanup.h"
#include "reports/attribute.h"
#include "reports/trace/reader.h"

#define PAGE_BYTES 4096
#define CPUS 2
#define STEP_CYCLES 1000
#define GAP_EVERY_EVENTS 1000
#define VCPU_PID 100
#define WORKER_PID 38

#define COMMON                                                                                                         \
	"format:\n\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"                                \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"                                         \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"                                 \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"

struct format {
	const char *system;
	const char *text;
};

enum { SWITCH = 1, TIMER_ENTRY, TIMER_EXIT, WORK_START, WORK_END, KVM_EXIT, KVM_ENTRY };

static const struct format formats[] = {
	{ "sched", "name: sched_switch\nID: 1\n" COMMON "\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:1;\n"
		   "\tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;\n"
		   "\tfield:int prev_prio;\toffset:28;\tsize:4;\tsigned:1;\n"
		   "\tfield:long prev_state;\toffset:32;\tsize:8;\tsigned:1;\n"
		   "\tfield:char next_comm[16];\toffset:40;\tsize:16;\tsigned:1;\n"
		   "\tfield:pid_t next_pid;\toffset:56;\tsize:4;\tsigned:1;\n"
		   "\tfield:int next_prio;\toffset:60;\tsize:4;\tsigned:1;\n\n"
		   "print fmt: \"%s:%d ==> %s:%d\", REC->prev_comm, REC->prev_pid, REC->next_comm, REC->next_pid\n" },
	{ "irq_vectors",
	  "name: local_timer_entry\nID: 2\n" COMMON "\tfield:int vector;\toffset:8;\tsize:4;\tsigned:1;\n\n"
	  "print fmt: \"vector=%d\", REC->vector\n" },
	{ "irq_vectors",
	  "name: local_timer_exit\nID: 3\n" COMMON "\tfield:int vector;\toffset:8;\tsize:4;\tsigned:1;\n\n"
	  "print fmt: \"vector=%d\", REC->vector\n" },
	{ "workqueue",
	  "name: workqueue_execute_start\nID: 4\n" COMMON "\tfield:void * work;\toffset:8;\tsize:8;\tsigned:0;\n"
	  "\tfield:void * function;\toffset:16;\tsize:8;\tsigned:0;\n\n"
	  "print fmt: \"work struct %p: function %ps\", REC->work, REC->function\n" },
	{ "workqueue",
	  "name: workqueue_execute_end\nID: 5\n" COMMON "\tfield:void * work;\toffset:8;\tsize:8;\tsigned:0;\n"
	  "\tfield:void * function;\toffset:16;\tsize:8;\tsigned:0;\n\n"
	  "print fmt: \"work struct %p: function %ps\", REC->work, REC->function\n" },
	{ "kvm", "name: kvm_exit\nID: 6\n" COMMON "\tfield:unsigned int exit_reason;\toffset:8;\tsize:4;\tsigned:0;\n"
		 "\tfield:unsigned long guest_rip;\toffset:16;\tsize:8;\tsigned:0;\n"
		 "\tfield:u32 isa;\toffset:24;\tsize:4;\tsigned:0;\n\n"
		 "print fmt: \"reason %s rip 0x%lx\", (REC->isa == 1) ? __print_symbolic(REC->exit_reason & 0xffff, "
		 "{ 1, \"EXTERNAL_INTERRUPT\" }) : __print_symbolic(REC->exit_reason, { 0x60, \"interrupt\" }), "
		 "REC->guest_rip\n" },
	{ "kvm", "name: kvm_entry\nID: 7\n" COMMON "\tfield:unsigned int vcpu_id;\toffset:8;\tsize:4;\tsigned:0;\n"
		 "\tfield:unsigned long rip;\toffset:16;\tsize:8;\tsigned:0;\n\n"
		 "print fmt: \"vcpu %u, rip 0x%lx\", REC->vcpu_id, REC->rip\n" },
};

static const char symbols[] =
	"ffffffff81000000 T _stext\nffffffff81111110 t vmstat_update\nffffffff82000000 T _etext\n";
static const char page_format[] = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
				  "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
				  "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
				  "\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n";

struct step {
	uint16_t type;
	int32_t pid;
	uint32_t bytes;
};

/* One preemption of a vCPU, again and again. */
static const struct step steps[] = {
	{ TIMER_ENTRY, VCPU_PID, 12 }, { TIMER_EXIT, VCPU_PID, 12 },   { KVM_EXIT, VCPU_PID, 32 },
	{ SWITCH, VCPU_PID, 64 },      { WORK_START, WORKER_PID, 24 }, { WORK_END, WORKER_PID, 24 },
	{ SWITCH, WORKER_PID, 64 },    { KVM_ENTRY, VCPU_PID, 24 },
};

static void fill_record(unsigned char *record, const struct step *step)
{
	int32_t next = step->pid == VCPU_PID ? WORKER_PID : VCPU_PID;
	uint64_t function = 0xffffffff81111110ULL;
	uint32_t exit[5] = { 0x60, 0, 0, 0, 2 };

	memset(record, 0, step->bytes);
	memcpy(record, &step->type, 2);
	memcpy(record + 4, &step->pid, 4);
	if (step->type == SWITCH) {
		strcpy((char *)record + 40, next == VCPU_PID ? "CPU 1/KVM" : "kworker/1:1");
		memcpy(record + 56, &next, 4);
	} else if (step->type == WORK_START || step->type == WORK_END) {
		memcpy(record + 16, &function, 8);
	} else if (step->type == KVM_EXIT) {
		memcpy(record + 8, exit, sizeof(exit));
	}
}

/* One page; returns how many events it took. */
static uint64_t write_page(FILE *f, uint64_t first, uint64_t end)
{
	unsigned char page[PAGE_BYTES] = { 0 };
	uint64_t used = 0;
	uint64_t stamp = (first + 1) * STEP_CYCLES;
	uint64_t i = first;

	for (; i < end; i++) {
		const struct step *step = &steps[i % ARRAY_SIZE(steps)];
		uint32_t header = step->bytes / 4 | (i == first ? 0U : STEP_CYCLES) << 5;

		if (16 + used + 4 + step->bytes > PAGE_BYTES)
			break;
		memcpy(page + 16 + used, &header, 4);
		fill_record(page + 16 + used + 4, step);
		used += 4 + step->bytes;
	}
	memcpy(page, &stamp, 8);
	memcpy(page + 8, &used, 8);
	fwrite(page, sizeof(page), 1, f);
	return i - first;
}

static void put(FILE *f, uint64_t value, size_t bytes)
{
	fwrite(&value, bytes, 1, f);
}

static void write_head(FILE *f)
{
	fwrite("\x17\x08\x44tracing6\0\0\x08", 14, 1, f);
	put(f, PAGE_BYTES, 4);
	fwrite("header_page", 12, 1, f);
	put(f, sizeof(page_format) - 1, 8);
	fwrite(page_format, sizeof(page_format) - 1, 1, f);
	fwrite("header_event", 13, 1, f);
	put(f, 0, 8);
	put(f, 0, 4);
	put(f, ARRAY_SIZE(formats), 4);
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		fwrite(formats[i].system, strlen(formats[i].system) + 1, 1, f);
		put(f, 1, 4);
		put(f, strlen(formats[i].text), 8);
		fwrite(formats[i].text, strlen(formats[i].text), 1, f);
	}
	put(f, sizeof(symbols) - 1, 4);
	fwrite(symbols, sizeof(symbols) - 1, 1, f);
	put(f, 0, 4);
	put(f, 0, 8);
	put(f, CPUS, 4);
	fwrite("flyrecord", 10, 1, f);
}

static int generate(const char *path, uint64_t events)
{
	_cleanup_fclose_ FILE *f = fopen(path, "we");
	long table;
	uint64_t offset = 0;

	if (!f)
		return 1;
	write_head(f);
	table = ftell(f);
	for (int cpu = 0; cpu < CPUS; cpu++) {
		uint64_t begin =
			offset ? offset : ((uint64_t)table + 16 * CPUS + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;

		fseek(f, (long)begin, SEEK_SET);
		for (uint64_t i = 0; i < events / CPUS;)
			i += write_page(f, i, events / CPUS);
		offset = (uint64_t)ftell(f);
		fseek(f, table + 16 * cpu, SEEK_SET);
		put(f, begin, 8);
		put(f, offset - begin, 8);
	}
	return 0;
}

static double cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static uint64_t first_stamp(const struct reader_params *params)
{
	_cleanup_(reader_freep) struct reader *reader = NULL;
	struct trace_event event = { 0 };
	struct err err;

	if (reader_open(params, &reader, &err) == 0)
		reader_next(reader, &event);
	return event.tsc;
}

static void make_gaps(struct gap *gaps, size_t n, uint64_t first)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t t0 = first + i * GAP_EVERY_EVENTS * STEP_CYCLES;

		gaps[i] = (struct gap){ .t0 = t0, .t1 = t0 + ARRAY_SIZE(steps) * STEP_CYCLES };
	}
}

static uint64_t join_all(struct reader *reader, struct names *names, struct gap *gaps, size_t n_gaps)
{
	_cleanup_(causes_freep) struct causes *causes = causes_new(names);
	struct attribute_params params = { .gaps = gaps,
					   .n_gaps = n_gaps,
					   .names = names,
					   .causes = causes,
					   .host_cpu = 1,
					   .host = { .is_vcpu = true, .subject_tid = VCPU_PID },
					   .has_guest = true,
					   .guest = { .layer = TRACE_GUEST, .subject_tid = 1 },
					   .cycles_per_second = 1000000000 };
	_cleanup_(attribution_freep) struct attribution *join = attribution_new(&params);
	struct trace_event event;
	uint64_t events = 0;

	for (; reader_next(reader, &event) == 1; events++)
		attribution_feed(join, &event);
	attribution_finish(join);
	return events;
}

static int read_trace(const char *path)
{
	_cleanup_(names_freep) struct names *names = names_new();
	_cleanup_(reader_freep) struct reader *reader = NULL;
	struct reader_params params = { .path = path, .names = names };
	size_t n_gaps = 1000;
	_cleanup_free_ struct gap *gaps = calloc(n_gaps, sizeof(*gaps));
	struct rusage usage;
	struct err err = { "" };
	uint64_t first = first_stamp(&params);
	double begin = cpu_seconds();
	uint64_t events;

	if (!gaps || reader_open(&params, &reader, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	make_gaps(gaps, n_gaps, first);
	events = join_all(reader, names, gaps, n_gaps);
	begin = cpu_seconds() - begin;
	getrusage(RUSAGE_SELF, &usage);
	printf("%" PRIu64 " %.4f %ld\n", events, begin, usage.ru_maxrss);
	for (size_t i = 0; i < n_gaps; i++)
		gap_done(&gaps[i]);
	return 0;
}

int main(int argc, char *argv[])
{
	if (argc == 4 && strcmp(argv[1], "generate") == 0)
		return generate(argv[2], strtoull(argv[3], NULL, 10));
	if (argc == 3 && strcmp(argv[1], "read") == 0)
		return read_trace(argv[2]);
	fprintf(stderr, "usage: bench_trace generate FILE EVENTS | read FILE\n");
	return 1;
}
