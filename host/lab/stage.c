// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lab/stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/json.h"
#include "common/log.h"
#include "host/paths.h"

#define LIBVIRTD "/usr/sbin/libvirtd"
#define QEMU "/usr/bin/qemu-system-x86_64"
#define LOCK "lock" /* in the directory: its owner holds it and will remove the directory */

static int copy_tree(const char *from, const char *to, struct err *err);

static int copy_entry(const char *from, const char *to, const char *name, struct err *err)
{
	_cleanup_free_ char *source = str_printf("%s/%s", from, name);
	_cleanup_free_ char *target = str_printf("%s/%s", to, name);
	struct stat st;

	if (!source || !target)
		return err_sys(err, -ENOMEM, "copying '%s'", name);
	if (stat(source, &st) < 0)
		return err_sys(err, -errno, "cannot look at '%s'", source);
	if (S_ISDIR(st.st_mode))
		return copy_tree(source, target, err);
	return S_ISREG(st.st_mode) ? fs_copy(source, target, err) : 0;
}

static int copy_tree(const char *from, const char *to, struct err *err)
{
	_cleanup_closedir_ DIR *dir = opendir(from);
	struct dirent *entry;
	int ret;

	if (!dir)
		return err_sys(err, -errno, "cannot read '%s'", from);
	ret = fs_mkdirs(to, err);
	while (ret == 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			ret = copy_entry(from, to, entry->d_name, err);
	return ret;
}

/* Takes @from, a path of host/paths.h. */
static int copy_in(const struct lab_stage *s, char *from, const char *name, struct err *err)
{
	_cleanup_free_ char *source = from;
	_cleanup_free_ char *target = str_printf("%s/in/%s", s->dir, name);
	struct stat st;

	if (!source || !target)
		return err_sys(err, -errno, "cannot find %s", name);
	if (stat(source, &st) < 0)
		return err_sys(err, -errno, "the emulated host needs '%s' (run make)", source);
	return S_ISDIR(st.st_mode) ? copy_tree(source, target, err) : fs_copy(source, target, err);
}

/* An initramfs may be several, one after the other (kernel Documentation/driver-api/early-userspace). */
static int add_modules(const struct kernel_entry *kernel, const char *initramfs, struct err *err)
{
	return kernel->modules ? fs_append(kernel->modules, initramfs, err) : 0;
}

static int copy_guest_kernel(const struct lab_stage *s, const struct kernel_entry *guest, struct err *err)
{
	_cleanup_free_ char *initramfs = str_printf("%s/in/guest.cpio.gz", s->dir);
	int ret = copy_in(s, strdup(guest->bzimage), "guest.bzImage", err);

	if (ret == 0)
		ret = initramfs ? add_modules(guest, initramfs, err) : -ENOMEM;
	return ret;
}

static int copy_program(const struct lab_stage *s, const struct kernel_entry *guest, struct err *err)
{
	int ret = copy_in(s, strdup("/proc/self/exe"), "vcpulat", err);

	if (ret == 0)
		ret = copy_in(s, paths_agent(), "vcpulat-agent", err);
	if (ret == 0)
		ret = copy_in(s, paths_guest_initramfs(), "guest.cpio.gz", err);
	if (ret == 0)
		ret = copy_in(s, paths_scenario_dir(), "scenarios", err);
	if (ret == 0)
		ret = copy_in(s, paths_guest_dir(), "guest", err);
	if (ret == 0 && guest)
		ret = copy_guest_kernel(s, guest, err);
	return ret;
}

static unsigned long long changed_at(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (unsigned long long)st.st_ctime : 0;
}

/* libvirt itself checks that what it remembers fits; the key only keeps kernels from replacing each other's. */
static char *cache_path(const char *host_key)
{
	_cleanup_free_ char *root = paths_cache();

	if (!root || !fs_exists(LIBVIRTD))
		return NULL;
	return str_printf("%s/libvirt/%.16s-%llx-%llx", root, host_key, changed_at(LIBVIRTD), changed_at(QEMU));
}

static int copy_cache(struct lab_stage *s, const char *host_key, struct err *err)
{
	_cleanup_free_ char *target = str_printf("%s/in/libvirt-cache", s->dir);

	s->cache_dir = cache_path(host_key);
	if (!s->cache_dir || !target || !fs_exists(s->cache_dir))
		return 0;
	return copy_tree(s->cache_dir, target, err);
}

/* It appears locked: nobody can take it before. */
static int take_lock(struct lab_stage *s, struct err *err)
{
	_cleanup_free_ char *fresh = str_printf("%s/" LOCK ".new", s->dir);
	_cleanup_free_ char *path = str_printf("%s/" LOCK, s->dir);
	_cleanup_close_ int fd = fresh && path ? open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || rename(fresh, path) < 0)
		return err_sys(err, -errno, "cannot lock '%s'", s->dir);
	s->lock_fd = TAKE_FD(fd);
	return 0;
}

