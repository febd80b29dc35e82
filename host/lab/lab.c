// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lab/lab.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/schema_strings.h"
#include "host/bundle_writer.h"
#include "host/kernel/kernel.h"
#include "host/lab/job.h"
#include "host/lab/machine.h"
#include "host/lab/meter.h"
#include "host/lab/stage.h"
#include "host/paths.h"

int lab_kernel_load(const char *name, struct lab_kernel *ret, struct err *err)
{
	int error;

	*ret = (struct lab_kernel){ .entry.dir = NULL };
	error = arm_load(name, &ret->arm, err);
	return error < 0 ? error : kernel_build(&ret->arm, 0, &ret->entry, err);
}

void lab_kernel_done(struct lab_kernel *kernel)
{
	arm_done(&kernel->arm);
	kernel_entry_done(&kernel->entry);
	*kernel = (struct lab_kernel){ .entry.dir = NULL };
}

/* One turn while it is tried. */
struct attempt {
	const struct lab_params *params;
	const struct lab_kernel *kernel;
	const struct lab_turn *turn;
	size_t boots;
	size_t number;
	char *home;	   /* OUT/ARM/REPEAT */
	const char *meter; /* cleared when QEMU refuses it */
	json_t *retries;   /* of this turn, for arm.json */
	json_t *bundles;   /* of this turn, brought home: paths */
	struct lab_stage stage;
};

static void show_progress(void *ctx, const struct lab_watch *watch)
{
	const struct attempt *a = ctx;
	char where[256];

	if (a->params->quiet && strcmp(watch->progress.phase, "job") == 0)
		return;
	log_status("%s, boot %zu of %zu: %s", a->kernel->arm.name, a->number, a->boots,
		   lab_watch_describe(watch, where, sizeof(where)));
}

static json_t *kernel_json(const struct lab_kernel *kernel, const char *cmdline)
{
	return json_pack("{s:s, s:s, s:s}", "kernel", kernel->arm.name, "sha256", kernel->entry.sha256, "cmdline",
			 cmdline);
}

static json_t *arm_json(const struct attempt *a)
{
	const struct arm *arm = &a->kernel->arm;
	const struct lab_kernel *guest = a->params->guest ? a->params->guest : a->kernel;

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:s, s:O, s:s*}", "name", arm->name, "removes",
			 schema_strings_to_json(&arm->removes), "adds", schema_strings_to_json(&arm->adds), "host",
			 kernel_json(a->kernel, arm->cmdline ? arm->cmdline : ""), "guest",
			 kernel_json(guest, guest->arm.cmdline ? guest->arm.cmdline : ""), "vcpu_policy", "other",
			 "retries", a->retries, "command", a->params->command);
}

static int give_scenarios(const struct attempt *a, struct err *err)
{
	const struct schema_strings *names = a->params->given;
	int ret = 0;

	for (size_t i = 0; names && i < names->count && ret == 0; i++) {
		_cleanup_free_ char *path = str_printf("in/given/%s.yaml", names->item[i]);

		ret = path ? lab_stage_text(&a->stage, path, a->params->given_text->item[i], err) : -ENOMEM;
	}
	return ret;
}

static int give_files(const struct attempt *a, struct err *err)
{
	const struct schema_strings *files = a->params->files;
	int ret = 0;

	for (size_t i = 0; i < files->count && ret == 0; i++)
		ret = lab_stage_give(&a->stage, files->item[i], err);
	return ret;
}

static int give_job(const struct attempt *a, struct err *err)
{
	const struct lab_params *p = a->params;
	const struct lab_job job = { .scenarios = p->scenarios,
				     .guests = p->guests,
				     .probe = p->probe,
				     .seed = p->seed + a->number,
				     .no_trace = p->no_trace,
				     .done = a->bundles };
	_cleanup_free_ char *text = p->job ? strdup(p->job) : lab_job_run(&job);

	return text ? lab_stage_text(&a->stage, "job.sh", text, err) : err_sys(err, -ENOMEM, "the emulated host's job");
}

static int set_stage(struct attempt *a, struct err *err)
{
	const struct lab_kernel *guest = a->params->guest ? a->params->guest : a->kernel;
	_cleanup_json_ json_t *arm = arm_json(a);
	int ret = lab_stage_init(&a->stage, a->params->out, &guest->entry, a->kernel->entry.sha256, err);

	if (a->params->keep)
		lab_stage_keep(&a->stage);
	if (ret == 0)
		ret = arm ? lab_stage_json(&a->stage, "arm.json", arm, err) : -ENOMEM;
	if (ret == 0)
		ret = give_scenarios(a, err);
	if (ret == 0)
		ret = give_files(a, err);
	if (ret == 0)
		ret = give_job(a, err);
	return ret;
}

/* QEMU failed: its own words, and what to do when it is not there at all. */
static int explain_qemu(const char *log, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	bool missing;

	if (fs_read_line(log, &text, NULL) < 0 || !*text)
		return -ECHILD;
	missing = strstr(text, LAB_QEMU ": No such file");
	return err_set(err, -ECHILD, "%.600s%s", text, missing ? " (install the package qemu-system-x86)" : "");
}

