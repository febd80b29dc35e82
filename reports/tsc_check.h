/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the clock that everything is measured by deserves it: what the facts of a run say about the TSC. */
#ifndef VCPULAT_TSC_CHECK_H
#define VCPULAT_TSC_CHECK_H

#include <jansson.h>

/**
 * tsc_check - what is wrong with the TSC of a layer
 * @facts: of the run, as the agent recorded them; NULL: not recorded, so nothing is said
 * @layer: "host" or "guest"
 * @findings: a list that {"layer", "text"} is appended to
 *
 * The host's TSC must be constant, run on in sleep states and be the kernel's clock source, which it is only while
 * the kernel sees all CPUs' TSCs agree. The guest's must be invariant; its clock source may be KVM's.
 */
void tsc_check(const json_t *facts, const char *layer, json_t *findings);

#endif
