/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the guest's TSC relates to the host's: offset and scaling of each vCPU as KVM shows
 * them in debugfs, checked by causal pairs (host stamp, guest stamp, host stamp).
 *
 * Nothing here converts a record: that is done once, in reports/, with common/tsc.h.
 */
#ifndef VCPULAT_CLOCK_H
#define VCPULAT_CLOCK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/tsc.h"

#define CLOCK_MAX_VCPUS 64
#define CLOCK_KVM_ROOT "/sys/kernel/debug/kvm"

/* All vCPUs of one VM at one moment. */
struct clock_reading {
	uint64_t tsc; /* of the host, when it was read */
	size_t count;
	struct {
		unsigned int vcpu;
		pid_t tid; /* of its thread; 0 where this kernel does not show it */
		struct tsc_map map;
	} vcpu[CLOCK_MAX_VCPUS]; /* by ascending vcpu */
};

/* The guest took its stamp between the two of the host. */
struct clock_pair {
	uint64_t host0;
	uint64_t guest;
	uint64_t host1;
};

/**
 * clock_read - read offset and scaling of all vCPUs
 * @root: CLOCK_KVM_ROOT
 * @vmm: pid of the VMM, which created the VM
 * @ret: filled
 * @err: says what is missing
 *
 * A kernel without scaling files does not scale: ratio 0.
 * Return: 0, -ENOENT when KVM shows no VM of @vmm, or another -errno.
 */
int clock_read(const char *root, pid_t vmm, struct clock_reading *ret, struct err *err);

/**
 * clock_vcpu_tid - the thread of a vCPU
 * @reading: of its VM
 * @vcpu: number
 *
 * Return: 0 when the reading does not say.
 */
pid_t clock_vcpu_tid(const struct clock_reading *reading, unsigned int vcpu);

/**
 * clock_same - did no vCPU's clock change between two readings?
 * @a: one
 * @b: other
 */
bool clock_same(const struct clock_reading *a, const struct clock_reading *b);

/**
 * clock_error_cycles - bound of the error of a map, from causal pairs
 * @pairs: pairs
 * @count: number of pairs
 *
 * Return: half of the shortest round trip, in host cycles; UINT64_MAX without pairs.
 */
uint64_t clock_error_cycles(const struct clock_pair *pairs, size_t count);

/**
 * clock_contradicts - number of pairs that a map places outside their host stamps
 * @map: of the vCPU that took the guest's stamps
 * @pairs: pairs
 * @count: number of pairs
 */
size_t clock_contradicts(const struct tsc_map *map, const struct clock_pair *pairs, size_t count);

/**
 * clock_fits_traces - can the clock be told in trace files, which know no scaling and want every vCPU's thread?
 * @reading: of a guest
 */
bool clock_fits_traces(const struct clock_reading *reading);

/**
 * clock_json - what clock.json holds
 * @readings: the first before the windows, the last after them, the others between them
 * @n: number of readings; 0 of a run without guest
 * @pairs: all pairs
 * @count: number of pairs
 *
 * Return: new reference, NULL when out of memory.
 */
json_t *clock_json(const struct clock_reading *readings, size_t n, const struct clock_pair *pairs, size_t count);

#endif
