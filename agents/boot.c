// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/boot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include "common/cleanup.h"
#include "common/cpulist.h"
#include "common/fs.h"
#include "common/mono.h"

#define PORT_KEY "vcpulat.port="
#define TOKEN_KEY "vcpulat.token="
#define MODULES "/modules/guest"
#define RETRY_MS 100

static const struct mount_point {
	const char *type;
	const char *path;
	bool optional;
} mounts[] = {
	{ "proc", "/proc", false },
	{ "sysfs", "/sys", false },
	{ "devtmpfs", "/dev", false },
	{ "tmpfs", "/tmp", false },
	{ "debugfs", "/sys/kernel/debug", true },
	{ "tracefs", "/sys/kernel/tracing", true },
};

int boot_mount(struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		const struct mount_point *m = &mounts[i];

		mkdir(m->path, 0755);
		if (mount(m->type, m->path, m->type, 0, NULL) == 0 || errno == EBUSY || m->optional)
			continue;
		return err_sys(err, -errno, "cannot mount %s at '%s'", m->type, m->path);
	}
	return 0;
}

static int is_module(const struct dirent *entry)
{
	return strstr(entry->d_name, ".ko") != NULL;
}

static void insert(const char *name)
{
	_cleanup_free_ char *path = str_printf(MODULES "/%s", name);
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd >= 0)
		syscall(SYS_finit_module, fd, "", 0);
}

/* Their names begin with their place in the order (images/kernels/modules.sh). */
void boot_modules(void)
{
	struct dirent **modules = NULL;
	int count = scandir(MODULES, &modules, is_module, alphasort);

	for (int i = 0; i < count; i++) {
		insert(modules[i]->d_name);
		free(modules[i]);
	}
	free(modules);
}

void boot_console(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
		dup2(fd, i);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* The value of KEY= in a command line; a length of 0 when there is none. */
static const char *cmdline_value(const char *cmdline, const char *key, size_t *ret_len)
{
	const char *p = cmdline;

	while ((p = strstr(p, key)) && p > cmdline && p[-1] != ' ')
		p++;
	p = p ? p + strlen(key) : "";
	*ret_len = strcspn(p, " \n");
	return p;
}

int boot_parse_cmdline(const char *cmdline, struct boot *ret, struct err *err)
{
	size_t port_len;
	size_t token_len;
	const char *port = cmdline_value(cmdline, PORT_KEY, &port_len);
	const char *token = cmdline_value(cmdline, TOKEN_KEY, &token_len);
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(port, &end, 10);
	if (port_len == 0 || end != port + port_len || errno || *port == '-' || number > UINT32_MAX)
		return err_set(err, -EINVAL, "the kernel's command line has no usable " PORT_KEY "PORT");
	if (token_len != LINK_TOKEN_CHARS)
		return err_set(err, -EINVAL, "the kernel's command line has no " TOKEN_KEY " of %d characters",
			       LINK_TOKEN_CHARS);
	ret->port = (unsigned int)number;
	memcpy(ret->token, token, token_len);
	ret->token[token_len] = '\0';
	return 0;
}

/* Kernels without the feature have no such file. */
static void remove_cpus_of(const char *path, cpu_set_t *set)
{
	_cleanup_free_ char *text = NULL;
	cpu_set_t isolated;

	if (fs_read_line(path, &text, NULL) < 0 || cpulist_parse(text, &isolated) < 0)
		return;
	CPU_AND(&isolated, &isolated, set);
	CPU_XOR(set, set, &isolated);
}

static void find_housekeeping(cpu_set_t *ret)
{
	_cleanup_free_ char *online = NULL;

	CPU_ZERO(ret);
	if (fs_read_line("/sys/devices/system/cpu/online", &online, NULL) == 0)
		cpulist_parse(online, ret);
	remove_cpus_of("/sys/devices/system/cpu/isolated", ret);
	remove_cpus_of("/sys/devices/system/cpu/nohz_full", ret);
	if (CPU_COUNT(ret) == 0)
		CPU_SET(0, ret);
}

int boot_read(struct boot *ret, struct err *err)
{
	_cleanup_free_ char *cmdline = NULL;
	int r = fs_read_line("/proc/cmdline", &cmdline, err);

	find_housekeeping(&ret->housekeeping);
	return r < 0 ? r : boot_parse_cmdline(cmdline, ret, err);
}

static int try_connect(unsigned int port)
{
	const struct sockaddr_vm to = { .svm_family = AF_VSOCK, .svm_port = port, .svm_cid = VMADDR_CID_HOST };
	_cleanup_close_ int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* The device may not be probed yet, or the host may not listen yet: both pass. */
static bool may_pass(int error)
{
	return error == -ENODEV || error == -ECONNRESET || error == -ECONNREFUSED || error == -ETIMEDOUT ||
	       error == -EADDRNOTAVAIL || error == -EHOSTUNREACH || error == -ENETUNREACH || error == -EINTR ||
	       error == -EAFNOSUPPORT;
}

int boot_connect(unsigned int port, int timeout_ms, struct err *err)
{
	int64_t end = mono_ms() + timeout_ms;
	int fd = try_connect(port);

	while (fd < 0 && may_pass(fd) && mono_ms() < end) {
		poll(NULL, 0, RETRY_MS);
		fd = try_connect(port);
	}
	return fd < 0 ? err_sys(err, fd, "cannot connect to vsock port %u of the host", port) : fd;
}
