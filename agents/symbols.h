/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions of the running kernel, as /proc/kallsyms lists them. */
#ifndef VCPULAT_SYMBOLS_H
#define VCPULAT_SYMBOLS_H

#include <stddef.h>

#include "common/err.h"

/*
 * The kernel writes its symbols one by one, which takes seconds in a guest of an emulated
 * host: they are read again only when the list of modules has changed.
 */
struct symbols {
	char *modules; /* /proc/modules when text was read; "" without modules */
	char *text;    /* lines of functions only, terminated; NULL: not read yet */
	size_t bytes;
};

/**
 * symbols_read - make @s say what the kernel says now
 * @s: zeroed before the first call; ended by symbols_done()
 * @err: the file that cannot be read
 *
 * Return: 0 or -errno.
 */
int symbols_read(struct symbols *s, struct err *err);

/** symbols_done - free what was read; @s is zeroed */
void symbols_done(struct symbols *s);

#endif
