// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/log.h"
#include "common/random.h"
#include "common/schema_strings.h"
#include "common/stop.h"
#include "host/conclude.h"
#include "host/exit.h"
#include "host/lab/boot.h"
#include "host/lab/lab.h"
#include "host/lab/job.h"
#include "host/lab/terminal.h"
#include "host/paths.h"
#include "host/scenario.h"

#define DEFAULT_CPUS 2
#define DEFAULT_MEMORY (UINT64_C(3) << 30)

struct lab_options {
	struct schema_strings host_kernels;
	char *host_image;
	char *guest_kernel;
	uint32_t guests; /* bit i: enum guest_kind i; 0: those of each scenario */
	uint64_t repeat;
	uint64_t cpus;
	uint64_t isolated;
	uint64_t memory_bytes;
	char *append;
	struct schema_strings qemu_args;
	struct schema_strings files;
	uint64_t seed;
	bool has_seed;
	uint64_t patience_ns;
	char *out;
	bool json;
	bool no_report;
	bool keep;
	bool no_meter;
	bool no_trace;
	int probe; /* enum probe_kind */
	bool has_probe;
};

#define FIELD(name, member, kind) OPTION_FIELD(struct lab_options, name, member, kind)

static const struct option_row rows[] = {
	{ .field = { FIELD("host-kernel", host_kernels, SCHEMA_STRINGS),
		     .help = "kernel of the emulated host: an arm; stock if none" },
	  .argument = "ARM" },
	{ .field = { FIELD("host-image", host_image, SCHEMA_STRING), .help = "boot this image as one more arm" },
	  .argument = "BZIMAGE" },
	{ .field = { FIELD("guest-kernel", guest_kernel, SCHEMA_STRING),
		     .help = "arm whose kernel the guest boots (with run: a file); the host's if not given" },
	  .argument = "ARM" },
	{ .field = { FIELD("guest", guests, SCHEMA_FLAGS), .names = guest_kind_names,
		     .help = "kind of guest; those of each scenario if not given" },
	  .argument = "KIND" },
	{ .field = { FIELD("repeat", repeat, SCHEMA_UINT), .fallback = "1", .min = 1, .max = 1000,
		     .help = "boots of each arm, interleaved in random order" },
	  .argument = "N" },
	{ .field = { FIELD("cpus", cpus, SCHEMA_UINT), .max = 8,
		     .help = "CPUs of the emulated host; as the scenarios need if not given" },
	  .argument = "N" },
	{ .field = { FIELD("isolated", isolated, SCHEMA_UINT), .max = 7,
		     .help = "how many of them are isolated; as the scenarios need if not given" },
	  .argument = "N" },
	{ .field = { FIELD("memory", memory_bytes, SCHEMA_SIZE), .max = UINT64_C(1) << 40,
		     .help = "memory of the emulated host, as the scenarios need if not given" },
	  .argument = "SIZE" },
	{ .field = { FIELD("append", append, SCHEMA_STRING), .help = "more kernel command line of the emulated host" },
	  .argument = "CMDLINE" },
	{ .field = { FIELD("qemu-arg", qemu_args, SCHEMA_STRINGS), .help = "one more argument of the emulating QEMU" },
	  .argument = "ARG" },
	{ .field = { FIELD("file", files, SCHEMA_STRINGS),
		     .help = "hand a copy of a file in; it lies where the command or shell starts" },
	  .argument = "FILE" },
	{ .field = { FIELD("seed", seed, SCHEMA_UINT), .has_offset = offsetof(struct lab_options, has_seed),
		     .help = "of all that is random; drawn if not given" },
	  .argument = "N" },
	{ .field = { FIELD("patience", patience_ns, SCHEMA_DURATION), .fallback = "45s", .min = 1000000000,
		     .max = 3600000000000,
		     .help = "end a boot that gives no sign of life for so long, or no progress for six times so "
			     "long" },
	  .argument = "TIME" },
	{ .field = { FIELD("output", out, SCHEMA_STRING),
		     .help = "results; a new directory vcpulat-TIME if not given" },
	  .letter = 'o',
	  .argument = "DIR" },
	{ .field = { FIELD("json", json, SCHEMA_BOOL), .help = "print the comparison as JSON" } },
	{ .field = { FIELD("no-report", no_report, SCHEMA_BOOL), .help = "bring the bundles home, analyze nothing" } },
	{ .field = { FIELD("keep", keep, SCHEMA_BOOL),
		     .help = "leave the directories that were shared with the emulated hosts" } },
	{ .field = { FIELD("no-meter", no_meter, SCHEMA_BOOL), .help = "count no instructions" } },
	{ .field = { FIELD("no-trace", no_trace, SCHEMA_BOOL),
		     .help = "trace nothing inside: what the meter sees then has no probe effect" } },
	{ .field = { FIELD("probe", probe, SCHEMA_ENUM), .has_offset = offsetof(struct lab_options, has_probe),
		     .names = probe_kind_names,
		     .help = "a busy loop, or wake-up latency; what a scenario names if not given" },
	  .argument = "KIND" },
	{ .field = { .key = NULL } },
};

