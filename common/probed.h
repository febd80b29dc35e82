/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events that the agent makes itself: one that is named like a function of the kernel tells when that one begins. */
#ifndef VCPULAT_PROBED_H
#define VCPULAT_PROBED_H

#define PROBED_SYSTEM "vcpulat"

#endif
