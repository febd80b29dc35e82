// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/checks.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <tracefs.h>

#include "common/cpulist.h"
#include "common/fs.h"
#include "common/json.h"
#include "host/cpus.h"
#include "host/domain.h"
#include "host/kvm_check.h"

#define CPU_DIR "/sys/devices/system/cpu/"

static int choose_measured(int want, const cpu_set_t *isolated, struct err *err)
{
	_cleanup_free_ char *list = cpus_format(isolated);
	int cpu = want >= 0 ? want : cpus_first(isolated);

	if (CPU_COUNT(isolated) == 0)
		return err_set(err, -ENOTSUP,
			       "this host has no isolated CPU (boot it with isolcpus= and nohz_full=); " LAB_HINT);
	if (cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, isolated))
		return err_set(err, -ENOTSUP, "CPU %d is not isolated; isolated are %s", cpu, list ? list : "?");
	return cpu;
}

int checks_cpus(int want_cpu, const char *want_housekeeping, struct run_cpus *ret, struct err *err)
{
	cpu_set_t isolated;
	cpu_set_t online;
	int res = cpus_read(CPU_DIR "isolated", &isolated, err);

	if (res == 0)
		res = cpus_read(CPU_DIR "online", &online, err);
	if (res < 0)
		return res;
	ret->measured = choose_measured(want_cpu, &isolated, err);
	if (ret->measured < 0)
		return ret->measured;
	CPU_XOR(&ret->housekeeping, &online, &isolated); /* isolated is a part of online */
	CPU_AND(&ret->housekeeping, &ret->housekeeping, &online);
	if (want_housekeeping[0] && cpulist_parse(want_housekeeping, &ret->housekeeping) < 0)
		return err_set(err, -EINVAL, "--housekeeping '%s' is no CPU list", want_housekeeping);
	if (CPU_ISSET(ret->measured, &ret->housekeeping))
		return err_set(err, -EINVAL, "--housekeeping contains the measured CPU %d", ret->measured);
	if (!CPU_COUNT(&ret->housekeeping))
		return err_set(err, -ENOTSUP, "no CPU is left for housekeeping");
	return 0;
}

static int try_tracing(struct tracefs_instance *instance, struct err *err)
{
	if (tracefs_instance_file_write(instance, "trace_clock", "x86-tsc") < 0)
		return err_sys(err, -ENOTSUP, "tracefs is there, but refuses the clock x86-tsc; " LAB_HINT);
	if (tracefs_event_enable(instance, "sched", "sched_switch") < 0 || tracefs_trace_on(instance) < 0)
		return err_set(err, -ENOTSUP, "tracefs is there, but refuses to trace sched:sched_switch; " LAB_HINT);
	return 0;
}

static int check_tracing(struct err *err)
{
	_cleanup_free_ char *name = str_printf("vcpulat-check-%d", (int)getpid());
	struct tracefs_instance *instance;
	int ret;

	tracefs_set_loglevel(TEP_LOG_NONE);
	if (!tracefs_tracing_dir())
		return err_set(err, -ENOTSUP, "no tracefs on this host; " LAB_HINT);
	instance = name ? tracefs_instance_create(name) : NULL;
	if (!instance)
		return err_set(err, -ENOTSUP, "tracefs allows no private instance; " LAB_HINT);
	ret = try_tracing(instance, err);
	tracefs_instance_destroy(instance);
	tracefs_instance_free(instance);
	return ret;
}

int checks_host(bool trace, struct err *err)
{
	if (geteuid() != 0)
		return err_set(err, -ENOTSUP,
			       "'vcpulat run' needs root on the host under test; 'vcpulat lab' does not");
	return trace ? check_tracing(err) : 0;
}

int checks_virtualization(struct err *err)
{
	int ret = kvm_check(err);

	return ret < 0 ? ret : domain_check(err);
}

int checks_tsc(struct err *err)
{
	static const char *const flags[] = { " constant_tsc ", " nonstop_tsc " };
	_cleanup_free_ char *text = NULL;
	int ret = fs_read("/proc/cpuinfo", 64U << 20, &text, NULL, err);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (!strstr(text, flags[i]))
			return err_set(err, -ENOTSUP, "mode qualification wants a TSC with%sin /proc/cpuinfo",
				       flags[i]);
	return 0;
}

int checks_kernel(struct err *err)
{
	if (!fs_exists("/proc/lockdep_stats"))
		return 0;
	return err_set(err, -ENOTSUP,
		       "mode qualification wants a kernel without CONFIG_LOCKDEP: this one checks "
		       "each of its locks, and no length means anything");
}

