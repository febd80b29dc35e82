// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/schema_strings.h"
#include "host/kernel/arm.h"
#include "host/kernel/kernel.h"

struct kernel_options {
	char *tree;
	char *tarball;
	char *image;
	char *name;
	struct schema_strings patches;
	struct schema_strings config;
	uint64_t jobs;
	bool json;
};

#define FIELD(name, member, kind) OPTION_FIELD(struct kernel_options, name, member, kind)

static const struct option_row rows[] = {
	{ .field = { FIELD("tree", tree, SCHEMA_STRING), .help = "build from this git tree, as committed" },
	  .argument = "DIR" },
	{ .field = { FIELD("tarball", tarball, SCHEMA_STRING), .help = "build from this source tarball" },
	  .argument = "FILE" },
	{ .field = { FIELD("patch", patches, SCHEMA_STRINGS), .help = "apply this patch after the arm's own" },
	  .argument = "FILE" },
	{ .field = { FIELD("config", config, SCHEMA_STRINGS),
		     .help = "a line CONFIG_X=y, or a file of such lines, after the arm's own" },
	  .argument = "FRAGMENT" },
	{ .field = { FIELD("image", image, SCHEMA_STRING), .help = "build nothing: the arm is this image" },
	  .argument = "BZIMAGE" },
	{ .field = { FIELD("name", name, SCHEMA_STRING),
		     .help = "what the changed arm is called from now on; ARM-local if not given" },
	  .argument = "NAME" },
	{ .field = { FIELD("jobs", jobs, SCHEMA_UINT), .max = 1024,
		     .help = "compilers at a time; one for each CPU if not given" },
	  .letter = 'j',
	  .argument = "N" },
	{ .field = { FIELD("json", json, SCHEMA_BOOL), .help = "list as JSON" } },
	{ .field = { .key = NULL } },
};

static bool changes_arm(const struct kernel_options *o)
{
	return o->tree || o->tarball || o->image || o->patches.count || o->config.count;
}

/* The arm is kept for later, in whatever directory: files get their full path, lines stay. */
static int append_file(struct schema_strings *list, const char *item, bool may_be_line, struct err *err)
{
	bool line = may_be_line && (strncmp(item, "CONFIG_", 7) == 0 || *item == '#');
	_cleanup_free_ char *full = line ? strdup(item) : realpath(item, NULL);

	if (!full)
		return err_sys(err, -errno, "'%s'", item);
	return schema_strings_add(list, full) < 0 ? err_sys(err, -ENOMEM, "'%s'", item) : 0;
}

static int set_source(struct arm *arm, int source, const char *path, struct err *err)
{
	char *full = realpath(path, NULL);

	if (!full)
		return err_sys(err, -errno, "'%s'", path);
	free(arm->path);
	arm->path = full;
	arm->source = source;
	return 0;
}

static int apply_source(const struct kernel_options *o, struct arm *arm, struct err *err)
{
	if (!!o->tree + !!o->tarball + !!o->image > 1)
		return err_set(err, -EINVAL, "--tree, --tarball and --image exclude each other");
	if (!o->image && !o->tree && !o->tarball && arm_is_ready_made(arm) && (o->patches.count || o->config.count))
		return err_set(err, -EINVAL, "arm '%s' is a kernel built elsewhere: no patch and no option fits to it",
			       arm->name);
	if (o->image && (o->patches.count || o->config.count || arm->patches.count || arm->config.count))
		return err_set(err, -EINVAL, "an image is taken as it is: no patch and no option fits to --image");
	if (o->tree)
		return set_source(arm, ARM_TREE, o->tree, err);
	if (o->tarball)
		return set_source(arm, ARM_TARBALL, o->tarball, err);
	return o->image ? set_source(arm, ARM_IMAGE, o->image, err) : 0;
}

static int rename_arm(const struct kernel_options *o, struct arm *arm, struct err *err)
{
	char *name = o->name ? strdup(o->name) : str_printf("%s-local", arm->name);
	char *description = str_printf("%s, changed on the command line", arm->name);

	free(arm->name);
	free(arm->description);
	arm->name = name;
	arm->description = description;
	return name && description ? 0 : err_sys(err, -ENOMEM, "arm");
}

/* Makes the user's arm of a base and the options, and keeps it. */
static int derive_arm(const struct kernel_options *o, struct arm *arm, struct err *err)
{
	int r = apply_source(o, arm, err);

	for (size_t i = 0; r == 0 && i < o->patches.count; i++)
		r = append_file(&arm->patches, o->patches.item[i], false, err);
	for (size_t i = 0; r == 0 && i < o->config.count; i++)
		r = append_file(&arm->config, o->config.item[i], true, err);
	if (r == 0)
		r = rename_arm(o, arm, err);
	return r < 0 ? r : arm_save(arm, err);
}

static int build_one(const struct kernel_options *o, const char *name, struct err *err)
{
	_cleanup_arm_ struct arm arm = { .name = NULL };
	_cleanup_kernel_entry_ struct kernel_entry entry = { .dir = NULL };
	int r = arm_load(name, &arm, err);

	if (r == 0 && changes_arm(o))
		r = derive_arm(o, &arm, err);
	if (r == 0)
		r = kernel_build(&arm, (unsigned int)o->jobs, &entry, err);
	if (r < 0)
		return r;
	printf("%-24s %s  %.16s  %s\n", arm.name, entry.release, entry.sha256, entry.bzimage);
	return 0;
}

