/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Free pages of a NUMA node that only the counters of some CPUs know of, because nobody folds those: the CPUs are
 * isolated, their own work for it is pending, and they do not tick. The node is filled but for a few pages, so that
 * such pages matter.
 */
#ifndef VCPULAT_DRIFT_H
#define VCPULAT_DRIFT_H

#include <sched.h>

#include "agents/stimuli/node_memory.h"

struct drift;

/**
 * drift_new - fill the node
 * @node: its number; another node is for everything else
 * @cpus: whose counters are to hold pages back
 * @ret: lives as long as the process, as does the memory
 *
 * Moves the node's kswapd and kcompactd to the CPUs of the caller, for as long as it lives: where they run, counters
 * are folded.
 * Takes seconds. Return: 0 or -errno.
 */
int drift_new(int node, const cpu_set_t *cpus, struct drift **ret);

/**
 * drift_renew - free pages on the CPUs until most hold back as many as fit, and for good
 * @drift: as made
 *
 * Takes a few seconds, twelve at most; node_memory_read() tells what came of it.
 * Return: 0, -ENOBUFS after too many times, or another -errno.
 */
int drift_renew(struct drift *drift);

#endif
