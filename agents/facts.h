/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a reader of a result must know about the machine. Read only. */
#ifndef VCPULAT_FACTS_H
#define VCPULAT_FACTS_H

#include <jansson.h>

/**
 * facts_collect - read all facts
 *
 * A fact that this kernel does not have, or will not tell, is null: unknown is not 0.
 * Return: new reference to an object, or NULL without memory.
 */
json_t *facts_collect(void);

#endif
