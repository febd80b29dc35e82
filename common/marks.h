/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Marks for the instruction meter: eight-byte NOPs (0f 1f 84 00 imm32) that do nothing on
 * any CPU and that the meter recognises in the lab's instruction stream. The immediate is
 * "VCP" and one code byte. A mark costs one instruction.
 */
#ifndef VCPULAT_MARKS_H
#define VCPULAT_MARKS_H

#define MARK_PROBE_START 'S' /* the probe begins: gap records are counted from here */
#define MARK_TURN 'T'	     /* one turn of the probe's loop: right behind its time stamp */
#define MARK_GAP 'G'	     /* the turn before ended a gap; the n-th belongs to the n-th record of probe.bin */
#define MARK_PROBE_STOP 'E'  /* the probe has ended */
#define MARK_ARMED 'A'	     /* an armed window begins */
#define MARK_CONTROL 'C'     /* a control window begins */
#define MARK_WINDOW_END 'W'  /* a window ends */
#define MARK_PRIMER 'P'	     /* a primer is about to act */
#define MARK_SHAM 'H'	     /* a sham primer is about to act */
#define MARK_STIMULUS 'U'    /* a stimulus is about to act */
#define MARK_ACTED 'D'	     /* primer, sham or stimulus done */
#define MARK_FAULTS 'F'	     /* a thread begins, or ends, to touch new pages */
#define MARK_CALIBRATE 'K'   /* the calibration payload begins, and ends */

/* The bytes, for the meter: prefix then the code. */
#define MARK_PREFIX "\x0f\x1f\x84\x00VCP"
#define MARK_PREFIX_LEN 7

/**
 * MARK - execute one mark
 * @code: a MARK_* constant
 */
#define MARK(code) __asm__ volatile(".byte 0x0f,0x1f,0x84,0x00,0x56,0x43,0x50,%c0" ::"i"(code) : "memory")

#endif