/* All that one call works on. */
struct lab {
	const struct lab_options *options;
	struct lab_kernel *kernels;
	size_t kernel_count;
	struct lab_kernel guest;
	bool has_guest;
	struct schema_strings scenarios; /* as `vcpulat run` inside is told */
	struct schema_strings given;
	struct schema_strings given_text;
	uint64_t cpus;		       /* most that a scenario needs */
	uint64_t isolated;	       /* likewise */
	uint64_t memory_bytes;	       /* likewise */
	struct schema_strings cmdline; /* words that scenarios need on it */
	uint64_t node1_bytes;	       /* likewise */
	char *out;
	char *job;
	uint64_t seed;	     /* given or drawn */
	bool temporary;	     /* out goes when we end */
	json_t *record;	     /* lab.json */
	const char *command; /* as it was given */
};

static void lab_done(struct lab *lab)
{
	for (size_t i = 0; i < lab->kernel_count; i++)
		lab_kernel_done(&lab->kernels[i]);
	free(lab->kernels);
	lab_kernel_done(&lab->guest);
	schema_strings_clear(&lab->scenarios);
	schema_strings_clear(&lab->given);
	schema_strings_clear(&lab->given_text);
	schema_strings_clear(&lab->cmdline);
	if (lab->temporary)
		fs_remove_tree(lab->out, NULL);
	free(lab->out);
	free(lab->job);
	json_decref(lab->record);
}

#define _cleanup_lab_ _cleanup_(lab_done)

static int add_kernel(struct lab *lab, const char *name, struct err *err)
{
	struct lab_kernel *grown = realloc(lab->kernels, (lab->kernel_count + 1) * sizeof(*grown));

	if (!grown)
		return err_sys(err, -ENOMEM, "arm '%s'", name);
	lab->kernels = grown;
	return lab_kernel_load(name, &lab->kernels[lab->kernel_count++], err);
}

static int add_image(struct lab *lab, struct err *err)
{
	_cleanup_free_ char *path = realpath(lab->options->host_image, NULL);

	if (!path)
		return err_sys(err, -errno, "kernel image '%s'", lab->options->host_image);
	return add_kernel(lab, path, err);
}

static int load_kernels(struct lab *lab, struct err *err)
{
	const struct lab_options *o = lab->options;
	int ret = 0;

	for (size_t i = 0; i < o->host_kernels.count && ret == 0; i++)
		ret = add_kernel(lab, o->host_kernels.item[i], err);
	if (ret == 0 && o->host_image)
		ret = add_image(lab, err);
	if (ret == 0 && lab->kernel_count == 0)
		ret = add_kernel(lab, "stock", err);
	for (size_t i = 0; i < lab->kernel_count && ret == 0; i++)
		for (size_t k = 0; k < i && ret == 0; k++)
			if (strcmp(lab->kernels[i].arm.name, lab->kernels[k].arm.name) == 0)
				ret = err_set(err, -EINVAL, "arm '%s' is given twice; --repeat boots an arm again",
					      lab->kernels[i].arm.name);
	if (ret == 0 && o->guest_kernel) {
		lab->has_guest = true;
		ret = lab_kernel_load(o->guest_kernel, &lab->guest, err);
	}
	return ret;
}

/* A scenario outside the folder goes into the emulated host as it was read here. */
static int give_scenario(struct lab *lab, const struct scenario *scenario)
{
	_cleanup_free_ char *path = str_printf("%s/given/%s.yaml", LAB_DIR, scenario->name);
	int ret = path ? schema_strings_add(&lab->scenarios, path) : -ENOMEM;

	if (ret == 0)
		ret = schema_strings_add(&lab->given, scenario->name);
	return ret == 0 ? schema_strings_add(&lab->given_text, scenario->text) : ret;
}

