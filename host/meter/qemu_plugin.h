/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What we use of QEMU's TCG plugin API, version 1 (QEMU 4.2 to 8.0), declared by hand: Debian
 * ships no qemu-plugin.h. Prototypes as in QEMU 7.2. The symbols are QEMU's own: weak, so that
 * the object also links into programs that only test the rest of it.
 */
#ifndef VCPULAT_QEMU_PLUGIN_H
#define VCPULAT_QEMU_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QEMU_PLUGIN_API 1
#define QEMU_PLUGIN_WEAK __attribute__((weak))
#define QEMU_PLUGIN_PUBLIC __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

struct qemu_info_t {
	const char *target_name;
	struct {
		int min; /* oldest and newest API that this QEMU serves */
		int cur;
	} version;
	bool system_emulation;
	struct {
		int smp_vcpus;
		int max_vcpus;
	} system; /* of system emulation only */
};

enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_CB_R_REGS, QEMU_PLUGIN_CB_RW_REGS };

typedef void (*qemu_plugin_vcpu_udata_cb_t)(unsigned int vcpu_index, void *udata);
typedef void (*qemu_plugin_vcpu_tb_trans_cb_t)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*qemu_plugin_simple_cb_t)(qemu_plugin_id_t id);
typedef void (*qemu_plugin_udata_cb_t)(qemu_plugin_id_t id, void *udata);

/** qemu_plugin_version - the API version this plugin wants: read by QEMU */
QEMU_PLUGIN_PUBLIC extern int qemu_plugin_version;

/** qemu_plugin_install - called by QEMU once, before any CPU runs */
QEMU_PLUGIN_PUBLIC int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv);

/** qemu_plugin_register_vcpu_tb_trans_cb - be told of every block that is translated */
QEMU_PLUGIN_WEAK void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_vcpu_tb_trans_cb_t cb);
/** qemu_plugin_register_vcpu_tb_exec_cb - be told whenever a block begins */
QEMU_PLUGIN_WEAK void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, qemu_plugin_vcpu_udata_cb_t cb,
							   enum qemu_plugin_cb_flags flags, void *udata);
/** qemu_plugin_register_vcpu_insn_exec_cb - be told whenever an instruction is about to execute */
QEMU_PLUGIN_WEAK void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
							     qemu_plugin_vcpu_udata_cb_t cb,
							     enum qemu_plugin_cb_flags flags, void *udata);
/** qemu_plugin_register_atexit_cb - be told when QEMU ends */
QEMU_PLUGIN_WEAK void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, qemu_plugin_udata_cb_t cb, void *udata);
/** qemu_plugin_reset - forget all callbacks and translations, then call @cb while no CPU executes */
QEMU_PLUGIN_WEAK void qemu_plugin_reset(qemu_plugin_id_t id, qemu_plugin_simple_cb_t cb);
/** qemu_plugin_tb_n_insns - instructions of a block */
QEMU_PLUGIN_WEAK size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
/** qemu_plugin_tb_vaddr - address of a block */
QEMU_PLUGIN_WEAK uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
/** qemu_plugin_tb_get_insn - one instruction of a block, valid during translation */
QEMU_PLUGIN_WEAK struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t idx);
/** qemu_plugin_insn_data - bytes of an instruction, valid during translation */
QEMU_PLUGIN_WEAK const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
/** qemu_plugin_insn_size - how many bytes */
QEMU_PLUGIN_WEAK size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

#endif
