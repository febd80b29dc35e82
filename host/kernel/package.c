// SPDX-License-Identifier: GPL-2.0-or-later
/* Kernels that Debian built: images/kernels/package.sh fetches one, modules.sh packs what it has as modules. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/fs.h"
#include "common/log.h"
#include "common/process.h"
#include "host/kernel/kernel_p.h"
#include "host/paths.h"

#define NAME_BYTES 128

/* What `apt-cache show` says; a metapackage depends on the kernel of one ABI. */
struct package {
	char name[NAME_BYTES];
	char version[NAME_BYTES];
};

static void read_line(void *ctx, const char *line)
{
	struct package *p = ctx;

	if (sscanf(line, "Depends: linux-image-%100[^ ,] (= %127[^) ])", p->name + strlen("linux-image-"),
		   p->version) == 2)
		memcpy(p->name, "linux-image-", strlen("linux-image-"));
	else if (!*p->name && !*p->version)
		sscanf(line, "Version: %127s", p->version);
}

int kernel_package_find(const char *package, char **ret, struct err *err)
{
	const char *argv[] = { "apt-cache", "show", "--no-all-versions", package, NULL };
	struct package found = { .name = "" };
	struct process_options options = { .on_line = read_line, .ctx = &found };
	int r = process_run((char *const *)argv, &options, err);

	if (r < 0 || !*found.version)
		return err_set(err, r == -EINTR ? r : -ENOENT,
			       "no Debian package '%s' is known here ('apt-get update' as root reads the lists anew)",
			       package);
	*ret = str_printf("%s=%s", *found.name ? found.name : package, found.version);
	return *ret ? 0 : err_sys(err, -ENOMEM, "package '%s'", package);
}

static void show_step(void *ctx, const char *line)
{
	if (strncmp(line, "downloading ", 12) == 0 || strncmp(line, "unpacking ", 10) == 0 ||
	    strncmp(line, "packing ", 8) == 0)
		log_status("kernel %s: %s", (const char *)ctx, line);
}

static int run_script(const char *name, const char *const args[], const char *arm, struct err *err)
{
	_cleanup_free_ char *dir = paths_kernel_dir();
	_cleanup_free_ char *script = dir ? str_printf("%s/%s", dir, name) : NULL;
	const char *argv[8] = { "sh", script };
	struct process_options options = { .on_line = show_step, .ctx = (void *)arm };
	int r;

	if (!script)
		return err_sys(err, -ENOMEM, "kernel of arm '%s'", arm);
	for (size_t i = 0; args[i]; i++)
		argv[i + 2] = args[i];
	r = process_run((char *const *)argv, &options, err);
	log_status(NULL);
	return r;
}

int kernel_package_fetch(const struct kernel_inputs *inputs, const char *dir, struct err *err)
{
	const char *args[] = { inputs->source_path, dir, NULL };

	return run_script("package.sh", args, inputs->arm->name, err);
}

int kernel_modules_pack(const struct arm *arm, const char *release, const char *out, struct err *err)
{
	const char *args[] = { "/", release, out, NULL };

	return run_script("modules.sh", args, arm->name, err);
}