static int add_words(struct lab *lab, const struct schema_strings *words)
{
	int ret = 0;

	for (size_t i = 0; i < words->count && ret == 0; i++)
		if (!schema_strings_has(&lab->cmdline, words->item[i]))
			ret = schema_strings_add(&lab->cmdline, words->item[i]);
	return ret;
}

static int add_scenario(struct lab *lab, const char *name, bool alone, struct err *err)
{
	_cleanup_scenario_ struct scenario scenario = { .name = NULL };
	int ret = scenario_load(name, &scenario, err);

	if (ret < 0)
		return ret;
	if (scenario.shape.host_cpus > lab->cpus)
		lab->cpus = scenario.shape.host_cpus;
	if (scenario.shape.host_isolated > lab->isolated)
		lab->isolated = scenario.shape.host_isolated;
	if (scenario.shape.host_memory_bytes > lab->memory_bytes)
		lab->memory_bytes = scenario.shape.host_memory_bytes;
	if (scenario.shape.host_node1_bytes > lab->node1_bytes)
		lab->node1_bytes = scenario.shape.host_node1_bytes;
	/* That it cannot is better known before a boot; one of several is skipped inside. */
	ret = scenario_allow_guests(&scenario, lab->options->guests, err);
	if (ret == -EINVAL && !alone)
		ret = 0;
	if (ret == 0 && lab->options->has_probe)
		ret = scenario_use_probe(&scenario, lab->options->probe, err);
	if (ret < 0)
		return ret;
	ret = add_words(lab, &scenario.shape.host_cmdline);
	if (ret == 0)
		ret = scenario_is_path(name) ? give_scenario(lab, &scenario)
					     : schema_strings_add(&lab->scenarios, name);
	return ret < 0 ? err_sys(err, ret, "scenario '%s'", name) : 0;
}

static int load_scenarios(struct lab *lab, int count, char *names[], struct err *err)
{
	int ret = 0;

	if (count == 0)
		return err_set(err, -EINVAL, "no scenario is given; 'vcpulat scenarios' lists them");
	for (int i = 0; i < count && ret == 0; i++)
		ret = add_scenario(lab, names[i], count == 1, err);
	return ret;
}

static int make_temporary(struct lab *lab, struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	_cleanup_free_ char *template = str_printf("%s/vcpulat-lab-XXXXXX", tmp && *tmp ? tmp : "/tmp");

	if (!template || !mkdtemp(template))
		return err_sys(err, -errno, "cannot make a directory in '%s'", tmp && *tmp ? tmp : "/tmp");
	lab->temporary = !lab->options->keep;
	lab->out = TAKE_PTR(template);
	return 0;
}

static int make_out(struct lab *lab, bool results, struct err *err)
{
	time_t now = time(NULL);
	char stamp[32];
	struct tm tm;

	if (!lab->options->out && !results)
		return make_temporary(lab, err);
	strftime(stamp, sizeof(stamp), "vcpulat-%Y%m%d-%H%M%S", gmtime_r(&now, &tm));
	lab->out = strdup(lab->options->out ? lab->options->out : stamp);
	return lab->out ? fs_mkdirs(lab->out, err) : -ENOMEM;
}

/* The worst of all boots: interrupted, could not measure, limit not met, skipped, passed. */
static int worse(int a, int b)
{
	static const int order[] = { VCPULAT_EXIT_INTERRUPTED, VCPULAT_EXIT_ERROR, VCPULAT_EXIT_FAILED,
				     VCPULAT_EXIT_SKIPPED };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return a ? a : b;
}

static void show_tail(const char *path)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	char *line;

	if (fs_read(path, 16 << 20, &text, &len, NULL) < 0 || len == 0)
		return;
	line = text + len;
	for (int lines = 0; line > text && lines < 12; line--)
		lines += line < text + len - 1 && line[-1] == '\n';
	log_info("%s ends with:\n%s", path, line > text ? line + 1 : text);
}

static int boot_turn(struct lab *lab, const struct lab_params *p, const struct lab_turn *turn, size_t number,
		     size_t boots)
{
	const struct lab_kernel *kernel = &lab->kernels[turn->arm];
	_cleanup_free_ char *log = str_printf("%s/%s/%u/run.log", lab->out, kernel->arm.name, turn->repeat);
	struct err err = { "" };
	int ret = lab_run(p, kernel, turn, boots, number, lab->record, &err);

	if (ret < 0)
		log_error("%s, boot %zu of %zu: %s", kernel->arm.name, number, boots, err.msg);
	else if (ret != VCPULAT_EXIT_PASS && log && !p->quiet)
		show_tail(log);
	if (ret < 0)
		return ret == -EINTR ? VCPULAT_EXIT_INTERRUPTED : VCPULAT_EXIT_ERROR;
	return ret;
}

