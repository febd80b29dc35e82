// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The glue between QEMU and the meter: arguments, translation, callbacks. QEMU hands a
 * callback one word only, so the one plugin of a QEMU is a file-scope object here.
 *
 * Blocks tell the meter of themselves only while a probe runs: whenever the first starts or
 * the last stops, QEMU is asked to translate everything anew, at a time when that does no harm
 * (meter_reset.h).
 *
 *   -plugin vcpulat-meter.so,out=meter.bin[,threshold=1000][,steps=262144][,limit=MiB]
 */
#include "host/meter/qemu_plugin.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/marks.h"
#include "common/mono.h"
#include "host/meter/meter.h"
#include "host/meter/meter_file.h"
#include "host/meter/meter_reset.h"

#define BLOCK_LIMIT (3U << 20) /* some 100 bytes each */
#define MAX_THRESHOLD (1ULL << 40)
#define MAX_STEPS (1U << 22)
#define MAX_LIMIT_MIB (1ULL << 20)

/* What a mark's callback is told, in the word that QEMU passes through. */
#define MARK_WORD(code, tail) ((void *)((uintptr_t)(tail) << 8 | (uint8_t)(code)))

QEMU_PLUGIN_PUBLIC int qemu_plugin_version = QEMU_PLUGIN_API;

#define MAX_VMRUNS 64 /* a kernel has two */

static struct {
	struct meter *meter;
	struct meter_file *file;
	struct meter_reset reset;
	qemu_plugin_id_t id;
	_Atomic uint64_t resume[MAX_VMRUNS]; /* addresses after a VMRUN; 0: free */
} plugin;

struct plugin_options {
	struct meter_options meter;
	const char *out;
	uint64_t limit_mib;
};

static void on_block(unsigned int cpu, void *block)
{
	meter_block(plugin.meter, cpu, block);
}

static void on_skim(unsigned int cpu, void *block)
{
	meter_skim(plugin.meter, cpu, block);
}

static void begin_or_end_counting(qemu_plugin_id_t id);

static void reset_if_due(unsigned int cpu, uint64_t now_ns)
{
	if (meter_reset_take(&plugin.reset, cpu, now_ns))
		qemu_plugin_reset(plugin.id, begin_or_end_counting);
}

/* A probe that has asked makes sure, turn by turn, that it is heard: perhaps no CPU leaves a guest any more. */
static void on_mark(unsigned int cpu, void *word)
{
	int code = (int)((uintptr_t)word & 0xff);

	meter_mark(plugin.meter, cpu, code, (uint32_t)((uintptr_t)word >> 8));
	if (code == MARK_PROBE_START || code == MARK_PROBE_STOP)
		meter_reset_ask(&plugin.reset, cpu);
	if (meter_reset_asks(&plugin.reset, cpu))
		reset_if_due(cpu, mono_ns());
}

static void on_enter(unsigned int cpu, void *unused)
{
	(void)unused;
	meter_reset_enter(&plugin.reset, cpu);
}

static void on_leave(unsigned int cpu, void *unused)
{
	uint64_t now_ns = mono_ns();

	(void)unused;
	meter_reset_leave(&plugin.reset, cpu, now_ns);
	reset_if_due(cpu, now_ns);
}

static size_t read_insns(const struct qemu_plugin_tb *tb, struct meter_insn insns[static METER_BLOCK_INSNS])
{
	size_t count = qemu_plugin_tb_n_insns(tb);

	if (count > METER_BLOCK_INSNS)
		count = METER_BLOCK_INSNS;
	for (size_t i = 0; i < count; i++) {
		const struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		insns[i].code = qemu_plugin_insn_data(insn);
		insns[i].bytes = qemu_plugin_insn_size(insn);
	}
	return count;
}

static void watch_marks(struct qemu_plugin_tb *tb, const struct meter_insn *insns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (insns[i].bytes != MARK_PREFIX_LEN + 1 || memcmp(insns[i].code, MARK_PREFIX, MARK_PREFIX_LEN))
			continue;
		qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_tb_get_insn(tb, i), on_mark, QEMU_PLUGIN_CB_NO_REGS,
						       MARK_WORD(insns[i].code[MARK_PREFIX_LEN], count - i));
	}
}

static bool is_resume(uint64_t pc)
{
	for (size_t i = 0; i < MAX_VMRUNS && plugin.resume[i]; i++)
		if (plugin.resume[i] == pc)
			return true;
	return false;
}

static void remember_resume(uint64_t pc)
{
	for (size_t i = 0; i < MAX_VMRUNS; i++) {
		uint64_t expected = 0;

		if (atomic_compare_exchange_strong(&plugin.resume[i], &expected, pc) || expected == pc)
			return;
	}
	fprintf(stderr, "vcpulat-meter: more than %d places enter guests: layers may be wrong\n", MAX_VMRUNS);
}

static bool is_vmrun(const struct meter_insn *insn, uint64_t next)
{
	uint64_t target;

	return meter_insn_decode(insn, next, &target) & METER_BLOCK_VMRUN;
}

