/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one clock. Every stamp of a bundle is a raw TSC count of the layer that took
 * it; it is converted once, when it is shown.
 */
#ifndef VCPULAT_TSC_H
#define VCPULAT_TSC_H

#include <stdint.h>

/**
 * tsc_read - the time stamp counter, after all earlier loads and instructions
 *
 * LFENCE; RDTSC, as the kernel's rdtsc_ordered() (arch/x86/include/asm/msr.h), which
 * also stamps the x86-tsc trace clock.
 * Return: cycles.
 */
static inline uint64_t tsc_read(void)
{
	uint32_t lo;
	uint32_t hi;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return (uint64_t)hi << 32 | lo;
}

/**
 * tsc_to_ns - a distance in cycles as nanoseconds
 * @cycles: TSC cycles
 * @hz: TSC cycles per second, not 0
 *
 * Return: nanoseconds, rounded down.
 */
static inline uint64_t tsc_to_ns(uint64_t cycles, uint64_t hz)
{
	return (uint64_t)((unsigned __int128)cycles * 1000000000U / hz);
}

/**
 * tsc_from_ns - nanoseconds as a distance in cycles
 * @ns: nanoseconds
 * @hz: TSC cycles per second
 *
 * Return: cycles, rounded down.
 */
static inline uint64_t tsc_from_ns(uint64_t ns, uint64_t hz)
{
	return (uint64_t)((unsigned __int128)ns * hz / 1000000000U);
}

/* How KVM derives one vCPU's TSC from the host's (kernel arch/x86/kvm/x86.c, kvm_read_l1_tsc()). */
struct tsc_map {
	int64_t offset;	    /* cycles added after scaling; debugfs tsc-offset */
	uint64_t ratio;	    /* fixed point; 0: not scaled; debugfs tsc-scaling-ratio */
	uint32_t frac_bits; /* of ratio: 48 on Intel, 32 on AMD */
};

/**
 * tsc_guest_to_host - the host's TSC at which a vCPU's TSC had a value
 * @map: the vCPU's offset and ratio
 * @guest: cycles of the guest
 *
 * host = ((guest - offset) << frac) / ratio.
 * Return: cycles of the host.
 */
static inline uint64_t tsc_guest_to_host(const struct tsc_map *map, uint64_t guest)
{
	uint64_t scaled = guest - (uint64_t)map->offset;

	if (!map->ratio || map->ratio == 1ULL << map->frac_bits)
		return scaled;
	return (uint64_t)(((unsigned __int128)scaled << map->frac_bits) / map->ratio);
}

#endif
