/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one error convention: a function returns 0 or -errno. One whose failure a
 * user may have to read takes a struct err as its last argument and says there
 * which object, which value, and the way out. Only commands print it.
 */
#ifndef VCPULAT_ERR_H
#define VCPULAT_ERR_H

struct err {
	char msg[1024]; /* one line or a few, no trailing newline; "" when nothing was said */
};

/**
 * err_set - describe a failure and hand its code through
 * @err: where to write; NULL: nobody wants the words
 * @errnum: negative errno, returned unchanged; its text is NOT appended
 * @fmt: printf format of the message
 *
 * Return: @errnum, so that callers can `return err_set(err, -EINVAL, ...)`.
 */
int err_set(struct err *err, int errnum, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/**
 * err_sys - as err_set(), with ": " and the text of @errnum appended
 * @err: where to write, or NULL
 * @errnum: negative errno
 * @fmt: printf format naming the action and its object
 *
 * Return: @errnum.
 */
int err_sys(struct err *err, int errnum, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/**
 * err_prefix - put the context of the caller before what the callee said
 * @err: a filled err, or NULL
 * @errnum: negative errno, returned unchanged
 * @fmt: printf format of the context; ": " is added
 *
 * Return: @errnum.
 */
int err_prefix(struct err *err, int errnum, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
