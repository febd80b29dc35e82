// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/clock_track.h"

#include "common/json.h"
#include "common/tsc.h"

#define CALL_TIMEOUT_MS 20000

static int ping(struct clock_track *track, struct agent *agent, struct err *err)
{
	for (int i = 0; i < CLOCK_TRACK_PINGS; i++) {
		struct clock_pair *pair = &track->pairs[track->n_pairs];
		_cleanup_json_ json_t *reply = NULL;
		int ret;

		pair->host0 = tsc_read();
		ret = agent_call(agent, json_pack("{s:s}", "op", "clock"), CALL_TIMEOUT_MS, &reply, err);
		pair->host1 = tsc_read();
		if (ret < 0)
			return ret;
		pair->guest = json_get_u64(reply, "tsc");
		track->n_pairs++;
	}
	return 0;
}

int clock_track_start(struct clock_track *track, struct agent *agent, pid_t vmm, struct err *err)
{
	int ret = clock_read(CLOCK_KVM_ROOT, vmm, &track->start, err);

	return ret < 0 ? ret : ping(track, agent, err);
}

int clock_track_end(struct clock_track *track, struct agent *agent, pid_t vmm, struct err *err)
{
	int ret = clock_read(CLOCK_KVM_ROOT, vmm, &track->end, err);

	return ret < 0 ? ret : ping(track, agent, err);
}

json_t *clock_track_json(const struct clock_track *track)
{
	return clock_json(&track->start, &track->end, track->pairs, track->n_pairs);
}
