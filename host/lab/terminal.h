/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The user's terminal while it belongs to a program inside the emulated host. */
#ifndef VCPULAT_LAB_TERMINAL_H
#define VCPULAT_LAB_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

struct lab_terminal {
	bool input;	      /* hand our stdin to the emulated host */
	bool raw;	      /* the terminal's mode was changed */
	struct termios saved; /* its mode before */
};

/**
 * lab_terminal_open - hand the terminal over: every key, Ctrl-C included, goes inside
 * @t: the terminal; nothing happens when input is false or stdin is no terminal
 */
void lab_terminal_open(struct lab_terminal *t);

/**
 * lab_terminal_close - take the terminal back
 * @t: may be closed or never opened
 */
void lab_terminal_close(struct lab_terminal *t);

/**
 * lab_terminal_size - rows and columns, for stty
 * @rows: 24 when there is no terminal
 * @columns: 80 when there is no terminal
 */
void lab_terminal_size(unsigned int *rows, unsigned int *columns);

/**
 * lab_terminal_relay - copy what is ready from one descriptor to another
 * @from: read once
 * @to: written in full
 *
 * Return: bytes copied, 0 at the end of the input, or -errno.
 */
int lab_terminal_relay(int from, int to);

#endif
