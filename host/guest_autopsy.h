/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest was doing that stopped answering, for whoever has to find out why: its vCPUs' registers and APICs, and
 * where the host's kernel has the threads of its VMM, twice, a second apart: what moves is alive; and its VMM's log.
 */
#ifndef VCPULAT_GUEST_AUTOPSY_H
#define VCPULAT_GUEST_AUTOPSY_H

#include "host/guest.h"

/**
 * guest_autopsy - write down what a guest does
 * @guest: still there, or not any more
 * @path: of the new text file
 * @err: says what failed
 *
 * To read its registers QEMU takes each vCPU out of the guest, which may wake it. What cannot be read is left out.
 * Return: 0 or -errno when the file cannot be written.
 */
int guest_autopsy(const struct guest *guest, const char *path, struct err *err);

#endif
