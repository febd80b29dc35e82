/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For static analysis, which looks at one file at a time: err_set() and its like return what is
 * negative, and jansson's loops, whose header cppcheck does not read, set both of their variables.
 */
#ifndef VCPULAT_LINT_H
#define VCPULAT_LINT_H

#include "common/err.h"

#ifdef __cppcheck__
#define json_array_foreach(array, index, value) for ((index) = 0; ((value) = json_array_get(array, index)); (index)++)
#define json_object_foreach(object, key, value)                                                                        \
	for ((key) = json_object_iter_key(json_object_iter(object)); ((value) = json_object_get(object, key));         \
	     (key) = json_object_iter_key(json_object_iter_next(object, json_object_key_to_iter(key))))
#endif

#define err_set(e, code, ...) ((void)(err_set)(e, code, __VA_ARGS__), (code) < 0 ? (code) : -1)
#define err_sys(e, code, ...) ((void)(err_sys)(e, code, __VA_ARGS__), (code) < 0 ? (code) : -1)
#define err_prefix(e, code, ...) ((void)(err_prefix)(e, code, __VA_ARGS__), (code) < 0 ? (code) : -1)

#endif
