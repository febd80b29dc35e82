/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers to draw orders and phases by: the same seed gives the same ones everywhere. Not for secrets. */
#ifndef VCPULAT_RANDOM_H
#define VCPULAT_RANDOM_H

#include <stdint.h>
#include <sys/random.h>
#include <time.h>

/**
 * random_next - draw a number by splitmix64 (Steele, Lea, Flood 2014)
 * @state: any value is a good start, and is the seed; moves on
 *
 * Return: any 64 bits.
 */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

/**
 * random_seed - a seed for a user who gave none
 *
 * Return: 32 bits, which are easier to type again; the time where the kernel has no random ones.
 */
static inline uint64_t random_seed(void)
{
	uint32_t seed;

	return getrandom(&seed, sizeof(seed), 0) == (ssize_t)sizeof(seed) ? seed : (uint32_t)time(NULL);
}

#endif
