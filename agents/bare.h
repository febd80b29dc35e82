/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor of the bare guest: a VM with one vCPU and no device, made through the KVM API
 * by the probe's own process, which is its vCPU thread. In it runs the payload of
 * guest/bare/, on the ring that the agent reads. The guest's TSC is the host's.
 *
 * The guest has its page tables and code, the ring, and the memory that it is to touch;
 * nothing else of this process. What it writes into the ring is a guest's word.
 */
#ifndef VCPULAT_BARE_H
#define VCPULAT_BARE_H

#include <stdint.h>

struct probe_shared;

/**
 * bare_prepare - make the guest; nothing of it runs yet
 * @s: ring and action are prepared; s->bare is set
 *
 * To be called where noise does no harm. What it makes lives as long as the process.
 * Return: 0, -ENOTSUP for an action that wants a kernel around it, or another -errno.
 */
int bare_prepare(struct probe_shared *s);

/**
 * bare_calibrate - turns of the guest's loop, into the ring, as probe_ring_calibrate()
 * @s: prepared
 * @turns: how many
 *
 * Return: 0, -EIO when the guest left otherwise than by returning, or another -errno.
 */
int bare_calibrate(struct probe_shared *s, uint64_t turns);

/**
 * bare_spin - loop of kind spin in the guest, until told to stop
 * @s: prepared
 *
 * Return: as bare_calibrate().
 */
int bare_spin(struct probe_shared *s);

#endif