/* A VMRUN's successor is translated after it: nothing else leads there. Return: whether the block is either. */
static bool watch_switches(struct qemu_plugin_tb *tb, const struct meter_insn *insns, size_t count)
{
	uint64_t pc = qemu_plugin_tb_vaddr(tb);
	uint64_t next = pc;

	for (size_t i = 0; i < count; i++)
		next += insns[i].bytes;
	if (is_resume(pc))
		qemu_plugin_register_vcpu_tb_exec_cb(tb, on_leave, QEMU_PLUGIN_CB_NO_REGS, NULL);
	if (is_vmrun(&insns[count - 1], next)) {
		remember_resume(next);
		qemu_plugin_register_vcpu_tb_exec_cb(tb, on_enter, QEMU_PLUGIN_CB_NO_REGS, NULL);
		return true;
	}
	return is_resume(pc);
}

static void watch(struct qemu_plugin_tb *tb, bool counting)
{
	struct meter_insn insns[METER_BLOCK_INSNS];
	size_t count = read_insns(tb, insns);

	if (!count)
		return;
	if (watch_switches(tb, insns, count) || counting)
		qemu_plugin_register_vcpu_tb_exec_cb(
			tb, counting ? on_block : on_skim, QEMU_PLUGIN_CB_NO_REGS,
			meter_table_intern(meter_get_table(plugin.meter), qemu_plugin_tb_vaddr(tb), insns, count));
	watch_marks(tb, insns, count);
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	watch(tb, true);
}

/* Marks and world switches only. */
static void on_translate_idle(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	watch(tb, false);
}

/* CPUs may still execute: the meter itself stays, it ends with the process. */
static void on_exit_of_qemu(qemu_plugin_id_t id, void *udata)
{
	int err = meter_file_close(plugin.file);

	(void)id;
	(void)udata;
	if (err)
		fprintf(stderr, "vcpulat-meter: the file is incomplete: %s\n", strerror(-err));
}

static void register_all(qemu_plugin_id_t id, bool counting)
{
	meter_set_counting(plugin.meter, counting);
	qemu_plugin_register_vcpu_tb_trans_cb(id, counting ? on_translate : on_translate_idle);
	qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
}

/* No CPU executes. Decided here: of two requests at a time QEMU serves the first. */
static void begin_or_end_counting(qemu_plugin_id_t id)
{
	register_all(id, meter_wanted(plugin.meter));
}

static int parse_number(const char *argument, const char *text, uint64_t max, uint64_t *ret)
{
	char *end = NULL;

	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);

	if (errno || end == text || *end || value < 1 || value > max) {
		fprintf(stderr, "vcpulat-meter: %s: a number from 1 to %llu is wanted\n", argument,
			(unsigned long long)max);
		return -EINVAL;
	}
	*ret = value;
	return 0;
}

static int parse_steps(const char *argument, const char *text, uint32_t *ret)
{
	uint64_t steps = 0;
	int err = parse_number(argument, text, MAX_STEPS, &steps);

	if (err)
		return err;
	*ret = 4;
	while (*ret < steps)
		*ret *= 2;
	return 0;
}

static int parse_argument(const char *argument, struct plugin_options *options)
{
	const char *value = strchr(argument, '=');
	size_t len = value ? (size_t)(value++ - argument) : 0;

	if (len == 3 && !strncmp(argument, "out", len)) {
		options->out = value;
		return 0;
	}
	if (len == 9 && !strncmp(argument, "threshold", len))
		return parse_number(argument, value, MAX_THRESHOLD, &options->meter.threshold_insns);
	if (len == 5 && !strncmp(argument, "limit", len))
		return parse_number(argument, value, MAX_LIMIT_MIB, &options->limit_mib);
	if (len == 5 && !strncmp(argument, "steps", len))
		return parse_steps(argument, value, &options->meter.steps_max);
	fprintf(stderr, "vcpulat-meter: unknown argument '%s': out=, threshold=, steps= and limit= are known\n",
		argument);
	return -EINVAL;
}

static int open_meter(const struct plugin_options *options)
{
	plugin.meter = meter_new(&options->meter);
	if (!plugin.meter || meter_reset_init(&plugin.reset, options->meter.cpus) < 0)
		return -ENOMEM;
	plugin.file = meter_file_open(options->out, plugin.meter, options->limit_mib << 20);
	if (plugin.file)
		return meter_file_start(plugin.file);

	int err = -errno;

	fprintf(stderr, "vcpulat-meter: cannot write '%s': %s\n", options->out, strerror(-err));
	return err;
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	struct plugin_options options = {
		.meter = { .threshold_insns = 1000, .steps_max = 1U << 18, .block_limit = BLOCK_LIMIT },
		.out = "meter.bin",
		.limit_mib = 1024,
	};

	if (!info->system_emulation || strcmp(info->target_name, "x86_64")) {
		fprintf(stderr, "vcpulat-meter: only qemu-system-x86_64 is metered\n");
		return -1;
	}
	options.meter.cpus = (uint32_t)info->system.max_vcpus;
	for (int i = 0; i < argc; i++) {
		if (parse_argument(argv[i], &options))
			return -1;
	}
	if (open_meter(&options))
		return -1;
	plugin.id = id;
	register_all(id, false);
	return 0;
}
