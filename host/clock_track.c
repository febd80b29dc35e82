// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/clock_track.h"

#include <errno.h>
#include <stdlib.h>

#include "common/json.h"
#include "common/tsc.h"

static int ping(struct clock_track *track, struct agent *agent, struct err *err)
{
	for (int i = 0; i < CLOCK_TRACK_PINGS; i++) {
		struct clock_pair *pair = &track->pairs[track->n_pairs];
		_cleanup_json_ json_t *reply = NULL;
		int ret;

		pair->host0 = tsc_read();
		ret = agent_call(agent, json_pack("{s:s}", "op", "clock"), AGENT_TIMEOUT_MS, &reply, err);
		pair->host1 = tsc_read();
		if (ret < 0)
			return ret;
		pair->guest = json_get_u64(reply, "tsc");
		track->n_pairs++;
	}
	return 0;
}

int clock_track_read(struct clock_track *track, struct agent *agent, pid_t vmm, struct err *err)
{
	struct clock_reading *readings = reallocarray(track->reading, track->n_readings + 1, sizeof(*readings));
	int ret;

	if (!readings)
		return err_sys(err, -ENOMEM, "cannot read the guest's clock");
	track->reading = readings;
	readings[track->n_readings] = (struct clock_reading){ 0 };
	ret = clock_read(CLOCK_KVM_ROOT, vmm, &readings[track->n_readings++], err);
	return ret < 0 || !agent ? ret : ping(track, agent, err);
}

json_t *clock_track_json(const struct clock_track *track)
{
	return clock_json(track->reading, track->n_readings, track->pairs, track->n_pairs);
}

void clock_track_done(struct clock_track *track)
{
	free(track->reading);
	*track = (struct clock_track){ 0 };
}
