// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/facts.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/utsname.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/printk.h"

#define PROC_LIMIT ((size_t)4 << 20)
#define LOG_TAIL_BYTES 4096

/* Files of one line, or a few. */
static const struct file_fact {
	const char *name;
	const char *path;
} file_facts[] = {
	{ "cmdline", "/proc/cmdline" },
	{ "version", "/proc/version" },
	{ "boot_id", "/proc/sys/kernel/random/boot_id" },
	{ "online", "/sys/devices/system/cpu/online" },
	{ "isolated", "/sys/devices/system/cpu/isolated" },
	{ "nohz_full", "/sys/devices/system/cpu/nohz_full" },
	{ "smt", "/sys/devices/system/cpu/smt/control" },
	{ "clocksource", "/sys/devices/system/clocksource/clocksource0/current_clocksource" },
	{ "stat_interval", "/proc/sys/vm/stat_interval" },
	{ "overcommit_memory", "/proc/sys/vm/overcommit_memory" },
	{ "compaction_proactiveness", "/proc/sys/vm/compaction_proactiveness" },
	{ "transparent_hugepage", "/sys/kernel/mm/transparent_hugepage/enabled" },
	{ "khugepaged_defrag", "/sys/kernel/mm/transparent_hugepage/khugepaged/defrag" },
	{ "ksm", "/sys/kernel/mm/ksm/run" },
	{ "numa_balancing", "/proc/sys/kernel/numa_balancing" },
	{ "numa_nodes", "/sys/devices/system/node/online" },
	{ "sched_rt_runtime_us", "/proc/sys/kernel/sched_rt_runtime_us" },
	{ "timer_migration", "/proc/sys/kernel/timer_migration" },
	{ "nmi_watchdog", "/proc/sys/kernel/nmi_watchdog" },
	{ "watchdog", "/proc/sys/kernel/watchdog" },
	{ "taint", "/proc/sys/kernel/tainted" },
	{ "workqueue_cpumask", "/sys/devices/virtual/workqueue/cpumask" },
	{ "tuned_profile", "/etc/tuned/active_profile" },
	{ "mce_check_interval", "/sys/devices/system/machinecheck/machinecheck0/check_interval" },
	{ "hypervisor", "/sys/hypervisor/type" },
	{ "loadavg", "/proc/loadavg" },
};

/* One file in each entry of a directory; leaf NULL: the entry itself. */
static const struct dir_fact {
	const char *name;
	const char *dir;
	const char *prefix; /* of the entries that count */
	const char *leaf;
} dir_facts[] = {
	{ "kvm", "/sys/module/kvm/parameters", "", NULL },
	{ "kvm_amd", "/sys/module/kvm_amd/parameters", "", NULL },
	{ "kvm_intel", "/sys/module/kvm_intel/parameters", "", NULL },
	{ "mitigations", "/sys/devices/system/cpu/vulnerabilities", "", NULL },
	{ "governor", "/sys/devices/system/cpu", "cpu", "cpufreq/scaling_governor" },
	{ "smt_siblings", "/sys/devices/system/cpu", "cpu", "topology/thread_siblings_list" },
	{ "irq_affinity", "/proc/irq", "", "smp_affinity_list" },
	{ "irq_effective_affinity", "/proc/irq", "", "effective_affinity_list" },
};

static json_t *read_text(const char *path)
{
	_cleanup_free_ char *text = NULL;
	json_t *value = NULL;

	if (fs_read_line(path, &text, NULL) == 0)
		value = json_string(text);
	return value ? value : json_null();
}

static json_t *read_dir(const struct dir_fact *fact)
{
	_cleanup_closedir_ DIR *dir = opendir(fact->dir);
	json_t *object = dir ? json_object() : json_null();
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		_cleanup_free_ char *path = NULL;

		if (entry->d_name[0] == '.' || strncmp(entry->d_name, fact->prefix, strlen(fact->prefix)) != 0)
			continue;
		path = str_printf("%s/%s%s%s", fact->dir, entry->d_name, fact->leaf ? "/" : "",
				  fact->leaf ? fact->leaf : "");
		if (path && fs_exists(path))
			json_object_set_new(object, entry->d_name, read_text(path));
	}
	return object;
}

