// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/tracing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/kprobes.h"

#define INSTANCES TRACING_ROOT "/instances"
#define PREFIX "vcpulat-"
#define FILE_LIMIT ((size_t)64 << 20)

int tracing_mount(struct err *err)
{
	struct statfs st;

	if (statfs(TRACING_ROOT, &st) == 0 && st.f_type == TRACEFS_MAGIC)
		return 0;
	if (mount("tracefs", TRACING_ROOT, "tracefs", 0, NULL) < 0)
		return err_sys(err, -errno, "cannot mount tracefs at '%s'", TRACING_ROOT);
	return 0;
}

static void remove_if_stale(const char *name)
{
	_cleanup_free_ char *dir = NULL;
	char *end;
	long pid;

	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
		return;
	pid = strtol(name + strlen(PREFIX), &end, 10);
	if (*end || pid <= 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
		return;
	dir = str_printf("%s/%s", INSTANCES, name);
	if (dir)
		rmdir(dir);
}

static void remove_stale(void)
{
	_cleanup_closedir_ DIR *dir = opendir(INSTANCES);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		remove_if_stale(entry->d_name);
}

int tracing_instance_new(char **ret_dir, struct err *err)
{
	_cleanup_free_ char *dir = str_printf("%s/%s%d", INSTANCES, PREFIX, (int)getpid());
	int ret = dir ? tracing_mount(err) : err_sys(err, -ENOMEM, "tracing instance");

	if (ret < 0)
		return ret;
	remove_stale();
	if (mkdir(dir, 0700) < 0)
		return err_sys(err, -errno, "cannot create the tracing instance '%s'", dir);
	*ret_dir = TAKE_PTR(dir);
	return 0;
}

void tracing_instance_remove(const char *dir)
{
	rmdir(dir);
}

/* Opened without O_APPEND, the file forgets the kprobes of others. */
static int change_kprobes(const char *change)
{
	_cleanup_close_ int fd = open(TRACING_ROOT "/kprobe_events", O_WRONLY | O_APPEND | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, change, strlen(change)) < 0 ? -errno : 0;
}

bool tracing_is_kprobe(const char *system)
{
	return strcmp(system, KPROBE_SYSTEM) == 0 || strcmp(system, KPROBE_CALL) == 0 ||
	       strcmp(system, KPROBE_RETURN) == 0;
}

int tracing_kprobe_add(const char *system, const char *function)
{
	const char type = strcmp(system, KPROBE_RETURN) == 0 ? 'r' : 'p';
	_cleanup_free_ char *change = str_printf("%c:%s/%s %s\n", type, system, function, function);
	int ret = change ? change_kprobes(change) : -ENOMEM;

	return ret == -EEXIST ? 0 : ret;
}

void tracing_kprobe_remove(const char *system, const char *function)
{
	_cleanup_free_ char *change = str_printf("-:%s/%s\n", system, function);

	if (change)
		change_kprobes(change);
}

/* What the kernel last found wrong with a filter or trigger: the text after its time stamp. */
static char *last_complaint(const char *dir)
{
	_cleanup_free_ char *text = NULL;
	const char *last = NULL;
	size_t len;

	if (tracing_read(dir, "error_log", &text, &len, NULL) < 0)
		return NULL;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (line[0] == '[' && strstr(line, "] "))
			last = strstr(line, "] ") + 2;
	}
	return last ? strndup(last, strcspn(last, "\n")) : NULL;
}

int tracing_write(const char *dir, const char *file, const char *value, struct err *err)
{
	_cleanup_free_ char *path = str_printf("%s/%s", dir, file);
	_cleanup_free_ char *complaint = NULL;
	int ret = path ? fs_write(path, value, err) : err_sys(err, -ENOMEM, "tracing file '%s'", file);

	if (ret == -EINVAL)
		complaint = last_complaint(dir);
	return complaint ? err_set(err, ret, "'%s' refuses '%s': %s", path, value, complaint) : ret;
}

int tracing_read(const char *dir, const char *file, char **ret_text, size_t *ret_len, struct err *err)
{
	_cleanup_free_ char *path = str_printf("%s/%s", dir, file);

	return path ? fs_read(path, FILE_LIMIT, ret_text, ret_len, err)
		    : err_sys(err, -ENOMEM, "tracing file '%s'", file);
}

bool tracing_has(const char *dir, const char *file)
{
	_cleanup_free_ char *path = str_printf("%s/%s", dir, file);

	return path && fs_exists(path);
}

size_t tracing_cpus(const char *dir)
{
	char file[64];
	size_t cpus = 0;

	do {
		snprintf(file, sizeof(file), "per_cpu/cpu%zu", cpus);
	} while (tracing_has(dir, file) && ++cpus);
	return cpus;
}
