// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/process.h"
#include "host/kernel/kernel_p.h"
#include "host/paths.h"

#define DEBIAN_TARBALL "/usr/src/linux-source-6.1.tar.xz"
#define PROJECT_FRAGMENT "vcpulat-x86_64.config"
#define TEXT_LIMIT (16U << 20) /* bytes of a patch or fragment */

struct first_line {
	char text[256];
	unsigned int lines;
};

static void keep_first(void *ctx, const char *line)
{
	struct first_line *first = ctx;

	if (first->lines++ == 0)
		snprintf(first->text, sizeof(first->text), "%s", line);
}

static int first_line_of(const char *const argv[], struct first_line *ret, struct err *err)
{
	struct process_options options = { .on_line = keep_first, .ctx = ret };

	*ret = (struct first_line){ .text = "" };
	return process_run((char *const *)argv, &options, err);
}

/* The hash of a tarball of 130 MB takes a second: remembered as long as the file does not change. */
static bool recall_hash(const json_t *known, const struct stat *st, char ret_hex[static KERNEL_HASH_CHARS])
{
	const char *hex = json_get_string(known, "sha256");

	if (strlen(hex) != KERNEL_HASH_CHARS - 1 || json_get_u64(known, "bytes") != (uint64_t)st->st_size ||
	    json_get_u64(known, "inode") != st->st_ino ||
	    json_get_u64(known, "mtime_s") != (uint64_t)st->st_mtim.tv_sec ||
	    json_get_u64(known, "mtime_ns") != (uint64_t)st->st_mtim.tv_nsec)
		return false;
	memcpy(ret_hex, hex, KERNEL_HASH_CHARS);
	return true;
}

static int hash_tarball(const char *path, const char *cache, char ret_hex[static KERNEL_HASH_CHARS], struct err *err)
{
	_cleanup_free_ char *memory = str_printf("%s/sources.json", cache);
	_cleanup_json_ json_t *all = NULL;
	struct stat st;
	int r;

	if (!memory)
		return err_sys(err, -ENOMEM, "hash of '%s'", path);
	if (stat(path, &st) < 0)
		return err_sys(err, -errno, "source '%s'", path);
	if (json_read(memory, &all, NULL) < 0 || !json_is_object(all)) {
		json_decref(all);
		all = json_object();
	}
	if (recall_hash(json_object_get(all, path), &st, ret_hex))
		return 0;
	r = fs_sha256(path, ret_hex, err);
	if (r < 0)
		return r;
	json_object_set_new(all, path,
			    json_pack("{ss sI sI sI sI}", "sha256", ret_hex, "bytes", (json_int_t)st.st_size, "inode",
				      (json_int_t)st.st_ino, "mtime_s", (json_int_t)st.st_mtim.tv_sec, "mtime_ns",
				      (json_int_t)st.st_mtim.tv_nsec));
	r = fs_mkdirs(cache, err);
	return r < 0 ? r : json_write(memory, all, err);
}

static int check_clean(const char *dir, struct err *err)
{
	const char *argv[] = { "git", "-C", dir, "status", "--porcelain", "--untracked-files=no", NULL };
	struct first_line first;
	int r = first_line_of(argv, &first, err);

	if (r < 0)
		return err_prefix(err, r, "'%s' is no git tree (give a tarball by --tarball instead)", dir);
	if (first.lines)
		return err_set(
			err, -EINVAL,
			"git tree '%s' has %u changed files that are not committed ('%s' ...): commit or stash them, "
			"or give them as --patch",
			dir, first.lines, first.text);
	return 0;
}

/* A clean tree is what its HEAD says it is. */
static int git_id(const char *dir, char ret_id[static KERNEL_HASH_CHARS], struct err *err)
{
	const char *argv[] = { "git", "-C", dir, "rev-parse", "--verify", "HEAD^{tree}", NULL };
	struct first_line first;
	int r = check_clean(dir, err);

	if (r == 0)
		r = first_line_of(argv, &first, err);
	if (r < 0)
		return r;
	if (strlen(first.text) < 40 || strlen(first.text) >= KERNEL_HASH_CHARS)
		return err_set(err, -EINVAL, "git tree '%s' has no commit", dir);
	memcpy(ret_id, first.text, strlen(first.text) + 1);
	return 0;
}

