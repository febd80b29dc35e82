// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * make sees a fixed environment: nothing of the user's (CC, CFLAGS, MAKEFLAGS, LANG ...)
 * reaches an image. The release is <version>-vcpulat-<8 digits of the key>: `uname -r`
 * tells which image runs, yet it is equally long in all arms, so that no address and no
 * code differs between two arms but by their patches. The compiler is called with paths
 * relative to the source, so that an image does not depend on where the cache lies.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/process.h"
#include "host/kernel/kernel_p.h"

#define CONFIG_LIMIT (4U << 20)
#define DISK_FULL_BYTES (32ULL << 20)
#define INTERRUPT_GRACE_NS (15LL * 1000000000)
#define IMAGE_RELEASE_POINTER 0x20e /* Documentation/x86/boot.rst: kernel_version, counted from 0x200 */

/*
 * ARCH=x86, not x86_64: tinyconfig then asks about 64-bit options after it has said no to
 * all others, so that VMAP_STACK, X86_5LEVEL and the like keep their defaults, as in
 * distributions' kernels.
 */
const char *const kernel_make_variables[] = {
	"ARCH=x86",
	"KBUILD_BUILD_TIMESTAMP=2020-01-01",
	"KBUILD_BUILD_USER=vcpulat",
	"KBUILD_BUILD_HOST=vcpulat",
	"KBUILD_BUILD_VERSION=1",
	NULL,
};

struct tool {
	const char *program;
	const char *package;
};

static const struct tool tools[] = {
	{ "gcc", "gcc" },     { "ld", "binutils" }, { "make", "make" },	  { "flex", "flex" },
	{ "bison", "bison" }, { "bc", "bc" },	    { "lz4", "lz4" },	  { "patch", "patch" },
	{ "tar", "tar" },     { "gzip", "gzip" },   { "xz", "xz-utils" }, { "perl", "perl" },
};

static bool in_path(const char *program)
{
	const char *path = getenv("PATH");
	_cleanup_free_ char *copy = strdup(path ? path : "/usr/bin:/bin");
	char *save = NULL;

	if (!copy)
		return false;
	for (char *dir = strtok_r(copy, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
		_cleanup_free_ char *file = str_printf("%s/%s", dir, program);

		if (file && access(file, X_OK) == 0)
			return true;
	}
	return false;
}

/* The kernel's objtool reads its objects through libelf. */
static bool has_libelf(void)
{
	const char *argv[] = { "gcc", "-fsyntax-only", "-include", "gelf.h", "-x", "c", "/dev/null", NULL };

	return process_run((char *const *)argv, NULL, NULL) == 0;
}

int kernel_make_tools(struct err *err)
{
	char programs[256] = "";
	char packages[256] = "";

	for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
		if (in_path(tools[i].program))
			continue;
		snprintf(programs + strlen(programs), sizeof(programs) - strlen(programs), " %s", tools[i].program);
		snprintf(packages + strlen(packages), sizeof(packages) - strlen(packages), " %s", tools[i].package);
	}
	if (in_path("gcc") && !has_libelf()) {
		snprintf(programs + strlen(programs), sizeof(programs) - strlen(programs), " gelf.h");
		snprintf(packages + strlen(packages), sizeof(packages) - strlen(packages), " libelf-dev");
	}
	if (!*programs)
		return 0;
	return err_set(err, -ENOENT, "a kernel build needs, and this machine lacks:%s; 'apt-get install%s'", programs,
		       packages);
}

/* The name in "CONFIG_X=y" or "# CONFIG_X is not set"; its length, or 0. */
static size_t symbol_of(const char *line, const char **ret_name)
{
	const char *name = strncmp(line, "# CONFIG_", 9) == 0 ? line + 2 : line;
	size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

	*ret_name = name;
	if (strncmp(name, "CONFIG_", 7) != 0)
		return 0;
	return name == line ? (name[len] == '=' ? len : 0) : (strncmp(name + len, " is not set", 11) == 0 ? len : 0);
}

static bool is_off(const char *line, size_t line_len, size_t symbol_len)
{
	return *line == '#' || (line_len == symbol_len + 2 && line[line_len - 1] == 'n');
}

