// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/domain.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>
#include <unistd.h>

#include "common/cpulist.h"
#include "common/fs.h"

#define LIBVIRT_URI "qemu:///system"
#define TEMPLATE_MAX_BYTES (64 * 1024)
#define SHM_DIR "/dev/shm/"

struct domain {
	virConnectPtr connection;
	virDomainPtr domain;
	char *name;
	uint64_t shared_bytes;
};

/* libvirt prints its errors to stderr unless somebody takes them. */
static void ignore_error(void *ctx, virErrorPtr error)
{
	(void)ctx;
	(void)error;
}

static int libvirt_error(struct err *err, int errnum, const char *what)
{
	return err_set(err, errnum, "%s: %s", what, virGetLastErrorMessage());
}

static int connect_libvirt(virConnectPtr *ret, struct err *err)
{
	virSetErrorFunc(NULL, ignore_error);
	*ret = virConnectOpen(LIBVIRT_URI);
	return *ret ? 0 : libvirt_error(err, -ENOTSUP, "libvirt (" LIBVIRT_URI ") does not answer");
}

static char *shm_path(const char *domain)
{
	return str_printf(SHM_DIR "%s", domain);
}

/* QEMU makes it, neither it nor libvirt removes it. */
static void remove_shm(const char *domain)
{
	_cleanup_free_ char *path = shm_path(domain);

	if (path)
		unlink(path);
}

int domain_start(const struct domain_params *params, struct domain **ret, struct err *err)
{
	_cleanup_domain_ struct domain *d = calloc(1, sizeof(*d));
	_cleanup_free_ char *template = NULL;
	_cleanup_free_ char *xml = NULL;
	int res;

	if (!d || !(d->name = strdup(params->name)))
		return -ENOMEM;
	d->shared_bytes = params->memory.mergeable ? 0 : params->memory.shared_bytes;
	remove_shm(d->name);
	res = fs_read(params->template_path, TEMPLATE_MAX_BYTES, &template, NULL, err);
	if (res < 0)
		return res;
	res = domain_xml(template, params, &xml, err);
	if (res < 0)
		return res;
	res = connect_libvirt(&d->connection, err);
	if (res < 0)
		return res;
	d->domain = virDomainCreateXML(d->connection, xml, VIR_DOMAIN_START_AUTODESTROY);
	if (!d->domain)
		return libvirt_error(err, -EIO, "libvirt does not start the guest");
	*ret = TAKE_PTR(d);
	return 0;
}

int domain_check(struct err *err)
{
	virConnectPtr connection;
	int ret = connect_libvirt(&connection, err);

	if (ret == 0)
		virConnectClose(connection);
	return ret;
}

bool domain_is_running(struct domain *d)
{
	int state;
	int reason;

	return virDomainGetState(d->domain, &state, &reason, 0) == 0 && state == VIR_DOMAIN_RUNNING;
}

int domain_monitor(const struct domain *d, const char *command, char **ret, struct err *err)
{
	if (virDomainQemuMonitorCommand(d->domain, command, ret, VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP) < 0)
		return libvirt_error(err, -EIO, "the guest's monitor does not answer");
	return 0;
}

/* libvirt's API does not tell; its pid file does. */
pid_t domain_vmm_pid(struct domain *d, struct err *err)
{
	_cleanup_free_ char *path = str_printf("/run/libvirt/qemu/%s.pid", d->name);
	_cleanup_free_ char *text = NULL;
	int ret = path ? fs_read_line(path, &text, err) : -ENOMEM;
	long pid;

	if (ret < 0)
		return ret;
	pid = strtol(text, NULL, 10);
	return pid > 1 ? (pid_t)pid : err_set(err, -EIO, "'%s' holds no pid", path);
}

static int allowed_cpus(pid_t vmm, pid_t tid, cpu_set_t *ret, struct err *err)
{
	static const char key[] = "Cpus_allowed_list:";
	_cleanup_free_ char *path = str_printf("/proc/%d/task/%d/status", (int)vmm, (int)tid);
	_cleanup_free_ char *text = NULL;
	char *line;
	int res = path ? fs_read(path, 65536, &text, NULL, err) : -ENOMEM;

	if (res < 0)
		return res;
	line = strstr(text, key);
	if (!line)
		return err_set(err, -EIO, "'%s' names no CPUs", path);
	line += strlen(key);
	line += strspn(line, " \t");
	line[strcspn(line, "\n")] = '\0';
	res = cpulist_parse(line, ret);
	return res < 0 ? err_set(err, res, "'%s': '%s' is no CPU list", path, line) : 0;
}

