/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which emulated host is booted when: every repeat boots every arm once, in an order drawn
 * anew each time, so that what drifts on the machine falls on all arms alike.
 */
#ifndef VCPULAT_LAB_PLAN_H
#define VCPULAT_LAB_PLAN_H

#include <stddef.h>
#include <stdint.h>

struct lab_turn {
	size_t arm;	     /* index */
	unsigned int repeat; /* from 1 */
};

/**
 * lab_plan - the order of boots
 * @arms: number of arms
 * @repeats: boots of each
 * @seed: the same seed gives the same order
 *
 * Return: @arms * @repeats turns the caller frees, or NULL when there is no memory.
 */
struct lab_turn *lab_plan(size_t arms, unsigned int repeats, uint64_t seed);

#endif
