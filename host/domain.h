/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A transient libvirt domain: started from guest/domain.xml.in, destroyed when the handle
 * goes, and by libvirt itself when our connection does. vCPU 1 has the measured CPU to
 * itself; the other vCPUs, the emulator and its I/O run on housekeeping CPUs. Memory that
 * host and guest share is a file in /dev/shm of the domain's name.
 */
#ifndef VCPULAT_DOMAIN_H
#define VCPULAT_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "host/clock.h"

#define DOMAIN_PREFIX "vcpulat-"
#define DOMAIN_MEASURED_VCPU 1

struct domain_memory {
	uint64_t bytes;
	uint64_t shared_bytes;	  /* that the guest has as a PCI device; 0: none */
	bool mergeable;		  /* it is not shared, but the only memory of the guest's that the host may merge */
	uint64_t pluggable_bytes; /* of a virtio-mem device, none of it plugged in; 0: no such device */
};

struct domain_params {
	const char *name;	   /* begins with DOMAIN_PREFIX */
	const char *template_path; /* guest/domain.xml.in */
	struct domain_memory memory;
	unsigned int vcpus;
	int measured_cpu;	  /* host CPU of vCPU 1 */
	const char *housekeeping; /* host CPU list of everything else */
	bool fifo;		  /* vCPU threads SCHED_FIFO instead of SCHED_OTHER */
	const char *kernel;	  /* readable by QEMU */
	const char *initramfs;
	const char *cmdline;
	const char *serial_path; /* the console's log */
};

struct domain;

/**
 * domain_xml - fill the template in
 * @template: text of guest/domain.xml.in
 * @params: values; escaped for XML
 * @ret: set to the XML, a string the caller frees
 * @err: names a placeholder that is not known
 *
 * Pure. Return: 0, -EINVAL, or -ENOMEM.
 */
int domain_xml(const char *template, const struct domain_params *params, char **ret, struct err *err);

/**
 * domain_start - create and start a transient domain
 * @params: what it is
 * @ret: handle
 * @err: libvirt's own words
 *
 * Return: 0, -ENOTSUP when libvirt does not answer, or -EIO.
 */
int domain_start(const struct domain_params *params, struct domain **ret, struct err *err);

/**
 * domain_check - does libvirt answer on this host?
 * @err: libvirt's own words
 *
 * Return: 0 or -ENOTSUP.
 */
int domain_check(struct err *err);

/**
 * domain_is_running - is the guest still there?
 * @domain: handle
 */
bool domain_is_running(struct domain *domain);

/**
 * domain_vmm_pid - process id of the VMM
 * @domain: handle
 * @err: says what failed
 *
 * Return: the pid, or -errno.
 */
pid_t domain_vmm_pid(struct domain *domain, struct err *err);

/**
 * domain_verify_pinning - read back where the live threads may run
 * @vmm: as domain_vmm_pid()
 * @params: as the domain was started
 * @reading: its vCPU threads
 * @err: names the thread, where it may run and where it should
 *
 * Return: 0, -EXDEV for a thread that is not where it should be, or another -errno.
 */
int domain_verify_pinning(pid_t vmm, const struct domain_params *params, const struct clock_reading *reading,
			  struct err *err);

/**
 * domain_monitor - have QEMU's monitor answer a command
 * @domain: handle
 * @command: of the human monitor
 * @ret: the answer, for the caller to free
 * @err: libvirt's own words
 *
 * Return: 0 or -EIO.
 */
int domain_monitor(const struct domain *domain, const char *command, char **ret, struct err *err);

/**
 * domain_punch - take the memory of the PCI device away from under the guest
 * @domain: handle; without such a device nothing is done
 * @err: says what failed
 *
 * The guest finds zeroes there, and each page that it touches is a nested page fault.
 * Return: 0 or -errno.
 */
int domain_punch(const struct domain *domain, struct err *err);

/**
 * domain_stop - destroy the domain
 * @domain: NULL is fine
 */
void domain_stop(struct domain *domain);

/**
 * domain_destroy_leftovers - destroy all domains whose name begins with DOMAIN_PREFIX
 * @ret_count: how many there were
 * @err: libvirt's own words
 *
 * Return: 0, -ENOTSUP when libvirt does not answer, or -EIO.
 */
int domain_destroy_leftovers(unsigned int *ret_count, struct err *err);

DEFINE_CLEANUP(struct domain *, domain_stop)
#define _cleanup_domain_ _cleanup_(domain_stopp)

#endif
