/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bare guest's payload: what its only vCPU executes, in long mode, all memory mapped one to
 * one, interrupts off, and no operating system. Everything that interrupts it is the host's or
 * the hardware's.
 *
 * Its code is a section of the agent which depends on nothing outside: agents/bare.c copies it
 * into the guest and calls the functions there, with payload_return as where they return to. In
 * the agent itself nobody calls them.
 */
#ifndef VCPULAT_BARE_PAYLOAD_H
#define VCPULAT_BARE_PAYLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/probe_ring.h"

#define PAYLOAD_PORT 0x10 /* written to on the way out */

/* The section. */
extern const unsigned char __start_bare_payload[];
extern const unsigned char __stop_bare_payload[];

/* Leaves the guest. */
extern const unsigned char payload_return[];

/**
 * payload_calibrate - make the ring's pages present, and turns of a loop like the one to come
 * @ring: in guest memory
 * @turns: as probe_ring_calibrate()
 */
void payload_calibrate(struct probe_ring *ring, uint64_t turns);

/**
 * payload_spin - the loop of kind spin
 * @ring: in guest memory
 * @at: memory whose next page is written to when told to act, again and again from the beginning
 * @pages: of that memory; 0: there is none
 * @page_bytes: length of each
 * @numbered: they are read, once each, and must then begin with their number; the first one is only for shams, and
 *            read at once
 *
 * A touch that takes long is a gap.
 */
void payload_spin(struct probe_ring *ring, uint64_t at, uint64_t pages, uint64_t page_bytes, bool numbered);

#endif