static int write_record(struct lab *lab)
{
	_cleanup_free_ char *path = str_printf("%s/lab.json", lab->out);
	struct err err = { "" };

	if (path && json_write(path, lab->record, &err) == 0)
		return VCPULAT_EXIT_PASS;
	log_error("%s", err.msg);
	return VCPULAT_EXIT_ERROR;
}

static int boot_all(struct lab *lab, struct lab_params *p)
{
	size_t boots = lab->kernel_count * lab->options->repeat;
	_cleanup_free_ struct lab_turn *turns =
		lab_plan(lab->kernel_count, (unsigned int)lab->options->repeat, p->seed);
	int code = turns ? VCPULAT_EXIT_PASS : VCPULAT_EXIT_ERROR;

	for (size_t i = 0; turns && i < boots && !stop_requested(); i++) {
		code = worse(code, boot_turn(lab, p, &turns[i], i + 1, boots));
		if (!lab->temporary)
			code = worse(code, write_record(lab));
	}
	return stop_requested() ? VCPULAT_EXIT_INTERRUPTED : code;
}

/* CPU 0 is not isolated. */
static uint64_t isolated_cpus(const struct lab *lab, uint64_t cpus)
{
	uint64_t wanted = lab->options->isolated ? lab->options->isolated : lab->isolated ? lab->isolated : 1;

	return wanted < cpus ? wanted : cpus - 1;
}

/* What the scenarios need, then what the user wants; NULL without memory. */
static char *join_cmdline(const struct lab *lab)
{
	const char *more = lab->options->append;
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return NULL;
	for (size_t i = 0; i < lab->cmdline.count; i++)
		fprintf(out, "%s%s", i ? " " : "", lab->cmdline.item[i]);
	if (more && *more)
		fprintf(out, "%s%s", lab->cmdline.count ? " " : "", more);
	return fclose(out) == 0 ? text : NULL;
}

static int boot_job(struct lab *lab, bool terminal, bool quiet)
{
	const struct lab_options *o = lab->options;
	uint64_t needed = lab->cpus > DEFAULT_CPUS ? lab->cpus : DEFAULT_CPUS;
	uint64_t cpus = o->cpus ? o->cpus : lab_boot_cpus(needed, lab->node1_bytes);
	uint64_t memory = lab->memory_bytes > DEFAULT_MEMORY ? lab->memory_bytes : DEFAULT_MEMORY;
	_cleanup_free_ char *seeded = NULL;
	_cleanup_free_ char *meter = o->no_meter || lab->job ? NULL : paths_meter();
	_cleanup_free_ char *append = join_cmdline(lab);
	struct lab_params p = { .out = lab->out,
				.job = lab->job,
				.scenarios = &lab->scenarios,
				.guests = o->guests,
				.guest = lab->has_guest ? &lab->guest : NULL,
				.given = &lab->given,
				.given_text = &lab->given_text,
				.files = &o->files,
				.cpus = (unsigned int)cpus,
				.isolated = (unsigned int)isolated_cpus(lab, cpus),
				.memory_bytes = o->memory_bytes ? o->memory_bytes : memory,
				.node1_bytes = lab->node1_bytes,
				.meter = meter,
				.no_trace = o->no_trace,
				.probe = o->has_probe ? probe_kind_name(o->probe) : NULL,
				.append = append,
				.qemu_args = &o->qemu_args,
				.seed = lab->seed,
				.patience_s = (unsigned int)(o->patience_ns / 1000000000),
				.terminal = terminal,
				.quiet = quiet,
				.keep = o->keep };

	if (!append)
		return VCPULAT_EXIT_ERROR;
	json_object_set_new(lab->record, "seed", json_integer((json_int_t)p.seed));
	seeded = str_printf("%s --seed %llu", lab->command, (unsigned long long)p.seed);
	p.command = o->has_seed ? lab->command : seeded;
	return boot_all(lab, &p);
}

/* Kernels and a place for the results. */
static int prepare(struct lab *lab, bool results, struct err *err)
{
	int ret = results || lab->job ? load_kernels(lab, err) : err_sys(err, -ENOMEM, "the emulated host's job");

	log_status(NULL);
	return ret == 0 ? make_out(lab, results, err) : ret;
}

