/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The writer of meter.bin: one thread that takes records from the queues of all CPUs, gives
 * blocks their file ids in the order of first use, and encodes steps. It polls: a CPU's thread
 * must not make a system call to wake it.
 *
 * A file that reached its limit, or a disk that is full, loses steps first and then records;
 * the end record is then missing or says how many.
 */
#ifndef VCPULAT_METER_FILE_H
#define VCPULAT_METER_FILE_H

#include "host/meter/meter.h"

struct meter_file;

/**
 * meter_file_open - create the file and write its header
 * @path: replaced
 * @meter: borrowed until meter_file_close()
 * @limit_bytes: beyond it gaps are written without their steps
 *
 * Return: the file, or NULL with errno.
 */
struct meter_file *meter_file_open(const char *path, struct meter *meter, uint64_t limit_bytes);

/**
 * meter_file_start - start the writer's thread
 * @file: the file; a second call does nothing
 *
 * Return: 0 or -errno.
 */
int meter_file_start(struct meter_file *file);

/**
 * meter_file_drain - write what waits in the queues; for a caller without a thread
 * @file: the file; its thread was not started
 *
 * Return: 0 or the first -errno of writing.
 */
int meter_file_drain(struct meter_file *file);

/**
 * meter_file_close - end the thread, write what is left and the end record
 * @file: may be NULL
 *
 * CPUs may still execute: what they record from now on is lost.
 * Return: 0 or the first -errno of writing.
 */
int meter_file_close(struct meter_file *file);

#endif