static int boot(struct attempt *a, struct err *err)
{
	const struct lab_params *p = a->params;
	_cleanup_free_ char *initramfs = lab_stage_initramfs(&a->stage, &a->kernel->entry, err);
	_cleanup_free_ char *append = str_printf("%s%s%s", a->kernel->arm.cmdline ? a->kernel->arm.cmdline : "",
						 p->append ? " " : "", p->append ? p->append : "");
	_cleanup_free_ char *console = str_printf("%s/console.log", a->stage.dir);
	_cleanup_free_ char *qemu_log = str_printf("%s/qemu.log", a->stage.dir);
	_cleanup_free_ char *autopsy = str_printf("%s/cpus.txt", a->stage.dir);
	struct lab_machine machine = { .terminal.input = p->terminal, .on_progress = show_progress, .ctx = a };
	struct lab_boot how = { .kernel = a->kernel->entry.bzimage,
				.initramfs = initramfs,
				.stage = a->stage.dir,
				.cpus = p->cpus,
				.isolated = p->isolated,
				.memory_bytes = p->memory_bytes,
				.node1_bytes = p->node1_bytes,
				.meter = a->meter,
				.append = append,
				.qemu_args = p->qemu_args->item,
				.qemu_args_count = p->qemu_args->count };
	int ret;

	if (!initramfs)
		return -EIO;
	if (!append || !console || !qemu_log || !autopsy)
		return err_sys(err, -ENOMEM, "booting an emulated host");
	ret = lab_machine_start(&machine, &how, console, qemu_log, p->patience_s, 6 * p->patience_s, err);
	if (ret == 0)
		ret = lab_machine_wait(&machine, err);
	if (ret == -ETIMEDOUT)
		lab_machine_autopsy(&machine, autopsy);
	lab_machine_end(&machine);
	log_status(NULL);
	return ret == -ECHILD ? explain_qemu(qemu_log, err) : ret;
}

static int move_file(const char *from_dir, const char *name, const char *to_dir)
{
	_cleanup_free_ char *from = str_printf("%s/%s", from_dir, name);
	_cleanup_free_ char *to = str_printf("%s/%s", to_dir, name);

	if (!from || !to)
		return -ENOMEM;
	return rename(from, to) < 0 && errno != ENOENT ? -errno : 0;
}