static int load_source(const struct arm *arm, const char *cache, struct kernel_inputs *ret, struct err *err)
{
	const char *path = arm->source == ARM_DEBIAN_LINUX_6_1 ? DEBIAN_TARBALL : arm->path;

	ret->source = (enum arm_source)arm->source;
	ret->source_path = realpath(path, NULL);
	if (!ret->source_path && arm->source == ARM_DEBIAN_LINUX_6_1)
		return err_set(
			err, -ENOENT,
			"'%s' is missing: 'apt-get install linux-source-6.1', or give --tarball FILE or --tree DIR",
			path);
	if (!ret->source_path)
		return err_sys(err, -errno, "kernel source '%s'", path);
	if (ret->source == ARM_TREE)
		return git_id(ret->source_path, ret->source_id, err);
	return hash_tarball(ret->source_path, cache, ret->source_id, err);
}

static int load_toolchain(struct kernel_inputs *ret, struct err *err)
{
	const char *cc[] = { "gcc", "--version", NULL };
	const char *ld[] = { "ld", "--version", NULL };
	struct first_line compiler;
	struct first_line linker;

	if (first_line_of(cc, &compiler, NULL) < 0 || first_line_of(ld, &linker, NULL) < 0)
		return kernel_make_tools(err) < 0 ? -ENOENT : err_set(err, -ENOENT, "gcc or ld does not work");
	ret->toolchain = str_printf("%s\n%s\n", compiler.text, linker.text);
	return ret->toolchain ? 0 : err_sys(err, -ENOMEM, "versions of compiler and linker");
}

static int append_fragment(FILE *out, const char *path, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	int r = fs_read(path, TEXT_LIMIT, &text, NULL, err);

	if (r == 0)
		fprintf(out, "%s\n", text);
	return r;
}

/* A line of a fragment, the name of a file of the project, or a path. */
static int append_config(FILE *out, const char *dir, const char *item, struct err *err)
{
	_cleanup_free_ char *path = NULL;

	if (strncmp(item, "CONFIG_", 7) == 0 || *item == '#') {
		fprintf(out, "%s\n", item);
		return 0;
	}
	path = *item == '/' ? strdup(item) : str_printf("%s/%s", dir, item);
	return path ? append_fragment(out, path, err) : err_sys(err, -ENOMEM, "fragment '%s'", item);
}

static int load_fragment(const struct arm *arm, const char *dir, struct kernel_inputs *ret, struct err *err)
{
	size_t len;
	FILE *out = open_memstream(&ret->fragment, &len);
	int r;

	if (!out)
		return err_sys(err, -ENOMEM, "configuration");
	r = append_config(out, dir, PROJECT_FRAGMENT, err);
	for (size_t i = 0; r == 0 && i < arm->config.count; i++)
		r = append_config(out, dir, arm->config.item[i], err);
	return fclose(out) != 0 && r == 0 ? err_sys(err, -ENOMEM, "configuration") : r;
}

static int load_package(const struct arm *arm, const char *dir, struct kernel_inputs *ret, struct err *err)
{
	static const char *const scripts[] = { "package.sh", "modules.sh" };
	size_t len;
	FILE *out = open_memstream(&ret->fragment, &len);
	int r = 0;

	if (!out)
		return err_sys(err, -ENOMEM, "package '%s'", arm->path);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(scripts); i++)
		r = append_config(out, dir, scripts[i], err);
	if (fclose(out) != 0 && r == 0)
		r = err_sys(err, -ENOMEM, "package '%s'", arm->path);
	ret->source = ARM_PACKAGE;
	ret->toolchain = strdup("");
	if (r == 0 && !ret->toolchain)
		r = err_sys(err, -ENOMEM, "package '%s'", arm->path);
	return r < 0 ? r : kernel_package_find(arm->path, &ret->source_path, err);
}

static int load_patch(const char *dir, const char *item, struct kernel_patch *ret, struct err *err)
{
	ret->path = *item == '/' ? strdup(item) : str_printf("%s/patches/%s", dir, item);
	if (!ret->path)
		return err_sys(err, -ENOMEM, "patch '%s'", item);
	return fs_read(ret->path, TEXT_LIMIT, &ret->text, &ret->text_bytes, err);
}

