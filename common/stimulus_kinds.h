/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of primers and stimuli, each once: the agent's registry, the words a scenario
 * may use and their help come from this list. A new kind is one line here and
 * agents/stimulus_<name>.c, which defines stimulus_<name>().
 */
#ifndef VCPULAT_STIMULUS_KINDS_H
#define VCPULAT_STIMULUS_KINDS_H

/* X(symbol, name, what it does and its parameters) */
#define STIMULUS_KINDS(X)                                                                       \
	X(MLOCK, mlock, "dirties the CPU's memory counters")                                    \
	X(STAT_REFRESH, stat_refresh, "makes the kernel fold them on every CPU")                \
	X(CALIBRATE, calibrate, "executes insns=N instructions, payload=plain, fault or rep")   \
	X(SPIN, spin, "only takes time")

#endif