/* The value that a text gives a symbol: the last line counts. NULL: none. */
static const char *last_line_of(const char *text, const char *name, size_t name_len)
{
	const char *found = NULL;
	const char *symbol;

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (symbol_of(line, &symbol) == name_len && strncmp(symbol, name, name_len) == 0)
			found = line;
	return found;
}

static bool took_effect(const char *line, const char *symbol, size_t symbol_len, const char *config)
{
	size_t line_len = strcspn(line, "\r\n");
	const char *actual = last_line_of(config, symbol, symbol_len);

	if (is_off(line, line_len, symbol_len))
		return !actual || *actual == '#';
	return actual && strcspn(actual, "\r\n") == line_len && strncmp(actual, line, line_len) == 0;
}

int kernel_config_missing(const char *fragment, const char *config, char **ret_missing)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	const char *symbol;
	int missing = 0;

	if (!out)
		return -ENOMEM;
	for (const char *line = fragment; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t symbol_len = symbol_of(line, &symbol);

		if (!symbol_len || last_line_of(fragment, symbol, symbol_len) != line ||
		    took_effect(line, symbol, symbol_len, config))
			continue;
		fprintf(out, "%s%.*s", missing++ ? ", " : "", (int)strcspn(line, "\r\n"), line);
	}
	if (fclose(out) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret_missing = text;
	return missing;
}