/* What was made inside is not trusted: a link there must not lead us out of the results. */
static bool is_sealed_bundle(const char *path)
{
	_cleanup_free_ char *manifest = str_printf("%s/manifest.json", path);
	struct stat st;

	if (!manifest || lstat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return false;
	return lstat(manifest, &st) == 0 && S_ISREG(st.st_mode);
}

static bool is_complete_bundle(const char *path)
{
	_cleanup_free_ char *manifest = str_printf("%s/manifest.json", path);
	_cleanup_json_ json_t *json = NULL;

	return manifest && json_read(manifest, &json, NULL) == 0 &&
	       strcmp(json_get_string(json, "status"), "complete") == 0;
}

/* The log of the host's console belongs to each bundle of the boot. */
static int take_bundle(struct attempt *a, const char *bundles, const char *name, bool only_complete, json_t *list,
		       struct err *err)
{
	_cleanup_free_ char *from = str_printf("%s/%s", bundles, name);
	_cleanup_free_ char *to = str_printf("%s/%s", a->home, name);
	_cleanup_free_ char *console = str_printf("%s/console.log", a->stage.dir);
	_cleanup_free_ char *copy = str_printf("%s/%s/console-host.log", a->home, name);
	int ret;

	if (!from || !to || !console || !copy)
		return err_sys(err, -ENOMEM, "bringing '%s' home", name);
	if (!is_sealed_bundle(from) || (only_complete && !is_complete_bundle(from)))
		return 0;
	ret = fs_remove_tree(to, err);
	if (ret < 0)
		return ret;
	if (rename(from, to) < 0)
		return err_sys(err, -errno, "cannot move '%s' to '%s'", from, to);
	if (!str_ends_with(name, BUNDLE_STALLED)) /* its run was repeated: it is evidence of the stall, no result */
		json_array_append_new(list, json_string(to));
	return fs_copy(console, copy, err);
}

static int take_bundles(struct attempt *a, bool only_complete, json_t *list, struct err *err)
{
	_cleanup_free_ char *path = str_printf("%s/bundles", a->stage.dir);
	struct dirent **entries = NULL;
	int count = path ? scandir(path, &entries, NULL, alphasort) : -1;
	int ret = 0;

	for (int i = 0; i < count; i++) {
		if (ret == 0 && entries[i]->d_name[0] != '.')
			ret = take_bundle(a, path, entries[i]->d_name, only_complete, list, err);
		free(entries[i]);
	}
	free(entries);
	return ret;
}

static void take_logs(struct attempt *a, const char *to)
{
	static const char *const logs[] = { "console.log", "run.log", "qemu.log", "cpus.txt" };

	if (fs_mkdirs(to, NULL) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(logs); i++)
		move_file(a->stage.dir, logs[i], to);
}

static int record_retry(struct attempt *a, unsigned int attempt, const char *reason, json_t *lab)
{
	_cleanup_free_ char *aside = str_printf("%s/attempt-%u", a->home, attempt);
	json_t *retry = json_pack("{s:s, s:s, s:s, s:i, s:i}", "what", "boot", "reason", reason, "arm",
				  a->kernel->arm.name, "repeat", (int)a->turn->repeat, "attempt", (int)attempt);

	log_info("%s, boot %zu of %zu, attempt %u: %s", a->kernel->arm.name, a->number, a->boots, attempt, reason);
	json_array_append(json_object_get(lab, "retries"), retry);
	json_array_append_new(a->retries, retry);
	if (!aside)
		return -ENOMEM;
	if (fs_mkdirs(aside, NULL) == 0)
		move_file(a->stage.dir, "bundles", aside);
	take_logs(a, aside);
	return 0;
}

static void end_stage(struct attempt *a)
{
	if (a->params->keep)
		log_info("stage directory kept: %s", a->stage.dir ? a->stage.dir : "none");
	lab_stage_done(&a->stage);
}

static int share_out_meter(const struct attempt *a, const json_t *bundles, struct err *err)
{
	_cleanup_free_ char *meter = str_printf("%s/meter.bin", a->stage.dir);

	return meter ? lab_meter_share_out(meter, bundles, err) : err_sys(err, -ENOMEM, "'%s'", a->stage.dir);
}

/* Bundles and meter of one boot belong together. */
static int bring_home(struct attempt *a, bool only_complete, struct err *err)
{
	_cleanup_json_ json_t *bundles = json_array();
	int ret = bundles ? take_bundles(a, only_complete, bundles, err) : -ENOMEM;

	if (ret == 0)
		ret = share_out_meter(a, bundles, err);
	json_array_extend(a->bundles, bundles);
	return ret;
}

static int try_once(struct attempt *a, struct err *err)
{
	int ret = set_stage(a, err);

	if (ret == 0)
		ret = boot(a, err);
	if (ret == -ECHILD && a->meter && strstr(err->msg, "plugin")) {
		log_info("this QEMU does without the instruction meter, in functional mode: %s", err->msg);
		a->meter = NULL;
		ret = boot(a, err);
	}
	if (ret < 0)
		return ret;
	lab_stage_keep_cache(&a->stage);
	ret = bring_home(a, false, err);
	if (ret < 0)
		return ret;
	ret = lab_stage_exit_code(&a->stage);
	if (ret < 0 && a->params->terminal)
		return 0; /* poweroff is how one leaves a shell */
	return ret < 0 ? err_set(err, -EIO,
				 "the emulated host powered off before its job ended; its console: '%s/console.log'",
				 a->home)
		       : ret;
}

/* What was measured until a boot was ended stays. @again: it is tried again, for what is left. */
static void keep_finished(struct attempt *a, bool again)
{
	struct err err = { "" };

	if (a->stage.dir && bring_home(a, again, &err) < 0)
		log_error("%s", err.msg);
}

static int try_often(struct attempt *a, json_t *record, json_t *lab, struct err *err)
{
	int ret = -ETIMEDOUT;

	for (unsigned int n = 1; n <= LAB_ATTEMPTS && ret == -ETIMEDOUT; n++) {
		json_object_set_new(record, "attempts", json_integer(n));
		ret = try_once(a, err);
		if (ret < 0)
			keep_finished(a, ret == -ETIMEDOUT && n < LAB_ATTEMPTS);
		if (ret == -ETIMEDOUT)
			record_retry(a, n, err->msg, lab);
		else if (a->stage.dir)
			take_logs(a, a->home);
		end_stage(a);
	}
	return ret;
}

int lab_run(const struct lab_params *p, const struct lab_kernel *kernel, const struct lab_turn *turn, size_t boots,
	    size_t number, json_t *lab, struct err *err)
{
	_cleanup_free_ char *home = str_printf("%s/%s/%u", p->out, kernel->arm.name, turn->repeat);
	_cleanup_json_ json_t *retries = json_array();
	struct attempt a = { .params = p,
			     .kernel = kernel,
			     .turn = turn,
			     .boots = boots,
			     .number = number,
			     .home = home,
			     .meter = p->meter,
			     .retries = retries };
	json_t *record = json_pack("{s:s, s:i, s:[]}", "arm", kernel->arm.name, "repeat", (int)turn->repeat, "bundles");
	int64_t start_ms = mono_ms();
	int ret;

	if (!home || !retries || !record)
		return err_sys(err, -ENOMEM, "booting an emulated host");
	a.bundles = json_object_get(record, "bundles");
	json_array_append_new(json_object_get(lab, "boots"), record);
	ret = fs_mkdirs(home, err);
	if (ret == 0)
		ret = try_often(&a, record, lab, err);
	json_object_set_new(record, "seconds", json_integer((mono_ms() - start_ms) / 1000));
	if (ret < 0)
		json_object_set_new(record, "error", json_string(err->msg));
	else
		json_object_set_new(record, "exit", json_integer(ret));
	return ret;
}
