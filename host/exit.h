/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the exit code of a command says; the same for all commands. */
#ifndef VCPULAT_EXIT_H
#define VCPULAT_EXIT_H

/**
 * enum vcpulat_exit - exit codes
 * @VCPULAT_EXIT_PASS: done; what was measured is within its limits and as expected
 * @VCPULAT_EXIT_ERROR: nothing could be measured, or the command line or a file is wrong
 * @VCPULAT_EXIT_FAILED: measured, and a limit or an expectation is not met
 * @VCPULAT_EXIT_SKIPPED: this machine lacks what the scenario needs; the reason was printed
 * @VCPULAT_EXIT_INTERRUPTED: stopped by a signal; what was gathered is sealed as partial
 */
enum vcpulat_exit {
	VCPULAT_EXIT_PASS = 0,
	VCPULAT_EXIT_ERROR = 1,
	VCPULAT_EXIT_FAILED = 2,
	VCPULAT_EXIT_SKIPPED = 77,
	VCPULAT_EXIT_INTERRUPTED = 130,
};

#endif