/* @want: the only CPU of the measured vCPU's thread; the CPUs that every other thread must keep to. */
static int verify_thread(pid_t vmm, pid_t tid, bool is_measured, int measured, const cpu_set_t *housekeeping,
			 struct err *err)
{
	cpu_set_t allowed;
	cpu_set_t both;
	int ret = allowed_cpus(vmm, tid, &allowed, err);

	if (ret == -ENOENT || ret == -ESRCH)
		return 0; /* a worker thread that has ended meanwhile */
	if (ret < 0)
		return ret;
	if (is_measured && (CPU_COUNT(&allowed) != 1 || !CPU_ISSET(measured, &allowed)))
		return err_set(err, -EXDEV, "the thread of vCPU %d (%d) may run on %d CPUs, not on CPU %d alone",
			       DOMAIN_MEASURED_VCPU, (int)tid, CPU_COUNT(&allowed), measured);
	CPU_AND(&both, &allowed, housekeeping);
	if (!is_measured && !CPU_EQUAL(&both, &allowed))
		return err_set(err, -EXDEV, "thread %d of the VMM may run outside the housekeeping CPUs", (int)tid);
	return 0;
}

int domain_verify_pinning(pid_t vmm, const struct domain_params *params, const struct clock_reading *reading,
			  struct err *err)
{
	_cleanup_free_ char *path = str_printf("/proc/%d/task", (int)vmm);
	_cleanup_closedir_ DIR *dir = path ? opendir(path) : NULL;
	pid_t measured = clock_vcpu_tid(reading, DOMAIN_MEASURED_VCPU);
	cpu_set_t housekeeping;
	struct dirent *entry;
	bool seen = false;
	int ret = cpulist_parse(params->housekeeping, &housekeeping);

	if (!dir)
		return err_sys(err, -errno, "cannot list the threads of the VMM (%d)", (int)vmm);
	while (ret == 0 && (entry = readdir(dir))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid <= 0)
			continue;
		seen |= tid == measured;
		ret = verify_thread(vmm, tid, tid == measured, params->measured_cpu, &housekeeping, err);
	}
	if (ret == 0 && !seen)
		return err_set(err, -EXDEV, "the thread of vCPU %d (%d) is not one of the VMM's", DOMAIN_MEASURED_VCPU,
			       (int)measured);
	return ret;
}

int domain_punch(const struct domain *d, struct err *err)
{
	_cleanup_free_ char *path = shm_path(d->name);
	_cleanup_close_ int fd = -1;

	if (!d->shared_bytes)
		return 0;
	fd = path ? open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (fd < 0 || fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)d->shared_bytes) < 0)
		return err_sys(err, -errno, "cannot take back the guest's memory '%s'", path ? path : d->name);
	return 0;
}

void domain_stop(struct domain *d)
{
	if (!d)
		return;
	if (d->domain) {
		virDomainDestroy(d->domain);
		virDomainFree(d->domain);
	}
	if (d->connection)
		virConnectClose(d->connection);
	if (d->shared_bytes)
		remove_shm(d->name);
	free(d->name);
	free(d);
}

int domain_destroy_leftovers(unsigned int *ret_count, struct err *err)
{
	virConnectPtr connection;
	virDomainPtr *domains;
	int n;
	int ret = connect_libvirt(&connection, err);

	if (ret < 0)
		return ret;
	*ret_count = 0;
	n = virConnectListAllDomains(connection, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
	if (n < 0)
		ret = libvirt_error(err, -EIO, "cannot list domains");
	for (int i = 0; i < n; i++) {
		if (strncmp(virDomainGetName(domains[i]), DOMAIN_PREFIX, strlen(DOMAIN_PREFIX)) == 0) {
			if (virDomainDestroy(domains[i]) == 0)
				(*ret_count)++;
			else
				ret = libvirt_error(err, -EIO, "cannot destroy a left-over guest");
			remove_shm(virDomainGetName(domains[i]));
		}
		virDomainFree(domains[i]);
	}
	if (n >= 0)
		free(domains);
	virConnectClose(connection);
	return ret;
}
