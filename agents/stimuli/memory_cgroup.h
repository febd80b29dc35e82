/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory cgroup that kinds of stimuli are told by their parameter cgroup=NAME. */
#ifndef VCPULAT_MEMORY_CGROUP_H
#define VCPULAT_MEMORY_CGROUP_H

#include <jansson.h>

#define STIMULUS_CGROUP_BYTES 64

/**
 * stimulus_cgroup_make - create the group, unless it is there
 * @params: of the kind
 * @ret: its name
 *
 * Return: 0, -ENOENT without such a parameter, or another -errno.
 */
int stimulus_cgroup_make(const json_t *params, char ret[static STIMULUS_CGROUP_BYTES]);

/**
 * stimulus_cgroup_join - create the group, unless it is there, and move this process to it
 * @params: of the kind
 * @ret: its name
 *
 * What is in memory already stays charged to where the process came from. Return: as stimulus_cgroup_make().
 */
int stimulus_cgroup_join(const json_t *params, char ret[static STIMULUS_CGROUP_BYTES]);

/**
 * stimulus_cgroup_clean - the clean() of such kinds: remove the group
 * @params: of the kind
 */
void stimulus_cgroup_clean(const json_t *params);

#endif
