/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A running guest with its agent: domain, link and clock, checked. */
#ifndef VCPULAT_GUEST_H
#define VCPULAT_GUEST_H

#include "host/agent.h"
#include "host/domain.h"
#include "host/progress.h"

#define GUEST_NAME DOMAIN_PREFIX "guest" /* of the domain */

#define GUEST_MEASURED_CPU DOMAIN_MEASURED_VCPU
#define GUEST_BARE_CPU 0 /* the only one of a bare guest */

struct guest_params {
	const char *state_dir; /* of this run; copies of kernel and initramfs, and the console's log lie here */
	const char *kernel;    /* image */
	const char *initramfs;
	const char *cmdline; /* besides console, port and token */
	struct domain_memory memory;
	unsigned int vcpus;
	int measured_cpu;	  /* host CPU of the measured vCPU */
	const char *housekeeping; /* host CPU list of everything else */
	bool fifo;		  /* policy of the vCPU threads */
	bool emulated;		  /* TCG may lose an interrupt of an idle CPU: see guest_nudge() */
	struct agent *host_agent; /* for that; outlives the guest */
};

struct guest {
	struct domain *domain;
	struct agent *agent;
	pid_t vmm;
	pid_t vcpu_tid;		    /* thread of the measured vCPU */
	struct clock_reading clock; /* after the start */
	struct domain_memory memory;
	unsigned int vcpus;
	char *serial_path;
	struct agent *nudger; /* the host's agent where nudging is needed, else NULL */
	int nudged_cpu;
	bool nudging;
	json_t *retries; /* array; gets {"what", "reason"} for each rescue */
};

/**
 * guest_start - start a guest and wait for its agent
 * @params: what it is
 * @progress: shown while waiting
 * @retries: array that outlives the guest; gets {"what", "reason"} for each repeated start, and for each
 *           rescue later on: a nudge because the agent did not answer
 * @ret: filled; to be given to guest_stop()
 * @err: says what failed
 *
 * A guest whose agent does not come in time is destroyed and started again, a few times.
 * It is being nudged when this returns.
 * Return: 0, -EINTR on a stop request, -ETIMEDOUT when no start led anywhere, -EXDEV for
 * a thread on a wrong CPU, or another -errno.
 */
int guest_start(const struct guest_params *params, struct progress *progress, json_t *retries, struct guest *ret,
		struct err *err);

/**
 * guest_nudge - keep waking the measured CPU on an emulated host
 * @guest: running
 * @on: begin or end
 *
 * In multi-threaded TCG a world switch may lose an interrupt; on an idle tickless CPU
 * nothing comes after it. A task that is woken there five times a second is a cure. On
 * whenever the measured CPU may idle, off in windows, where the probe keeps it busy. On a
 * host that is not emulated: does nothing.
 */
void guest_nudge(struct guest *guest, bool on);

/**
 * guest_stop - end the guest
 * @guest: may be zeroed
 */
void guest_stop(struct guest *guest);

#define _cleanup_guest_ _cleanup_(guest_stop)

#endif
