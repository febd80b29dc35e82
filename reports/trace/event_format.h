/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text with which a kernel describes one kind of trace event (tracefs events/.../format):
 * where its fields lie, and the names of its symbolic values. Pure; the text is hostile
 * where it comes from a guest, so an offset says nothing until it is checked against the
 * record at hand.
 */
#ifndef VCPULAT_EVENT_FORMAT_H
#define VCPULAT_EVENT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_field {
	uint16_t offset; /* bytes from the start of the record */
	uint16_t size;	 /* bytes; 0: the kernel has no such field */
	bool is_signed;
	bool is_dynamic; /* the field holds u16 offset, u16 length of a string elsewhere in the record */
};

/**
 * event_format_id - the number that the kernel gave to an event
 * @text: the description, terminated
 * @ret_name: the event's name
 * @name_bytes: size of @ret_name
 *
 * Return: the number, or -1 when the text is no description.
 */
int event_format_id(const char *text, char *ret_name, size_t name_bytes);

/**
 * event_format_field - where a field lies
 * @text: the description, terminated
 * @name: the field
 * @ret: all zero when there is none
 *
 * Return: whether there is one.
 */
bool event_format_field(const char *text, const char *name, struct event_field *ret);

/**
 * event_format_symbol - the name of a value, as the event itself prints it
 * @text: the description, terminated
 * @list: which __print_symbolic() of the description, from 0
 * @value: the value
 * @ret: the name in lower case
 * @ret_bytes: size of @ret
 *
 * Return: whether the list has it.
 */
bool event_format_symbol(const char *text, unsigned int list, uint64_t value, char *ret, size_t ret_bytes);

/**
 * event_format_symbol_field - which field the event prints by name
 * @text: the description, terminated
 * @ret: the field of the first __print_symbolic() that takes a field as it is; all zero when there is none
 *
 * Return: whether there is one.
 */
bool event_format_symbol_field(const char *text, struct event_field *ret);

/**
 * event_field_number - read a field of a record
 * @field: from event_format_field()
 * @record: the record
 * @len: its length in bytes
 *
 * Return: the number, sign-extended; 0 when the record is too short for it.
 */
uint64_t event_field_number(const struct event_field *field, const void *record, size_t len);

/**
 * event_field_text - find the text of a string field
 * @field: a char array or a dynamic string
 * @record: the record
 * @len: its length in bytes
 * @ret_len: bytes that belong to the text at most; it may end earlier, with a NUL
 *
 * Return: inside the record, or "" when it is too short.
 */
const char *event_field_text(const struct event_field *field, const void *record, size_t len, size_t *ret_len);

#endif
