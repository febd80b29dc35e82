/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events that the agent makes itself: one that is named like a function of the kernel tells when that one begins, or,
 * of the last of these systems, when it ends.
 */
#ifndef VCPULAT_KPROBES_H
#define VCPULAT_KPROBES_H

#define KPROBE_SYSTEM "vcpulat"
#define KPROBE_CALL "vcpulat_call" /* one whose end is probed, too */
#define KPROBE_RETURN "vcpulat_return"

#endif
