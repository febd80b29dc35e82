// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/measure_p.h"

#include <errno.h>

#include "common/ipis.h"
#include "common/json.h"
#include "common/log.h"
#include "common/marks.h"
#include "common/mono.h"
#include "common/stop.h"
#include "common/tsc.h"
#include "host/policy.h"

#define SETTLE_SLICE_MS 200
#define RELEASE_NS 500000000U /* before a window's end a FIFO thread lets go of its CPU */

static int look(struct measuring *m, struct err *err)
{
	_cleanup_json_ json_t *reply = NULL;
	uint64_t now = mono_ns();
	uint64_t end_ns = m->start_ns + m->plan.total_ns;
	int ret;

	if (now > m->deadline_ns)
		return err_set(err, -ETIME, "the scenario's time limit is over");
	if (now - m->status_ns < STATUS_NS)
		return 0;
	m->status_ns = now;
	ret = agent_call(measure_agent(m, measure_layer(m)), json_pack("{s:s}", "op", "probe.status"), AGENT_TIMEOUT_MS,
			 &reply, err);
	if (ret < 0)
		return ret;
	m->p->progress->gaps = json_get_u64(reply, "gaps");
	m->p->progress->left_s = now < end_ns ? (end_ns - now) / 1000000000U : 0;
	progress_tick(m->p->progress);
	return 0;
}

static int wait_until(struct measuring *m, uint64_t when_ns, struct err *err)
{
	int ret = 0;

	for (uint64_t now = mono_ns(); ret == 0 && now < when_ns; now = mono_ns()) {
		uint64_t left_ns = when_ns - now;

		if (left_ns > STATUS_NS / 2)
			ret = look(m, err);
		if (ret == 0)
			ret = stop_wait((int)((left_ns > STATUS_NS ? STATUS_NS / 2 : left_ns) / 1000000) + 1);
	}
	return ret;
}

/* Keeps the tick running on the measured CPU of each layer in turn, so that deferred work there comes to its end. */
static int settle_until(struct measuring *m, uint64_t when_ns, struct err *err)
{
	int ret = 0;

	while (ret == 0 && mono_ns() < when_ns) {
		for (int layer = 0; ret == 0 && layer < LAYER_MAX; layer++)
			if (m->settle[layer].agent)
				ret = measure_fire(m, &m->settle[layer], ROLE_SETTLE, SETTLE_SLICE_MS, err);
		if (ret == 0)
			ret = look(m, err);
		if (ret == 0 && stop_requested())
			ret = -EINTR;
	}
	return ret;
}

static int set_occupant(const struct measuring *m, enum cpu_policy policy, struct err *err)
{
	return policy_set(m->p->guest ? m->p->guest->vcpu_tid : m->out->probe_tid, policy, err);
}

static int occupy_cpu(struct measuring *m, uint64_t end_ns, struct err *err)
{
	m->release_ns = end_ns - RELEASE_NS;
	return set_occupant(m, POLICY_FIFO, err);
}

/* Whoever waits for work on that CPU gets it now, early enough to be seen in the window. */
static void release_cpu(void *ctx)
{
	struct measuring *m = ctx;
	struct err err = { "" };

	if (m->release_ns && set_occupant(m, POLICY_OTHER, &err) < 0)
		log_error("%s", err.msg);
	m->release_ns = 0;
}

/* A stimulus whose work is starved returns when the CPU is released; that must not wait for the stimulus. */
static int fire_behind_fifo(struct measuring *m, const struct prepared *who, enum action_role role, struct err *err)
{
	uint64_t now = mono_ns();
	uint64_t left_ms = m->release_ns > now ? (m->release_ns - now) / 1000000 : 0;
	int ret;

	agent_on_silence(m->p->host_agent, 1 + (int)(left_ms < AGENT_TIMEOUT_MS / 2 ? left_ms : AGENT_TIMEOUT_MS / 2),
			 release_cpu, m);
	ret = measure_fire(m, who, role, who->ms, err);
	measure_show_life(m);
	return ret;
}

/* Nothing is measured, so the clocks can be read. */
static int guard(struct measuring *m, uint64_t when_ns, struct err *err)
{
	int ret = measure_vmm(m) ? clock_track_read(&m->clock, NULL, measure_vmm(m), err) : 0;

	return ret < 0 ? ret : settle_until(m, when_ns, err);
}

static int act_until(struct measuring *m, const struct plan_window *w, uint64_t begin_ns, struct err *err)
{
	const bool fifo = m->p->scenario->shape.vcpu_policy == POLICY_FIFO;
	int ret = fifo ? occupy_cpu(m, begin_ns + w->length_ns, err) : 0;

	for (size_t i = 0; ret == 0 && i < w->n_actions; i++) {
		const struct plan_action *a = &w->actions[i];
		const struct prepared *who = a->role == ROLE_STIMULUS ? &m->stimulus : &m->primer;

		if (fifo && begin_ns + a->at_ns > m->release_ns)
			break;
		ret = wait_until(m, begin_ns + a->at_ns, err);
		if (ret == 0)
			ret = fifo ? fire_behind_fifo(m, who, a->role, err)
				   : measure_fire(m, who, a->role, who->ms, err);
	}
	if (ret == 0 && m->release_ns)
		ret = wait_until(m, m->release_ns, err);
	release_cpu(m);
	return ret < 0 ? ret : wait_until(m, begin_ns + w->length_ns, err);
}

static void mark_window(const struct plan_window *w, bool begin)
{
	if (w->state == WINDOW_GUARD)
		return;
	if (!begin)
		MARK(MARK_WINDOW_END);
	else if (w->state == WINDOW_ARMED)
		MARK(MARK_ARMED);
	else
		MARK(MARK_CONTROL);
}

/* What is not known is left out. */
static void add_window(struct measuring *m, const struct plan_window *w, uint64_t t0, const uint64_t *ipis)
{
	json_t *window = json_pack("{s:s, s:I, s:I}", "state", window_state_name(w->state), "t0", (json_int_t)t0, "t1",
				   (json_int_t)tsc_read());
	uint64_t now;

	if (ipis && ipis_read(&now) == 0)
		json_object_set_new(window, "ipis", json_integer((json_int_t)(now - *ipis)));
	json_array_append_new(m->out->windows, window);
}

static int run_window(struct measuring *m, const struct plan_window *w, struct err *err)
{
	uint64_t ipis = 0;
	int read = ipis_read(&ipis);
	uint64_t begin_ns = mono_ns();
	uint64_t t0 = tsc_read();
	int ret;

	if (w->state != WINDOW_GUARD)
		m->p->progress->step++;
	progress_phase(m->p->progress, w->state == WINDOW_GUARD ? "settle" : "window");
	mark_window(w, true);
	ret = w->state == WINDOW_GUARD ? guard(m, begin_ns + w->length_ns, err) : act_until(m, w, begin_ns, err);
	mark_window(w, false);
	add_window(m, w, t0, read == 0 ? &ipis : NULL);
	return ret;
}

int measure_windows(struct measuring *m, struct err *err)
{
	int ret = 0;

	m->start_ns = mono_ns();
	m->deadline_ns = m->start_ns + m->p->scenario->time_limit_ns;
	for (m->window = 0; ret == 0 && m->window < m->plan.n_windows; m->window++)
		ret = run_window(m, &m->plan.windows[m->window], err);
	return ret;
}
