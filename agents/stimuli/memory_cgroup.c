// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimuli/memory_cgroup.h"

#include <limits.h>

#include "agents/cgroup.h"
#include "agents/stimulus.h"

static int read_name(const json_t *params, char ret[static STIMULUS_CGROUP_BYTES])
{
	return stimulus_param(params, "cgroup", ret, STIMULUS_CGROUP_BYTES);
}

int stimulus_cgroup_make(const json_t *params, char ret[static STIMULUS_CGROUP_BYTES])
{
	int r = read_name(params, ret);

	return r < 0 ? r : cgroup_make(ret);
}

int stimulus_cgroup_join(const json_t *params, char ret[static STIMULUS_CGROUP_BYTES])
{
	char path[PATH_MAX];
	int r = stimulus_cgroup_make(params, ret);

	if (r == 0)
		r = cgroup_path(ret, "/cgroup.procs", path, sizeof(path));
	return r < 0 ? r : cgroup_put(path, "0");
}

void stimulus_cgroup_clean(const json_t *params)
{
	char name[STIMULUS_CGROUP_BYTES];

	if (read_name(params, name) == 0)
		cgroup_remove(name);
}
