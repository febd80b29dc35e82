/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interned strings: each text is kept once and called by a small number. What comes from
 * a guest is made printable here, once, so that nothing later has to ask.
 */
#ifndef VCPULAT_NAMES_H
#define VCPULAT_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"

#define NAMES_MAX_CHARS 512 /* the rest of a longer text is cut; the longest are stacks */
#define NAMES_MAX 65536	    /* further texts are all called "(more)": a guest cannot fill our memory */

struct names;

/** names_new - an empty set; NULL with errno ENOMEM */
struct names *names_new(void);

/** names_free - drop the set and all its texts; NULL is fine */
void names_free(struct names *names);
DEFINE_CLEANUP(struct names *, names_free)

/**
 * names_intern - the number of a text
 * @names: the set
 * @text: need not be terminated; ends at the first NUL
 * @len: bytes at most
 *
 * Bytes that are not printable ASCII become '?'.
 * Return: its number; 0 for the empty text, and when memory is exhausted.
 */
uint32_t names_intern(struct names *names, const char *text, size_t len);

/**
 * names_text - the text of a number
 * @names: the set
 * @id: from names_intern()
 *
 * Return: borrowed; valid until names_free().
 */
const char *names_text(const struct names *names, uint32_t id);

#endif