static int check_shape(const struct scenario_shape *shape, struct err *err)
{
	struct sysinfo info;
	uint64_t bytes;
	cpu_set_t set;
	int ret = cpus_read(CPU_DIR "online", &set, err);

	if (ret < 0)
		return ret;
	if ((uint64_t)CPU_COUNT(&set) < shape->host_cpus)
		return err_set(err, -ENOTSUP, "it wants %llu CPUs, this host has %d",
			       (unsigned long long)shape->host_cpus, CPU_COUNT(&set));
	ret = cpus_read(CPU_DIR "isolated", &set, err);
	if (ret < 0)
		return ret;
	if ((uint64_t)CPU_COUNT(&set) < shape->host_isolated)
		return err_set(err, -ENOTSUP, "it wants %llu isolated CPUs, this host has %d",
			       (unsigned long long)shape->host_isolated, CPU_COUNT(&set));
	sysinfo(&info);
	bytes = (uint64_t)info.totalram * info.mem_unit;
	/* A kernel takes some of a machine's memory for itself before it counts: allow for an eighth. */
	if (bytes < shape->host_memory_bytes - shape->host_memory_bytes / 8)
		return err_set(err, -ENOTSUP, "it wants %llu MiB of memory, this host has %llu",
			       (unsigned long long)shape->host_memory_bytes >> 20, (unsigned long long)bytes >> 20);
	return 0;
}

static bool cmdline_has(const char *line, const char *word)
{
	size_t len = strcspn(word, "=");
	bool has_value = word[len] == '=';

	for (const char *p = line; *p; p += strcspn(p, " "), p += strspn(p, " "))
		if (strncmp(p, word, len + has_value) == 0 && (has_value || strchr(" ", p[len])))
			return true;
	return false;
}

/* "cma=64M" is there when the command line has a word that begins with "cma=". */
static int check_cmdline(const struct schema_strings *wanted, struct err *err)
{
	_cleanup_free_ char *line = NULL;
	int ret = wanted->count ? fs_read_line("/proc/cmdline", &line, err) : 0;

	for (size_t i = 0; ret == 0 && i < wanted->count; i++)
		if (!cmdline_has(line, wanted->item[i]))
			ret = err_set(err, -ENOTSUP, "it wants '%s' on the kernel's command line", wanted->item[i]);
	return ret;
}

static int check_missing(const struct scenario_check *check, struct err *err)
{
	return err_set(err, -ENOTSUP, "it wants '%s', not here", check->path);
}

/* @text: NULL: cannot be read */
static int check_text(const struct scenario_check *check, const char *text, struct err *err)
{
	if (text && strcmp(text, check->equals) == 0)
		return 0;
	return err_set(err, -ENOTSUP, "it wants '%s' to hold '%s', here it %s%.100s", check->path, check->equals,
		       text ? "holds " : "cannot be read", text ? text : "");
}

static int check_file(const struct scenario_check *check, struct err *err)
{
	_cleanup_free_ char *text = NULL;

	if (!check->equals[0])
		return fs_exists(check->path) ? 0 : check_missing(check, err);
	fs_read_line(check->path, &text, NULL);
	return check_text(check, text, err);
}

static int check_guest_file(const struct scenario_check *check, struct agent *agent, struct err *err)
{
	_cleanup_json_ json_t *reply = NULL;
	int ret = agent_call(agent, json_pack("{s:s, s:s}", "op", "read", "path", check->path), AGENT_TIMEOUT_MS,
			     &reply, err);

	if (ret == -ENOENT)
		return check_missing(check, err);
	if (ret < 0 || !check->equals[0])
		return ret;
	return check_text(check, json_string_value(json_object_get(reply, "text")), err);
}

int checks_scenario(const struct scenario *scenario, struct err *err)
{
	const struct scenario_check *check = scenario->checks.item;
	int ret = check_shape(&scenario->shape, err);

	if (ret == 0)
		ret = check_cmdline(&scenario->shape.host_cmdline, err);
	for (size_t i = 0; ret == 0 && i < scenario->checks.count; i++)
		if (check[i].layer == LAYER_HOST)
			ret = check_file(&check[i], err);
	return ret < 0 ? err_prefix(err, ret, "%s", scenario->name) : 0;
}

int checks_guest(const struct scenario *scenario, struct agent *agent, struct err *err)
{
	const struct scenario_check *check = scenario->checks.item;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < scenario->checks.count; i++)
		if (check[i].layer == LAYER_GUEST)
			ret = check_guest_file(&check[i], agent, err);
	return ret < 0 ? err_prefix(err, ret, "in its guest") : 0;
}
