// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lab/boot.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fs.h"

#define ISOLATION "isolcpus=nohz,domain,managed_irq,%s nohz_full=%s rcu_nocbs=%s nowatchdog"
/*
 * The emulated timers are sound, but late when the machine is busy: no self-tests that conclude otherwise.
 * The TSC's rate, first measured late, is refined after KVM took it down. Without TSC scaling a difference above
 * the tolerance leaves guests with a ratio of 0 and timers that never expire (kernel arch/x86/kvm/x86.c,
 * set_tsc_khz()).
 */
#define EMULATION "tsc=reliable no_timer_check random.trust_cpu=1 panic=-1 kvm.tsc_tolerance_ppm=100000"

char *lab_boot_cmdline(const struct lab_boot *boot)
{
	bool more = boot->append && *boot->append;
	char cpus[16] = "1";

	if (boot->isolated > 1)
		snprintf(cpus, sizeof(cpus), "1-%u", boot->isolated);
	return str_printf("console=ttyS0 quiet " ISOLATION " " EMULATION "%s%s", cpus, cpus, cpus, more ? " " : "",
			  more ? boot->append : "");
}

#define MOST_OWN 96 /* arguments that are always there, with some to spare */

struct vector {
	char **item; /* room for MOST_OWN, the user's, and the NULL at the end */
	size_t count;
	bool failed;
};

/* Takes @text; NULL marks the vector failed. */
static void push(struct vector *v, char *text)
{
	v->failed |= !text;
	if (text)
		v->item[v->count++] = text;
}

static void add(struct vector *v, const char *option, char *value)
{
	push(v, strdup(option));
	push(v, value);
}

/* In a QEMU option a comma in a value is written twice. */
static char *escape(const char *text)
{
	char *escaped = malloc(2 * strlen(text) + 1);
	char *to = escaped;

	if (!escaped)
		return NULL;
	for (; *text; text++) {
		*to++ = *text;
		if (*text == ',')
			*to++ = ',';
	}
	*to = '\0';
	return escaped;
}

static void add_socket(struct vector *v, const char *id, int fd)
{
	add(v, "-chardev", str_printf("socket,id=%s,fd=%d,server=off", id, fd));
}

static void add_consoles(struct vector *v, const struct lab_boot *boot)
{
	add_socket(v, "monitor", boot->monitor_fd);
	add_socket(v, "console", boot->console_fd);
	add_socket(v, "progress", boot->progress_fd);
	add_socket(v, "terminal", boot->terminal_fd);
	add_socket(v, "bus", boot->bus_fd);
	add(v, "-object", strdup("qtest,id=qtest,chardev=bus,log=/dev/null"));
	add(v, "-mon", strdup("chardev=monitor,mode=control"));
	add(v, "-serial", strdup("chardev:console"));
	add(v, "-device", strdup("virtio-serial-pci,max_ports=2"));
	add(v, "-device", strdup("virtconsole,chardev=progress"));
	add(v, "-device", strdup("virtconsole,chardev=terminal"));
}

static void add_shares(struct vector *v, const struct lab_boot *boot)
{
	_cleanup_free_ char *stage = escape(boot->stage);

	add(v, "-virtfs", strdup("local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap"));
	add(v, "-virtfs",
	    stage ? str_printf("local,path=%s,mount_tag=out,security_model=none,multidevs=remap", stage) : NULL);
}

static void add_node(struct vector *v, unsigned int node, uint64_t bytes, unsigned int from, unsigned int to)
{
	add(v, "-object", str_printf("memory-backend-ram,id=node%u,size=%" PRIu64 "M", node, bytes >> 20));
	add(v, "-numa", str_printf("node,nodeid=%u,memdev=node%u,cpus=%u-%u", node, node, from, to));
}

static void add_nodes(struct vector *v, const struct lab_boot *boot)
{
	if (!boot->node1_bytes)
		return;
	add_node(v, 0, boot->memory_bytes - boot->node1_bytes, 0, boot->cpus / 2 - 1);
	add_node(v, 1, boot->node1_bytes, boot->cpus / 2, boot->cpus - 1);
}

uint64_t lab_boot_cpus(uint64_t needed, uint64_t node1_bytes)
{
	while (node1_bytes && needed & (needed - 1))
		needed++;
	return needed;
}

static void add_meter(struct vector *v, const struct lab_boot *boot)
{
	_cleanup_free_ char *plugin = boot->meter ? escape(boot->meter) : NULL;
	_cleanup_free_ char *stage = escape(boot->stage);

	if (boot->meter)
		add(v, "-plugin", plugin && stage ? str_printf("%s,out=%s/meter.bin", plugin, stage) : NULL);
}

char **lab_boot_argv(const struct lab_boot *boot)
{
	struct vector v = { .item = calloc(MOST_OWN + boot->qemu_args_count + 1, sizeof(*v.item)) };

	if (!v.item)
		return NULL;
	push(&v, strdup(LAB_QEMU));
	push(&v, strdup("-nodefaults"));
	push(&v, strdup("-no-user-config"));
	push(&v, strdup("-no-reboot"));
	add(&v, "-display", strdup("none"));
	add(&v, "-nic", strdup("none"));
	add(&v, "-machine", strdup("q35"));
	add(&v, "-accel", strdup("tcg,thread=multi"));
	add(&v, "-cpu", strdup("max,-la57"));
	add(&v, "-smp", str_printf("%u%s", boot->cpus, boot->node1_bytes ? ",sockets=2" : ""));
	add(&v, "-m", str_printf("%" PRIu64, boot->memory_bytes >> 20));
	add(&v, "-kernel", strdup(boot->kernel));
	add(&v, "-initrd", strdup(boot->initramfs));
	add(&v, "-append", lab_boot_cmdline(boot));
	add_nodes(&v, boot);
	add_consoles(&v, boot);
	add_shares(&v, boot);
	add_meter(&v, boot);
	for (size_t i = 0; i < boot->qemu_args_count; i++)
		push(&v, strdup(boot->qemu_args[i]));
	if (v.failed) {
		lab_boot_argv_free(v.item);
		return NULL;
	}
	return v.item;
}

void lab_boot_argv_free(char **argv)
{
	for (size_t i = 0; argv && argv[i]; i++)
		free(argv[i]);
	free(argv);
}
