/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The QEMU command line of an emulated host under test. Pure: starts nothing, looks at
 * no file. The emulator is TCG with nested SVM, so that real KVM runs inside on any
 * machine; no option here needs privileges.
 */
#ifndef VCPULAT_LAB_BOOT_H
#define VCPULAT_LAB_BOOT_H

#include <stddef.h>
#include <stdint.h>

#define LAB_QEMU "qemu-system-x86_64"

struct lab_boot {
	const char *kernel;    /* bzImage */
	const char *initramfs; /* built by images/initramfs/build.sh lab */
	const char *stage;     /* the one writable share */
	unsigned int cpus;     /* more than are isolated */
	unsigned int isolated; /* CPUs, from CPU 1 on */
	uint64_t memory_bytes;
	uint64_t node1_bytes;	/* of it: of a second node, with the upper half of the CPUs; 0: there is one node */
	const char *meter;	/* QEMU plugin that writes meter.bin into the stage; NULL: none */
	const char *append;	/* more kernel command line; NULL or "": none */
	char *const *qemu_args; /* more arguments; NULL: none */
	size_t qemu_args_count;
	int monitor_fd;	 /* connected sockets that QEMU inherits: QMP, */
	int console_fd;	 /* serial console, */
	int progress_fd; /* hvc0, */
	int terminal_fd; /* hvc1, */
	int bus_fd;	 /* writes to the machine's memory bus, see machine.c */
};

/**
 * lab_boot_cmdline - the kernel command line of the emulated host
 * @boot: reads isolated and append
 *
 * Return: a string the caller frees, or NULL when there is no memory.
 */
char *lab_boot_cmdline(const struct lab_boot *boot);

/**
 * lab_boot_cpus - as many CPUs as needed, in a number that boots
 * @needed: at least so many
 * @node1_bytes: 0: there is one memory node only, and any number boots
 *
 * Of two nodes with three CPUs each those of the second never got an interrupt. Return: CPUs.
 */
uint64_t lab_boot_cpus(uint64_t needed, uint64_t node1_bytes);

/**
 * lab_boot_argv - the whole command
 * @boot: everything QEMU is told
 *
 * Return: a NULL-terminated vector for process_start(), freed by lab_boot_argv_free();
 * NULL when there is no memory.
 */
char **lab_boot_argv(const struct lab_boot *boot);

/**
 * lab_boot_argv_free - free what lab_boot_argv() returned
 * @argv: may be NULL
 */
void lab_boot_argv_free(char **argv);

#endif
