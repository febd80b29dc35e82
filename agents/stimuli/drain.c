// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimulus.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Who moves pages first has all CPUs empty their batches (kernel mm/migrate.c, do_pages_move()), even if there is none
 * to move: then the list of nodes is not read, but there must be one.
 */
static int act(struct stimulus_state *state)
{
	const int nodes[1] = { 0 };

	(void)state;
	return syscall(SYS_move_pages, 0, 0UL, NULL, nodes, NULL, MPOL_MF_MOVE) < 0 ? -errno : 0;
}

const struct stimulus_ops *stimulus_drain(void)
{
	static const struct stimulus_ops ops = { .name = "drain", .role = STIMULUS_STIMULUS, .act = act };

	return &ops;
}