/* "  CC      mm/vmstat.o" */
static bool is_made(const char *line)
{
	size_t word = strspn(line + 2 * (strncmp(line, "  ", 2) == 0), "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	return strncmp(line, "  ", 2) == 0 && word > 1 && line[2 + word] == ' ';
}

static void keep_error(struct kernel_progress *progress, const char *line)
{
	static const char *const signs[] = { "error: ", "No space left on device", "undefined reference", "*** " };

	for (size_t i = 0; i < ARRAY_SIZE(signs) && !*progress->error; i++)
		if (strstr(line, signs[i]))
			snprintf(progress->error, sizeof(progress->error), "%s", line);
}

bool kernel_progress_line(struct kernel_progress *progress, const char *line)
{
	keep_error(progress, line);
	if (!is_made(line))
		return false;
	progress->done++;
	return true;
}

static void show_progress(void *ctx, const char *line)
{
	struct kernel_progress *progress = ctx;

	if (!kernel_progress_line(progress, line))
		return;
	if (progress->total)
		log_status("kernel %s: %u of %u files", progress->arm,
			   progress->done < progress->total ? progress->done : progress->total, progress->total);
	else
		log_status("kernel %s: %u files", progress->arm, progress->done);
}

/* make -n prints the commands: those that a user would see are echoed. */
static void count_planned(void *ctx, const char *line)
{
	struct kernel_progress *progress = ctx;
	const char *echo = strstr(line, "echo '  ");

	if (echo && is_made(echo + 6))
		progress->total++;
}

struct make_env {
	char *path;
	char *tmpdir;
	const char *list[5];
};

static int make_env_init(struct make_env *env)
{
	const char *path = getenv("PATH");
	const char *tmpdir = getenv("TMPDIR");

	env->path = str_printf("PATH=%s", path ? path : "/usr/bin:/bin");
	env->tmpdir = str_printf("TMPDIR=%s", tmpdir ? tmpdir : "/tmp");
	env->list[0] = env->path;
	env->list[1] = env->tmpdir;
	env->list[2] = "LC_ALL=C";
	env->list[3] = "SOURCE_DATE_EPOCH=1577836800";
	env->list[4] = NULL;
	return env->path && env->tmpdir ? 0 : -ENOMEM;
}

static void make_env_done(struct make_env *env)
{
	free(env->path);
	free(env->tmpdir);
}

struct make_call {
	const char *target;
	const char *flag;	   /* "-n", or NULL */
	const char *local_version; /* "LOCALVERSION=..." */
	unsigned int jobs;
	const char *log; /* NULL: not logged */
	void (*on_line)(void *ctx, const char *line);
	struct kernel_progress *progress;
};

#define MAKE_ARGS 16

static int run_make(const struct kernel_tree *tree, const struct make_call *call, struct err *err)
{
	_cleanup_(make_env_done) struct make_env env = { .path = NULL };
	_cleanup_free_ char *jobs = str_printf("-j%u", call->jobs ? call->jobs : 1);
	const char *argv[MAKE_ARGS] = { "make", "--no-print-directory", jobs };
	struct process_options options = { .dir = tree->source,
					   .pass_fd = tree->lock_fd,
					   .log_path = call->log,
					   .on_line = call->on_line,
					   .ctx = call->progress };
	size_t n = 3;

	if (!jobs || make_env_init(&env) < 0)
		return err_sys(err, -ENOMEM, "make");
	options.env = (char *const *)env.list;
	for (size_t i = 0; kernel_make_variables[i]; i++)
		argv[n++] = kernel_make_variables[i];
	argv[n++] = call->local_version;
	if (call->flag)
		argv[n++] = call->flag;
	argv[n++] = call->target;
	return process_run((char *const *)argv, &options, err);
}

static int check_config(const struct kernel_tree *tree, const struct kernel_inputs *inputs, struct err *err)
{
	_cleanup_free_ char *path = str_printf("%s/.config", tree->source);
	_cleanup_free_ char *config = NULL;
	_cleanup_free_ char *missing = NULL;
	int r = path ? fs_read(path, CONFIG_LIMIT, &config, NULL, err) : -ENOMEM;

	if (r == 0)
		r = kernel_config_missing(inputs->fragment, config, &missing);
	if (r <= 0)
		return r;
	return err_set(err, -EINVAL,
		       "arm '%s': the source does not know these options, or something they depend on is off: %s "
		       "(a later fragment may say '# CONFIG_X is not set')",
		       inputs->arm->name, missing);
}

static int append_fragment(const struct kernel_tree *tree, const struct kernel_inputs *inputs, struct err *err)
{
	_cleanup_free_ char *path = str_printf("%s/.config", tree->source);
	_cleanup_free_ char *tiny = NULL;
	_cleanup_free_ char *all = NULL;
	int r = path ? fs_read(path, CONFIG_LIMIT, &tiny, NULL, err) : -ENOMEM;

	if (r < 0)
		return r;
	all = str_printf("%s\n%s", tiny, inputs->fragment);
	return all ? fs_write_atomic(path, all, strlen(all), err) : -ENOMEM;
}

static int configure(struct kernel_tree *tree, const struct kernel_inputs *inputs, struct err *err)
{
	struct make_call call = { .target = "tinyconfig", .local_version = "LOCALVERSION=", .log = tree->log };
	int r;

	log_status("configuring kernel %s", inputs->arm->name);
	r = run_make(tree, &call, err);
	if (r == 0)
		r = append_fragment(tree, inputs, err);
	if (r < 0)
		return r;
	call.target = "olddefconfig";
	r = run_make(tree, &call, err);
	return r < 0 ? r : check_config(tree, inputs, err);
}

static int note_begin(struct kernel_tree *tree, struct err *err)
{
	json_object_set_new(tree->state, "building_ns", json_integer((json_int_t)clock_ns(CLOCK_REALTIME)));
	return kernel_tree_save(tree, err);
}

int kernel_make_config(struct kernel_tree *tree, const struct kernel_inputs *inputs, struct err *err)
{
	int r;

	if (json_is_true(json_object_get(tree->state, "configured")))
		return 0;
	r = note_begin(tree, err);
	if (r == 0)
		r = configure(tree, inputs, err);
	if (r == -EINVAL)
		kernel_tree_discard(tree); /* it can only serve this configuration */
	if (r < 0)
		return r;
	json_object_del(tree->state, "building_ns");
	json_object_set_new(tree->state, "configured", json_true());
	return kernel_tree_save(tree, err);
}

/* Only what an interrupted compiler was writing is in doubt: not the minutes of work before, let alone the source. */
static json_int_t in_doubt_since(const struct kernel_tree *tree)
{
	json_int_t begin_ns = (json_int_t)json_get_u64(tree->state, "building_ns");
	json_int_t recent_ns = (json_int_t)clock_ns(CLOCK_REALTIME) - INTERRUPT_GRACE_NS;

	return begin_ns > recent_ns ? begin_ns : recent_ns;
}

static int note_end(struct kernel_tree *tree, int result, const struct kernel_progress *progress, struct err *err)
{
	bool from_scratch = !json_object_get(tree->state, "files_all");

	if (result == -EINTR)
		json_object_set_new(tree->state, "building_ns", json_integer(in_doubt_since(tree)));
	else
		json_object_del(tree->state, "building_ns");
	json_object_set_new(tree->state, "stamp_ns", json_integer((json_int_t)clock_ns(CLOCK_REALTIME)));
	if (result == 0)
		json_object_set_new(tree->state, from_scratch ? "files_all" : "files_patch",
				    json_integer(progress->done));
	return kernel_tree_save(tree, err);
}

/* Counting takes 15 seconds: worth it before minutes only. Later builds know it from the ones before. */
static int count_files(struct kernel_tree *tree, const struct make_call *build, struct kernel_progress *progress,
		       struct err *err)
{
	struct make_call call = { .target = build->target,
				  .flag = "-n",
				  .local_version = build->local_version,
				  .on_line = count_planned,
				  .progress = progress };

	progress->total = (unsigned int)json_get_u64(tree->state, "files_patch");
	if (json_object_get(tree->state, "files_all"))
		return 0;
	log_status("kernel %s: counting files", progress->arm);
	return run_make(tree, &call, err) == -EINTR ? err_sys(err, -EINTR, "make") : 0;
}

static int explain(const struct kernel_tree *tree, const struct kernel_progress *progress, int r, const struct err *why,
		   struct err *err)
{
	struct statvfs vfs;

	if (r != -ECHILD)
		return err_set(err, r, "%s", why->msg);
	if (statvfs(tree->dir, &vfs) == 0 && (uint64_t)vfs.f_bavail * vfs.f_frsize < DISK_FULL_BYTES)
		return err_set(err, -ENOSPC,
			       "kernel %s: the disk with '%s' is full: make room and run this again; it goes on where "
			       "it stopped",
			       progress->arm, tree->dir);
	return err_set(err, -EINVAL, "kernel %s does not compile: %s (all of it: '%s')", progress->arm,
		       *progress->error ? progress->error : why->msg, tree->log);
}

int kernel_make_image(struct kernel_tree *tree, const struct kernel_inputs *inputs, unsigned int jobs, struct err *err)
{
	_cleanup_free_ char *local = str_printf("LOCALVERSION=-vcpulat-%.8s", inputs->key);
	struct kernel_progress progress = { .arm = inputs->arm->name };
	struct make_call call = { .target = "bzImage",
				  .local_version = local,
				  .jobs = jobs,
				  .log = tree->log,
				  .on_line = show_progress,
				  .progress = &progress };
	struct err why = { .msg = "" };
	int saved;
	int r;

	if (!local)
		return err_sys(err, -ENOMEM, "kernel build");
	unlink(tree->log);
	r = note_begin(tree, err);
	if (r == 0)
		r = count_files(tree, &call, &progress, err);
	if (r < 0)
		return r;
	r = run_make(tree, &call, &why);
	log_status(NULL);
	saved = note_end(tree, r, &progress, err);
	return r < 0 ? explain(tree, &progress, r, &why, err) : saved;
}

int kernel_image_release(const char *path, char **ret, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char head[0x210];
	char text[128] = "";
	off_t where;

	if (fd < 0)
		return err_sys(err, -errno, "cannot open kernel image '%s'", path);
	if (pread(fd, head, sizeof(head), 0) != sizeof(head) || memcmp(head + 0x202, "HdrS", 4) != 0)
		return err_set(err, -EINVAL, "'%s' is no bzImage of an x86 kernel", path);
	where = 0x200 + (head[IMAGE_RELEASE_POINTER] | head[IMAGE_RELEASE_POINTER + 1] << 8);
	if (pread(fd, text, sizeof(text) - 1, where) <= 0)
		return err_set(err, -EINVAL, "'%s' is cut short", path);
	text[strcspn(text, " ")] = '\0';
	*ret = strdup(text);
	return *ret ? 0 : err_sys(err, -ENOMEM, "'%s'", path);
}
