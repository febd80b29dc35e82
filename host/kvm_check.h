/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does KVM work here? Answered by running a vCPU, not by the existence of /dev/kvm: there
 * are machines on which the device opens and no guest gets past real mode.
 */
#ifndef VCPULAT_KVM_CHECK_H
#define VCPULAT_KVM_CHECK_H

#include "common/err.h"

#define LAB_HINT "a host under test can be emulated instead: 'vcpulat lab'"

/**
 * kvm_check - run a vCPU from real mode through protected mode to paging, with a time limit
 * @err: how far it came, and what to do
 *
 * It runs in a child process, so that a KVM that hangs does not take us along.
 * Return: 0, -ENOTSUP when KVM is missing or does not work, or another -errno.
 */
int kvm_check(struct err *err);

/**
 * kvm_check_bare - the same for a guest without a kernel, in which no exception needs to be taken
 * @err: as kvm_check()
 *
 * Return: as kvm_check().
 */
int kvm_check_bare(struct err *err);

#endif