static int load_patches(const struct arm *arm, const char *dir, struct kernel_inputs *ret, struct err *err)
{
	int r = 0;

	ret->patches = calloc(arm->patches.count + 1, sizeof(*ret->patches));
	if (!ret->patches)
		return err_sys(err, -ENOMEM, "patches");
	for (size_t i = 0; r == 0 && i < arm->patches.count; i++)
		r = load_patch(dir, arm->patches.item[i], &ret->patches[ret->patch_count++], err);
	return r;
}

DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free)

/* Each part with its length in front, so that no two sets of inputs give the same text. */
static bool put_part(EVP_MD_CTX *digest, const char *name, const char *data, size_t len)
{
	char head[64];
	int head_len = snprintf(head, sizeof(head), "%s %zu\n", name, len);

	return EVP_DigestUpdate(digest, head, (size_t)head_len) == 1 && EVP_DigestUpdate(digest, data, len) == 1 &&
	       EVP_DigestUpdate(digest, "\n", 1) == 1;
}

static bool put_inputs(EVP_MD_CTX *digest, const struct kernel_inputs *inputs, bool tree_only)
{
	/* A git tree's work tree follows its commits, so that a developer's next commit compiles in seconds. */
	bool by_path = inputs->source == ARM_PACKAGE || (tree_only && inputs->source == ARM_TREE);
	const char *source = by_path ? inputs->source_path : inputs->source_id;
	bool good = put_part(digest, "source", source, strlen(source)) &&
		    put_part(digest, "toolchain", inputs->toolchain, strlen(inputs->toolchain)) &&
		    put_part(digest, "fragment", inputs->fragment, strlen(inputs->fragment));

	for (size_t i = 0; good && kernel_make_variables[i]; i++)
		good = put_part(digest, "variable", kernel_make_variables[i], strlen(kernel_make_variables[i]));
	for (size_t i = 0; good && !tree_only && i < inputs->patch_count; i++)
		good = put_part(digest, "patch", inputs->patches[i].text, inputs->patches[i].text_bytes);
	return good;
}

static int hash_inputs(const struct kernel_inputs *inputs, bool tree_only, char ret_hex[static KERNEL_HASH_CHARS])
{
	_cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *digest = EVP_MD_CTX_new();
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (!digest || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1 || !put_inputs(digest, inputs, tree_only) ||
	    EVP_DigestFinal_ex(digest, md, &len) != 1)
		return -ENOMEM;
	for (unsigned int i = 0; i < len; i++)
		snprintf(ret_hex + 2 * i, 3, "%02x", md[i]);
	return 0;
}

int kernel_inputs_hash(struct kernel_inputs *inputs)
{
	int r = hash_inputs(inputs, false, inputs->key);

	return r < 0 ? r : hash_inputs(inputs, true, inputs->tree_key);
}

static int load_build(const struct arm *arm, const char *dir, const char *cache, struct kernel_inputs *ret,
		      struct err *err)
{
	int r = load_fragment(arm, dir, ret, err);

	if (r == 0)
		r = load_patches(arm, dir, ret, err);
	if (r == 0)
		r = load_source(arm, cache, ret, err);
	return r < 0 ? r : load_toolchain(ret, err);
}

int kernel_inputs_load(const struct arm *arm, const char *cache, struct kernel_inputs *ret, struct err *err)
{
	_cleanup_free_ char *dir = paths_kernel_dir();
	int r = dir ? 0 : err_sys(err, -ENOMEM, "kernel of arm '%s'", arm->name);

	*ret = (struct kernel_inputs){ .arm = arm };
	if (r == 0)
		r = arm->source == ARM_PACKAGE ? load_package(arm, dir, ret, err)
					       : load_build(arm, dir, cache, ret, err);
	if (r < 0)
		return r;
	r = kernel_inputs_hash(ret);
	return r < 0 ? err_sys(err, r, "kernel of arm '%s'", arm->name) : 0;
}

void kernel_inputs_done(struct kernel_inputs *inputs)
{
	for (size_t i = 0; i < inputs->patch_count; i++) {
		free(inputs->patches[i].path);
		free(inputs->patches[i].text);
	}
	free(inputs->patches);
	free(inputs->source_path);
	free(inputs->toolchain);
	free(inputs->fragment);
	*inputs = (struct kernel_inputs){ .patches = NULL };
}
