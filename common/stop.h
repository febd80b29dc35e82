/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ctrl-C: the handler of SIGINT, SIGTERM and SIGHUP only raises a flag and makes a
 * descriptor readable. Every wait of the program includes that descriptor.
 */
#ifndef VCPULAT_STOP_H
#define VCPULAT_STOP_H

#include <stdbool.h>

/**
 * stop_install - catch SIGINT, SIGTERM and SIGHUP from now on, ignore SIGPIPE
 *
 * Return: 0 or -errno.
 */
int stop_install(void);

/**
 * stop_reset - let the signals of stop_install() do again what they do by default
 *
 * For a child, in which they must not run our handler.
 */
void stop_reset(void);

/**
 * stop_requested - has somebody asked us to end?
 */
bool stop_requested(void);

/**
 * stop_acknowledge - the request was noticed: what must be done before the end may wait again
 *
 * From now on stop_requested() is false until somebody asks once more.
 */
void stop_acknowledge(void);

/**
 * stop_hold - what follows is short and worth finishing: heed no request before stop_release(), but the second one
 *
 * For the end of a run, in which its evidence is read.
 */
void stop_hold(void);

/**
 * stop_release - heed requests again, and the one that came meanwhile
 */
void stop_release(void);

/**
 * stop_fd - a descriptor that is readable once a stop is requested
 *
 * Return: an eventfd owned by this module, for poll(); -1 before stop_install().
 */
int stop_fd(void);

/**
 * stop_wait - sleep, unless asked to stop
 * @timeout_ms: milliseconds
 *
 * For pacing only (windows, random phase); never to wait for an event.
 * Return: 0 after the time, -EINTR when a stop was requested.
 */
int stop_wait(int timeout_ms);

/**
 * stop_poll - wait for one descriptor, unless asked to stop
 * @fd: descriptor
 * @events: poll() events wanted
 * @timeout_ms: milliseconds, -1: for ever
 *
 * Return: 0 when @fd is ready, -ETIMEDOUT, -EINTR on a stop request, or another -errno.
 */
int stop_poll(int fd, short events, int timeout_ms);

#endif
