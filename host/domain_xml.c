// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/domain.h"

static void put_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '\'':
			fputs("&apos;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

static void put_pins(FILE *out, const struct domain_params *p)
{
	for (unsigned int i = 0; i < p->vcpus; i++) {
		fprintf(out, "    <vcpupin vcpu='%u' cpuset='", i);
		if (i == DOMAIN_MEASURED_VCPU)
			fprintf(out, "%d", p->measured_cpu);
		else
			put_escaped(out, p->housekeeping);
		fputs(i + 1 < p->vcpus ? "'/>\n" : "'/>", out);
	}
}

/* On the root bus: what is behind a bridge may be out of the reach of an emulated host's guest
 * (guest/cmdline-emulated). */
static void put_shmem(FILE *out, const struct domain_params *p)
{
	if (!p->memory.shared_bytes || p->memory.mergeable)
		return;
	fputs("    <shmem name='", out);
	put_escaped(out, p->name);
	fprintf(out, "'><model type='ivshmem-plain'/><size unit='M'>%llu</size>\n",
		(unsigned long long)p->memory.shared_bytes >> 20);
	fputs("      <address type='pci' domain='0' bus='0' slot='0x10' function='0'/></shmem>", out);
}

/* The same device, but with memory of the VMM's own: libvirt knows this one only as shared. */
static void put_mergeable(FILE *out, const struct domain_params *p)
{
	if (!p->memory.mergeable)
		return;
	fprintf(out,
		"  <memoryBacking><nosharepages/></memoryBacking>\n  <qemu:commandline>\n"
		"    <qemu:arg value='-object'/>"
		"<qemu:arg value='memory-backend-ram,id=mergeable,merge=on,size=%lluM'/>\n"
		"    <qemu:arg value='-device'/>"
		"<qemu:arg value='ivshmem-plain,memdev=mergeable,bus=pcie.0,addr=0x10'/>\n  </qemu:commandline>",
		(unsigned long long)p->memory.shared_bytes >> 20);
}

/*
 * A virtio-mem device, of which nothing is plugged in at first. libvirt wants a NUMA node for it to belong to; QEMU
 * wants to be told beforehand how much memory there may be.
 */
static void put_pluggable(FILE *out, const struct domain_params *p)
{
	unsigned long long bytes = p->memory.pluggable_bytes;

	if (!bytes)
		return;
	fprintf(out,
		"    <memory model='virtio-mem'><target><size unit='MiB'>%llu</size><node>0</node>"
		"<block unit='MiB'>2</block><requested unit='MiB'>0</requested></target>\n"
		"      <address type='pci' domain='0' bus='0' slot='0x11' function='0'/></memory>",
		bytes >> 20);
}

static void put_max_memory(FILE *out, const struct domain_params *p)
{
	if (p->memory.pluggable_bytes)
		fprintf(out, "  <maxMemory slots='1' unit='KiB'>%llu</maxMemory>",
			(unsigned long long)(p->memory.bytes + p->memory.pluggable_bytes) / 1024);
}

static void put_numa(FILE *out, const struct domain_params *p)
{
	if (p->memory.pluggable_bytes)
		fprintf(out, "<numa><cell id='0' cpus='0-%u' memory='%llu' unit='KiB'/></numa>", p->vcpus - 1,
			(unsigned long long)p->memory.bytes / 1024);
}

static void put_memory(FILE *out, const struct domain_params *p)
{
	fprintf(out, "%llu", (unsigned long long)p->memory.bytes / 1024);
}

static void put_vcpus(FILE *out, const struct domain_params *p)
{
	fprintf(out, "%u", p->vcpus);
}

static void put_policy(FILE *out, const struct domain_params *p)
{
	if (p->fifo)
		fputs("    <vcpusched vcpus='1' scheduler='fifo' priority='1'/>", out);
}

static int put_value(FILE *out, const char *name, size_t len, const struct domain_params *p)
{
	const struct {
		const char *name;
		const char *value;
		void (*put)(FILE *out, const struct domain_params *p);
	} values[] = {
		{ "NAME", p->name, NULL },
		{ "HOUSEKEEPING", p->housekeeping, NULL },
		{ "KERNEL", p->kernel, NULL },
		{ "INITRAMFS", p->initramfs, NULL },
		{ "CMDLINE", p->cmdline, NULL },
		{ "SERIAL", p->serial_path, NULL },
		{ "MEMORY_KIB", NULL, put_memory },
		{ "MAXMEMORY", NULL, put_max_memory },
		{ "NUMA", NULL, put_numa },
		{ "VCPUS", NULL, put_vcpus },
		{ "VCPUPINS", NULL, put_pins },
		{ "VCPUSCHED", NULL, put_policy },
		{ "SHMEM", NULL, put_shmem },
		{ "MERGEABLE", NULL, put_mergeable },
		{ "PLUGGABLE", NULL, put_pluggable },
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		if (strlen(values[i].name) != len || memcmp(values[i].name, name, len) != 0)
			continue;
		if (values[i].put)
			values[i].put(out, p);
		else
			put_escaped(out, values[i].value);
		return 0;
	}
	return -EINVAL;
}

/* Length of NAME when @p points to "@NAME@", else 0. */
static size_t placeholder(const char *p)
{
	size_t len = *p == '@' ? strspn(p + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") : 0;

	return len && p[len + 1] == '@' ? len : 0;
}

/* Comments are copied as they stand, also where they speak of placeholders. */
static size_t comment(const char *p)
{
	const char *end = strncmp(p, "<!--", 4) == 0 ? strstr(p, "-->") : NULL;

	return end ? (size_t)(end + 3 - p) : 0;
}

int domain_xml(const char *template, const struct domain_params *params, char **ret, struct err *err)
{
	_cleanup_free_ char *xml = NULL;
	size_t bytes;
	FILE *out = open_memstream(&xml, &bytes);
	int res = 0;

	if (!out)
		return -ENOMEM;
	for (const char *p = template; *p && res == 0;) {
		size_t skip = comment(p);
		size_t len = placeholder(p);

		if (skip) {
			p += skip;
		} else if (len) {
			res = put_value(out, p + 1, len, params);
			if (res < 0)
				err_set(err, res, "domain template: '%.*s' is not known", (int)len + 2, p);
			p += len + 2;
		} else {
			fputc(*p++, out);
		}
	}
	if (fclose(out) != 0 && res == 0)
		res = -ENOMEM;
	if (res == 0)
		*ret = TAKE_PTR(xml);
	return res;
}
