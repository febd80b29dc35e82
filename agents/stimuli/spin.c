// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimulus.h"

/* The spinning before the action is all there is. */
static int act(struct stimulus_state *state)
{
	(void)state;
	return 0;
}

const struct stimulus_ops *stimulus_spin(void)
{
	static const struct stimulus_ops ops = { .name = "spin", .role = STIMULUS_SETTLE, .act = act };

	return &ops;
}