static int build(const struct kernel_options *o, int count, char *names[], struct err *err)
{
	int r = 0;

	if (count == 0)
		r = err_set(err, -EINVAL, "which arm? 'vcpulat kernel list' shows them");
	else if (changes_arm(o) && count > 1)
		r = err_set(err, -EINVAL, "--tree, --tarball, --patch, --config and --image change one arm, not %d",
			    count);
	else if (o->name && !changes_arm(o))
		r = err_set(err, -EINVAL, "--name goes with --tree, --tarball, --patch, --config or --image");
	for (int i = 0; r == 0 && i < count; i++)
		r = build_one(o, names[i], err);
	if (r == -EINTR)
		err_set(err, r, "interrupted; the same command goes on where it stopped");
	return r;
}

/* One arm for the list; what keeps its kernel from being looked up is shown, and is no error. */
static json_t *describe(const struct arm *arm)
{
	_cleanup_kernel_entry_ struct kernel_entry entry = { .dir = NULL };
	struct err why = { .msg = "" };
	int r = kernel_find(arm, &entry, &why);

	return json_pack("{ss ss ss so so so ss sb ss ss ss ss}", "name", arm->name, "description", arm->description,
			 "changes", arm->changes, "patches", schema_strings_to_json(&arm->patches), "removes",
			 schema_strings_to_json(&arm->removes), "adds", schema_strings_to_json(&arm->adds), "cmdline",
			 arm->cmdline, "built", r == 0, "release", r == 0 ? entry.release : "", "sha256", entry.sha256,
			 "image", r == 0 ? entry.bzimage : "", "problem", r == 0 || r == -ENOENT ? "" : why.msg);
}

static void print_arm(const json_t *arm)
{
	const char *problem = json_get_string(arm, "problem");

	printf("%s\n    %s\n", json_get_string(arm, "name"), json_get_string(arm, "description"));
	if (strcmp(json_get_string(arm, "changes"), "nothing") != 0)
		printf("    changes: %s\n", json_get_string(arm, "changes"));
	if (json_is_true(json_object_get(arm, "built")))
		printf("    built: %s, image %.16s\n", json_get_string(arm, "release"), json_get_string(arm, "sha256"));
	else
		printf("    not built%s%s\n", *problem ? ": " : "", problem);
}

static int list_arms(const struct kernel_options *o, struct err *err)
{
	_cleanup_(schema_strings_clear) struct schema_strings names = { .count = 0 };
	_cleanup_json_ json_t *arms = json_array();
	int r = arm_list(&names, err);

	for (size_t i = 0; r == 0 && i < names.count; i++) {
		_cleanup_arm_ struct arm arm = { .name = NULL };

		r = arm_load(names.item[i], &arm, err);
		if (r == 0)
			json_array_append_new(arms, describe(&arm));
	}
	for (size_t i = 0; r == 0 && !o->json && i < json_array_size(arms); i++)
		print_arm(json_array_get(arms, i));
	return r == 0 && o->json ? json_print(stdout, arms, err) : r;
}

static int print_path(int count, char *names[], struct err *err)
{
	_cleanup_arm_ struct arm arm = { .name = NULL };
	_cleanup_kernel_entry_ struct kernel_entry entry = { .dir = NULL };
	int r = count == 1 ? arm_load(names[0], &arm, err) : err_set(err, -EINVAL, "'kernel path' takes one arm");

	if (r == 0)
		r = kernel_find(&arm, &entry, err);
	if (r == -ENOENT && arm.name)
		r = err_set(err, r, "arm '%s' is not built: 'vcpulat kernel build %s'", arm.name, arm.name);
	if (r == 0)
		puts(entry.bzimage);
	return r;
}

static int clean(struct err *err)
{
	unsigned int removed = 0;
	int r = kernel_clean(&removed, err);

	if (r == 0)
		printf("%u work trees removed; images stay\n", removed);
	return r;
}

static int run(const void *object, const struct command_line *line, struct err *err)
{
	const char *what = line->operands ? line->operand[0] : "";
	int count = line->operands - 1;

	if (strcmp(what, "build") == 0)
		return build(object, count, line->operand + 1, err);
	if (strcmp(what, "list") == 0 && count == 0)
		return list_arms(object, err);
	if (strcmp(what, "path") == 0)
		return print_path(count, line->operand + 1, err);
	if (strcmp(what, "clean") == 0 && count == 0)
		return clean(err);
	return err_set(err, -EINVAL,
		       "kernel what? 'build', 'list', 'path' or 'clean'; 'vcpulat kernel --help' explains them");
}

const struct command *command_kernel(void)
{
	static const struct command command = {
		.name = "kernel",
		.summary = "build and list host kernels (arms)",
		.help = {
			.usage = "kernel build [OPTION...] ARM...\n"
				 "       vcpulat kernel list [--json]\n"
				 "       vcpulat kernel path ARM\n"
				 "       vcpulat kernel clean",
			.purpose =
				"Builds the kernels of arms into the cache ($XDG_CACHE_HOME/vcpulat/kernels). An arm is a source,\n"
				"patches and options; a later arm compiles only what its patches change. The same inputs give the\n"
				"same image, byte for byte. ARM+debug is an arm's variant that checks itself (lock order, memory\n"
				"use): for correctness; no lengths are told of it.\n\n"
				"With --tree, --tarball, --patch, --config or --image one arm is the base of another, of your own,\n"
				"which every command then knows by its name.\n\n"
				"'kernel clean' removes the work trees, nearly 2 GB each. Images stay; the next build takes minutes.",
			.examples = "  vcpulat kernel build stock vmstat-skip-isolated\n"
				    "  vcpulat kernel build stock --patch ~/my.patch --name mine\n"
				    "  vcpulat kernel build stock --tree ~/linux --name next\n"
				    "  vcpulat kernel build stock --image /boot/vmlinuz-$(uname -r) --name running",
		},
		.rows = rows,
		.options_bytes = sizeof(struct kernel_options),
		.run = run,
	};

	return &command;
}
