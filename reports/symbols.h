/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of kernel functions from the text of /proc/kallsyms. The text is hostile where it
 * comes from a guest: a line that is none is skipped.
 */
#ifndef VCPULAT_SYMBOLS_H
#define VCPULAT_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"

struct symbols;

/**
 * symbols_new - index a table of symbols
 * @text: lines "address type name"; the caller's buffer, which must outlive the index
 * @len: bytes
 *
 * A kernel that hides its addresses writes zeros: the index is then empty.
 * Return: the index, or NULL with errno ENOMEM.
 */
struct symbols *symbols_new(const char *text, size_t len);

/** symbols_free - drop the index; NULL is fine */
void symbols_free(struct symbols *symbols);
DEFINE_CLEANUP(struct symbols *, symbols_free)

/** symbols_count - how many addresses are known */
size_t symbols_count(const struct symbols *symbols);

/**
 * symbols_find - the function at an address
 * @symbols: may be NULL
 * @address: of its first byte, or inside it
 * @ret_len: characters of the name
 *
 * Return: the name inside the text, not terminated; NULL when nothing is known there.
 */
const char *symbols_find(const struct symbols *symbols, uint64_t address, size_t *ret_len);

#endif