static json_t *all_bundles(const struct lab *lab)
{
	json_t *all = json_array();
	const json_t *boot;
	size_t i;

	json_array_foreach (json_object_get(lab->record, "boots"), i, boot)
		json_array_extend(all, json_object_get(boot, "bundles"));
	return all;
}

static int conclude_lab(const struct lab *lab, const json_t *bundles, int code)
{
	struct conclude_params params = {
		.out = lab->out, .bundles = bundles, .seed = lab->seed, .json = lab->options->json
	};
	struct err err = { "" };
	bool passed = false;

	if (conclude(&params, stdout, &passed, &err) < 0) {
		log_error("%s", err.msg);
		return code == VCPULAT_EXIT_INTERRUPTED ? code : VCPULAT_EXIT_ERROR;
	}
	return code == VCPULAT_EXIT_PASS && !passed ? VCPULAT_EXIT_FAILED : code;
}

/* What comes after the last boot: the evidence goes to analysis, also that of an interrupted lab. */
static int lab_finish(const struct lab *lab, int code)
{
	size_t retries = json_array_size(json_object_get(lab->record, "retries"));
	_cleanup_json_ json_t *bundles = all_bundles(lab);

	if (retries)
		log_info("%zu boots were ended and tried again; the reasons are in %s/lab.json", retries, lab->out);
	if (json_array_size(bundles) == 0 || lab->options->no_report)
		return code;
	return conclude_lab(lab, bundles, code);
}

static int lab_shell(struct lab *lab, struct err *err)
{
	unsigned int rows_count;
	unsigned int columns;
	int ret;

	lab_terminal_size(&rows_count, &columns);
	lab->job = lab_job_shell(rows_count, columns, getenv("TERM"));
	ret = prepare(lab, false, err);
	return ret == 0 ? boot_job(lab, true, true) : ret;
}

static int lab_exec(struct lab *lab, char *command[], struct err *err)
{
	int ret;

	if (!command[0])
		return err_set(err, -EINVAL, "no command is given: vcpulat lab exec -- COMMAND");
	lab->job = lab_job_exec(command);
	ret = prepare(lab, false, err);
	return ret == 0 ? boot_job(lab, false, true) : ret;
}

static int lab_scenarios(struct lab *lab, const struct command_line *line, struct err *err)
{
	int ret = load_scenarios(lab, line->operands, line->operand, err);

	if (ret == 0)
		ret = prepare(lab, true, err);
	return ret == 0 ? lab_finish(lab, boot_job(lab, false, false)) : ret;
}

static int run(const void *object, const struct command_line *line, struct err *err)
{
	const char *what = line->operands ? line->operand[0] : "";
	_cleanup_lab_ struct lab lab = { .options = object, .command = line->text };

	lab.seed = lab.options->has_seed ? lab.options->seed : random_seed();
	lab.record = json_pack("{s:s, s:s, s:s, s:[], s:[]}", "schema", "vcpulat-lab-1", "tool", VCPULAT_VERSION,
			       "command", lab.command, "boots", "retries");
	if (!lab.record)
		return err_set(err, -EINVAL, "the command is not UTF-8: %s", lab.command);
	if (strcmp(what, "exec") == 0)
		return lab_exec(&lab, line->operand + 1, err);
	return strcmp(what, "shell") == 0 ? lab_shell(&lab, err) : lab_scenarios(&lab, line, err);
}

const struct command *command_lab(void)
{
	static const struct command command = {
		.name = "lab",
		.summary = "run scenarios on emulated hosts under test",
		.help = {
			.usage = "lab [OPTION...] SCENARIO...\n"
				 "       vcpulat lab shell [OPTION...]\n"
				 "       vcpulat lab exec [OPTION...] -- COMMAND [ARGUMENT...]",
			.purpose = "Boots emulated hosts under test, one for each arm and repeat, and runs the scenarios there:\n"
				   "real KVM, libvirt and QEMU under the chosen kernel, on any machine, without root. The root file\n"
				   "system is this machine's own; nothing of it is written.\n\n"
				   "'lab shell' gives a root shell inside (poweroff or exit ends it), 'lab exec' runs one command.",
			.examples = "  vcpulat lab vmstat-host --host-kernel stock --host-kernel vmstat-skip-isolated\n"
				    "  vcpulat lab shell --host-kernel stock\n"
				    "  vcpulat lab exec --host-image bzImage -- uname -a",
		},
		.rows = rows,
		.options_bytes = sizeof(struct lab_options),
		.run = run,
	};

	return &command;
}
