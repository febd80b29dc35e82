/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions of a kernel by address, from a copy of /proc/kallsyms. Addresses are the live
 * ones, so KASLR and modules need no care. Names of code that a compiler split off
 * (.isra, .constprop, .part, .cold) are those of their function.
 *
 * The file may come from a guest: any content is survived, nonsense lines are skipped.
 */
#ifndef VCPULAT_KALLSYMS_H
#define VCPULAT_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/err.h"

struct kallsyms;

struct kallsyms_symbol {
	const char *name; /* borrowed; folded */
	uint64_t start;	  /* of this piece of the function */
};

/**
 * kallsyms_load - read a file
 * @path: at most 256 MiB
 * @ret: to be freed with kallsyms_free()
 * @err: names the file; also when its addresses are hidden (kernel.kptr_restrict)
 *
 * Return: 0, -ENODATA when no line gives an address, or another -errno.
 */
int kallsyms_load(const char *path, struct kallsyms **ret, struct err *err);

/**
 * kallsyms_parse - kallsyms_load() of text in memory
 * @text: NUL-terminated heap memory, which belongs to the table from now on; NULL: there is none
 * @ret: to be freed with kallsyms_free(); untouched on failure, @text is freed then
 *
 * Return: 0, -ENODATA when no line gives an address, or -ENOMEM.
 */
int kallsyms_parse(char *text, struct kallsyms **ret);

/**
 * kallsyms_free - free the table
 * @syms: may be NULL
 */
void kallsyms_free(struct kallsyms *syms);

/**
 * kallsyms_find - the function that contains an address
 * @syms: NULL: nothing is found
 * @address: any
 * @ret: set when found
 *
 * A symbol reaches to the next one of any kind, at most 1 MiB.
 */
bool kallsyms_find(const struct kallsyms *syms, uint64_t address, struct kallsyms_symbol *ret);

/**
 * kallsyms_fold - cut a compiler's suffix off a name, in place
 * @name: e.g. "vmstat_update.isra.0"
 */
void kallsyms_fold(char *name);

DEFINE_CLEANUP(struct kallsyms *, kallsyms_free)
#define _cleanup_kallsyms_ _cleanup_(kallsyms_freep)

#endif