/* Value of the first "name : value" line of a file of proc. */
static json_t *proc_value(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) != 0 || !strchr("\t :", line[len]))
			continue;
		line += len + strspn(line + len, "\t :");
		return json_stringn(line, strcspn(line, "\n"));
	}
	return json_null();
}

static void add_proc(json_t *facts, const char *path, const char *key, const char *name)
{
	_cleanup_free_ char *text = NULL;

	if (fs_read(path, PROC_LIMIT, &text, NULL, NULL) < 0)
		json_object_set_new(facts, name, json_null());
	else
		json_object_set_new(facts, name, proc_value(text, key));
}

static void add_uname(json_t *facts)
{
	struct utsname u;

	if (uname(&u) < 0)
		return;
	json_object_set_new(facts, "release", json_string(u.release));
	json_object_set_new(facts, "build", json_string(u.version));
	json_object_set_new(facts, "machine", json_string(u.machine));
	json_object_set_new(facts, "hostname", json_string(u.nodename));
}

static bool is_flag_of(const char *flags, const char *flag)
{
	size_t len = strlen(flag);

	for (const char *p = strstr(flags, flag); p; p = strstr(p + 1, flag))
		if ((p == flags || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
			return true;
	return false;
}

/* Of all CPU flags those that say what the TSC can do, and whether KVM can run. */
static void add_cpu_flags(json_t *facts)
{
	static const char *const interesting[] = { "tsc",	   "constant_tsc",
						   "nonstop_tsc",  "tsc_known_freq",
						   "tsc_reliable", "tsc_deadline_timer",
						   "rdtscp",	   "tsc_adjust",
						   "tsc_scale",	   "svm",
						   "vmx",	   "hypervisor" };
	json_t *flags = json_array();

	add_proc(facts, "/proc/cpuinfo", "flags", "cpu_flags");
	for (size_t i = 0; i < ARRAY_SIZE(interesting); i++)
		if (is_flag_of(json_get_string(facts, "cpu_flags"), interesting[i]))
			json_array_append_new(flags, json_string(interesting[i]));
	json_object_set_new(facts, "cpu_flags", flags);
}

/* The stamp of the log's last line. What comes later is of the run for which these facts are taken. */
static void add_log_time(json_t *facts)
{
	char text[LOG_TAIL_BYTES + 1];
	int n = klogctl(KLOG_READ_ALL, text, LOG_TAIL_BYTES); /* as much of its end as there is room for */
	uint64_t last_ns = UINT64_MAX;
	char *rest = text;

	text[n > 0 ? n : 0] = '\0';
	for (char *line; (line = strsep(&rest, "\n"));)
		last_ns = *line ? printk_stamp_ns(line) : last_ns;
	if (last_ns != UINT64_MAX)
		json_object_set_new(facts, "log_ns", json_integer((json_int_t)last_ns));
}

json_t *facts_collect(void)
{
	json_t *facts = json_object();

	if (!facts)
		return NULL;
	add_uname(facts);
	add_log_time(facts);
	add_proc(facts, "/proc/cpuinfo", "model name", "model_name");
	add_proc(facts, "/proc/cpuinfo", "microcode", "microcode");
	add_proc(facts, "/proc/meminfo", "MemTotal", "mem_total");
	add_proc(facts, "/proc/meminfo", "Hugepagesize", "hugepage_size");
	add_proc(facts, "/proc/meminfo", "HugePages_Total", "hugepages");
	add_cpu_flags(facts);
	for (size_t i = 0; i < ARRAY_SIZE(file_facts); i++)
		json_object_set_new(facts, file_facts[i].name, read_text(file_facts[i].path));
	for (size_t i = 0; i < ARRAY_SIZE(dir_facts); i++)
		json_object_set_new(facts, dir_facts[i].name, read_dir(&dir_facts[i]));
	return facts;
}
