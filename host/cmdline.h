/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command as a user could type it again. */
#ifndef VCPULAT_CMDLINE_H
#define VCPULAT_CMDLINE_H

#include <stdio.h>

/**
 * cmdline_quote - print a word as a shell reads it, whatever is in it
 * @out: where to
 * @word: may be empty
 */
void cmdline_quote(FILE *out, const char *word);

/**
 * cmdline_join - a command of ours as one line
 * @argc: its words
 * @argv: the first is the command's name
 *
 * Return: "vcpulat" and the words, quoted for a shell where need be, which the caller frees; NULL with ENOMEM.
 */
char *cmdline_join(int argc, char *const argv[]);

#endif
