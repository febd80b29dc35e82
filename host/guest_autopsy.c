// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/guest_autopsy.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "common/fs.h"
#include "common/mono.h"
#include "common/stop.h"
#include "host/domain.h"

#define LOG_DIR "/var/log/libvirt/qemu" /* of the system's libvirt */
#define LOOKS 2
#define BETWEEN_MS 1000
#define MAX_FILE_BYTES (64 * 1024)

static void copy_file(FILE *out, const char *dir, const char *task, const char *file)
{
	_cleanup_free_ char *path = str_printf("%s/%s/%s", dir, task, file);
	_cleanup_free_ char *text = NULL;

	if (path && fs_read(path, MAX_FILE_BYTES, &text, NULL, NULL) == 0)
		fprintf(out, "%s: %s\n", file, text);
}

/* Without root, or where the kernel does not give stacks, their names and states are left. */
static void add_threads(FILE *out, pid_t vmm)
{
	_cleanup_free_ char *path = str_printf("/proc/%d/task", (int)vmm);
	_cleanup_closedir_ DIR *dir = path ? opendir(path) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		fprintf(out, "== thread %s\n", entry->d_name);
		copy_file(out, path, entry->d_name, "comm");
		copy_file(out, path, entry->d_name, "stat");
		copy_file(out, path, entry->d_name, "stack");
	}
}

static void add_monitor(FILE *out, const struct guest *guest)
{
	static const char *const commands[] = { "info status", "info registers -a", "info lapic 0", "info lapic 1" };

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		_cleanup_free_ char *answer = NULL;
		struct err err = { "" };

		if (domain_monitor(guest->domain, commands[i], &answer, &err) < 0)
			fprintf(out, "== %s: %s\n", commands[i], err.msg);
		else
			fprintf(out, "== %s\n%s\n", commands[i], answer);
	}
}

/* What QEMU said, and why libvirt thinks that it ended. */
static void add_log(FILE *out)
{
	fprintf(out, "==== the VMM's log\n");
	copy_file(out, LOG_DIR, ".", GUEST_NAME ".log");
}

int guest_autopsy(const struct guest *guest, const char *path, struct err *err)
{
	_cleanup_fclose_ FILE *out = fopen(path, "we");

	if (!out)
		return err_sys(err, -errno, "cannot write '%s'", path);
	for (int i = 0; i < LOOKS; i++) {
		if (i > 0)
			stop_wait(BETWEEN_MS);
		fprintf(out, "==== %lld ms\n", (long long)mono_ms());
		add_threads(out, guest->vmm);
		add_monitor(out, guest);
	}
	add_log(out);
	return ferror(out) ? err_sys(err, -EIO, "cannot write '%s'", path) : 0;
}
