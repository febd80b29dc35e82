/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's operations: one JSON request in, DATA frames and one JSON reply out (common/link.h). */
#ifndef VCPULAT_OPS_H
#define VCPULAT_OPS_H

#include "common/err.h"

struct agent;

/**
 * ops_serve - answer requests until the controller quits or is gone
 * @agent: with its link and housekeeping CPUs set; the rest zero
 * @err: why it ended
 *
 * Return: 0 after "quit", -EPIPE when the peer is gone, -EINTR on a stop request, or another -errno.
 */
int ops_serve(struct agent *agent, struct err *err);

/**
 * ops_done - end and undo whatever is still going on
 * @agent: may be served again afterwards
 */
void ops_done(struct agent *agent);

#endif
