/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A kernel that looks for its own mistakes while it runs: right for correctness, wrong for how long anything takes. */
#ifndef VCPULAT_DEBUG_KERNEL_H
#define VCPULAT_DEBUG_KERNEL_H

#include <jansson.h>

/**
 * debug_kernel_check - does a layer's kernel check itself?
 * @kallsyms: its functions, as the bundle keeps them
 * @layer: "host" or "guest"
 * @findings: a list that {"layer", "text"} is appended to
 *
 * Told by functions that only such a kernel has: lock_acquire() (CONFIG_LOCKDEP), kasan_report(),
 * kcsan_setup_watchpoint(), kmemleak_scan().
 */
void debug_kernel_check(const char *kallsyms, const char *layer, json_t *findings);

#endif