/* Whoever gets the lock may: the owner was killed. */
static void remove_if_left(char *lock)
{
	_cleanup_close_ int fd = open(lock, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return;
	*strrchr(lock, '/') = '\0';
	if (fs_remove_tree(lock, NULL) == 0)
		log_info("removed what a killed lab left: %s", lock);
}

/* In this place, or in one beside it that has its name from `vcpulat lab`. */
static void remove_left(const char *parent)
{
	_cleanup_free_ char *pattern = str_printf("%s{,/../vcpulat-*}/.lab-*/" LOCK, parent);
	glob_t found = { 0 };

	if (pattern && glob(pattern, GLOB_BRACE | GLOB_NOSORT, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			remove_if_left(found.gl_pathv[i]);
	globfree(&found);
}

static int make_dir(struct lab_stage *s, const char *parent, struct err *err)
{
	_cleanup_free_ char *absolute = realpath(parent, NULL);
	_cleanup_free_ char *template = absolute ? str_printf("%s/.lab-XXXXXX", absolute) : NULL;

	if (!template || !mkdtemp(template))
		return err_sys(err, -errno, "cannot make a directory in '%s'", parent);
	s->dir = TAKE_PTR(template);
	remove_left(absolute);
	return take_lock(s, err);
}

int lab_stage_init(struct lab_stage *s, const char *parent, const struct kernel_entry *guest, const char *host_key,
		   struct err *err)
{
	_cleanup_free_ char *in = NULL;
	int ret;

	*s = (struct lab_stage){ .lock_fd = -1 };
	ret = make_dir(s, parent, err);
	if (ret < 0)
		return ret;
	in = str_printf("%s/in", s->dir);
	ret = in ? fs_mkdirs(in, err) : -ENOMEM;
	if (ret == 0)
		ret = copy_program(s, guest, err);
	if (ret == 0)
		ret = copy_cache(s, host_key, err);
	return ret;
}

char *lab_stage_initramfs(const struct lab_stage *s, const struct kernel_entry *host, struct err *err)
{
	_cleanup_free_ char *ours = paths_lab_initramfs();
	_cleanup_free_ char *path = str_printf("%s/host.cpio.gz", s->dir);
	int ret;

	if (!ours || !path) {
		err_sys(err, -ENOMEM, "initramfs");
		return NULL;
	}
	if (!host->modules)
		return TAKE_PTR(ours);
	ret = fs_copy(ours, path, err);
	if (ret == 0)
		ret = add_modules(host, path, err);
	return ret < 0 ? NULL : TAKE_PTR(path);
}

int lab_stage_json(const struct lab_stage *s, const char *name, const json_t *value, struct err *err)
{
	_cleanup_free_ char *path = str_printf("%s/in/%s", s->dir, name);

	return path ? json_write(path, value, err) : -ENOMEM;
}

int lab_stage_text(const struct lab_stage *s, const char *name, const char *text, struct err *err)
{
	_cleanup_free_ char *path = str_printf("%s/%s", s->dir, name);
	int ret = path ? fs_mkdirs_for(path, err) : -ENOMEM;

	return ret < 0 ? ret : fs_write_atomic(path, text, strlen(text), err);
}

int lab_stage_give(const struct lab_stage *s, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *target = str_printf("%s/%s", s->dir, slash ? slash + 1 : path);

	return target ? fs_copy(path, target, err) : -ENOMEM;
}

int lab_stage_exit_code(const struct lab_stage *s)
{
	_cleanup_free_ char *path = str_printf("%s/exit", s->dir);
	_cleanup_free_ char *line = NULL;
	char *end;
	long code;

	if (!path || fs_read_line(path, &line, NULL) < 0)
		return -ENODATA;
	code = strtol(line, &end, 10);
	return end == line || *end || code < 0 || code > 255 ? -ENODATA : (int)code;
}

static int replace_cache(const char *fresh, const char *target, const char *aside)
{
	int ret = fs_mkdirs_for(target, NULL);

	if (ret == 0)
		ret = copy_tree(fresh, aside, NULL);
	/* A rename() does not replace a directory that is not empty. */
	if (ret == 0)
		ret = fs_remove_tree(target, NULL);
	return ret == 0 && rename(aside, target) < 0 ? -errno : ret;
}

void lab_stage_keep_cache(const struct lab_stage *s)
{
	_cleanup_free_ char *fresh = str_printf("%s/libvirt-cache", s->dir);
	_cleanup_free_ char *aside = s->cache_dir ? str_printf("%s.%s", s->cache_dir, strrchr(s->dir, '-') + 1) : NULL;

	if (!fresh || !aside || !fs_exists(fresh))
		return;
	if (replace_cache(fresh, s->cache_dir, aside) < 0)
		fs_remove_tree(aside, NULL);
}

void lab_stage_keep(struct lab_stage *s)
{
	_cleanup_free_ char *path = s->dir ? str_printf("%s/" LOCK, s->dir) : NULL;

	if (path)
		unlink(path);
	s->keep = true;
}

void lab_stage_done(struct lab_stage *s)
{
	if (s->dir && !s->keep)
		fs_remove_tree(s->dir, NULL);
	if (s->dir)
		cleanup_close(&s->lock_fd);
	free(s->dir);
	free(s->cache_dir);
	*s = (struct lab_stage){ .dir = NULL };
}
