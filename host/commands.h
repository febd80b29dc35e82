/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands, one file cmd_<name>.c each. Every one takes its own argv (argv[0] is its
 * name), prints its own errors once, and returns an exit code of host/exit.h.
 */
#ifndef VCPULAT_COMMANDS_H
#define VCPULAT_COMMANDS_H

/** cmd_analyze - evidence of bundles to results */
int cmd_analyze(int argc, char *argv[]);
/** cmd_compare - results to a comparison of arms */
int cmd_compare(int argc, char *argv[]);
/** cmd_diff - what differs between two set-ups */
int cmd_diff(int argc, char *argv[]);
/** cmd_flame - where the instructions of a cause went */
int cmd_flame(int argc, char *argv[]);
/** cmd_kernel - build and list kernel arms */
int cmd_kernel(int argc, char *argv[]);
/** cmd_lab - run scenarios on emulated hosts under test */
int cmd_lab(int argc, char *argv[]);
/** cmd_recover - undo what a killed run left */
int cmd_recover(int argc, char *argv[]);
/** cmd_report - render a comparison or results */
int cmd_report(int argc, char *argv[]);
/** cmd_run - run scenarios on this host */
int cmd_run(int argc, char *argv[]);
/** cmd_scenarios - list and explain scenarios */
int cmd_scenarios(int argc, char *argv[]);

#endif
