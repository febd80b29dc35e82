// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/measure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/ipis.h"
#include "common/json.h"
#include "common/log.h"
#include "common/marks.h"
#include "common/mono.h"
#include "common/stop.h"
#include "common/tsc.h"
#include "host/capture.h"
#include "host/clock_track.h"
#include "host/policy.h"
#include "host/windows.h"

#define CALL_TIMEOUT_MS 20000
#define STATUS_NS 1000000000U
#define SETTLE_SLICE_MS 200
#define PROBE_CAPACITY 262144
#define TAIL_NS 1000000000U   /* a primer's effect comes within one stat_interval */
#define RELEASE_NS 500000000U /* before a window's end a FIFO thread lets go of its CPU */
#define MAX_TRACE_BYTES (2ULL << 30)
#define MAX_PROBE_BYTES (64ULL << 20)

/* A worker of an agent that waits to act. */
struct prepared {
	struct agent *agent; /* NULL: there is none */
	enum action_kind kind;
	enum layer layer;
	int cpu;
	bool by_probe; /* it is the probe itself; no id */
	json_int_t id;
	unsigned int ms;
};

struct measuring {
	const struct measure_params *p;
	struct measured *out;
	struct plan plan;
	struct prepared primer;
	struct prepared stimulus;
	struct prepared settle[LAYER_MAX];
	struct clock_track clock;
	size_t window;	   /* index of the present one */
	uint64_t start_ns; /* CLOCK_MONOTONIC of the first window */
	uint64_t deadline_ns;
	uint64_t status_ns;  /* of the last look at the probe */
	uint64_t release_ns; /* CLOCK_MONOTONIC: when a FIFO thread lets go of its CPU; 0: there is none, or it has */
	bool probing;
	bool tracing[LAYER_MAX];
};

static struct agent *agent_of(const struct measuring *m, enum layer layer)
{
	if (layer == LAYER_HOST)
		return m->p->host_agent;
	return m->p->guest ? m->p->guest->agent : NULL;
}

static enum layer probe_layer(const struct measuring *m)
{
	return m->p->guest ? LAYER_GUEST : LAYER_HOST;
}

static int measured_cpu(const struct measuring *m, enum layer layer)
{
	return layer == LAYER_HOST ? m->p->host_cpu : m->p->bare ? GUEST_BARE_CPU : GUEST_MEASURED_CPU;
}

/* The process that runs the guest; 0: there is none, or not yet. */
static pid_t vmm(const struct measuring *m)
{
	if (m->p->guest)
		return m->p->guest->vmm;
	return m->p->bare ? m->out->probe_tid : 0;
}

static json_t *param_json(const struct measuring *m, const char *text)
{
	char *end;
	long long number = strtoll(text, &end, 10);

	if (m->p->guest && strcmp(text, SCENARIO_VMM) == 0)
		return json_integer(m->p->guest->vmm);
	return *end || !text[0] ? json_string(text) : json_integer(number);
}

/* "pages=2" becomes "pages": 2 where it is a number. */
static json_t *params_json(const struct measuring *m, const struct schema_strings *params)
{
	json_t *object = json_object();

	for (size_t i = 0; i < params->count; i++) {
		const char *equals = strchr(params->item[i], '=');
		_cleanup_free_ char *name = strndup(params->item[i], (size_t)(equals - params->item[i]));

		if (name)
			json_object_set_new(object, name, param_json(m, equals + 1));
	}
	return object;
}

static int prepare(struct measuring *m, enum action_kind kind, enum layer layer, int cpu,
		   const struct schema_strings *params, struct prepared *ret, struct err *err)
{
	_cleanup_json_ json_t *reply = NULL;
	struct agent *agent = agent_of(m, layer);
	int res;

	if (!agent)
		return err_set(err, -EINVAL, "'%s' acts in the guest, but there is none", action_kind_name(kind));
	res = agent_call(agent,
			 json_pack("{s:s, s:s, s:i, s:o}", "op", "stimulus.prepare", "kind", action_kind_name(kind),
				   "cpu", cpu, "params", params_json(m, params)),
			 3 * CALL_TIMEOUT_MS, &reply, err);
	if (res < 0)
		return res;
	*ret = (struct prepared){
		.agent = agent, .kind = kind, .layer = layer, .cpu = cpu, .id = (json_int_t)json_get_u64(reply, "id")
	};
	json_array_append_new(json_object_get(m->out->stimulus_pids, layer_name(layer)),
			      json_integer((json_int_t)json_get_u64(reply, "pid")));
	return 0;
}

static int prepare_action(struct measuring *m, const struct scenario_action *a, int cpu, struct prepared *ret,
			  struct err *err)
{
	int res = prepare(m, (enum action_kind)a->kind, (enum layer)a->layer, cpu, &a->params, ret, err);

	ret->ms = (unsigned int)(a->unstick_ns / 1000000);
	return res;
}

/* Nothing to prepare: start_probe() says what it is to do. */
static struct prepared probe_as_primer(const struct measuring *m)
{
	const struct scenario_action *a = &m->p->scenario->primer;

	return (struct prepared){ .agent = agent_of(m, probe_layer(m)),
				  .kind = (enum action_kind)a->kind,
				  .layer = (enum layer)a->layer,
				  .cpu = measured_cpu(m, (enum layer)a->layer),
				  .by_probe = true };
}

static void show_life(void *ctx)
{
	const struct measuring *m = ctx;

	progress_tick(m->p->progress);
}

static int prepare_all(struct measuring *m, struct err *err)
{
	const struct scenario *s = m->p->scenario;
	const struct schema_strings none = { 0 };
	int ret = 0;

	agent_on_silence(m->p->host_agent, STATUS_NS / 1000000, show_life, m);
	if (!m->p->fifo)
		ret = prepare(m, ACTION_SPIN, LAYER_HOST, m->p->host_cpu, &none, &m->settle[LAYER_HOST], err);
	if (ret == 0 && m->p->guest)
		ret = prepare(m, ACTION_SPIN, LAYER_GUEST, GUEST_MEASURED_CPU, &none, &m->settle[LAYER_GUEST], err);
	if (ret == 0 && s->has_primer && s->primer.by == ACTOR_TASK)
		ret = prepare_action(m, &s->primer, measured_cpu(m, (enum layer)s->primer.layer), &m->primer, err);
	if (ret == 0 && s->has_stimulus)
		ret = prepare_action(m, &s->stimulus, -1, &m->stimulus, err);
	agent_on_silence(m->p->host_agent, 0, NULL, NULL);
	return ret;
}

static int fire(struct measuring *m, const struct prepared *who, enum action_role role, unsigned int ms,
		struct err *err)
{
	_cleanup_json_ json_t *reply = NULL;
	struct bundle_action action = { .role = action_role_name(role),
					.kind = action_kind_name(who->kind),
					.layer = layer_name(who->layer),
					.by_probe = who->by_probe,
					.cpu = who->cpu,
					.window = m->window };
	int ret = agent_call(who->agent,
			     json_pack("{s:s, s:I, s:b, s:i}", "op", who->by_probe ? "probe.act" : "stimulus.fire",
				       "id", who->id, "sham", role == ROLE_SHAM, "ms", (int)ms),
			     CALL_TIMEOUT_MS, &reply, err);

	if (ret < 0)
		return ret;
	action.t0 = json_get_u64(reply, "t0");
	action.t1 = json_get_u64(reply, "t1");
	action.result = json_get_string(reply, "result");
	action.detail = json_get_string(reply, "detail");
	return bundle_writer_action(m->p->bundle, &action, err);
}

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
	ret = agent_call(agent_of(m, probe_layer(m)), json_pack("{s:s}", "op", "probe.status"), CALL_TIMEOUT_MS, &reply,
			 err);
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
				ret = fire(m, &m->settle[layer], ROLE_SETTLE, SETTLE_SLICE_MS, err);
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

	agent_on_silence(m->p->host_agent, 1 + (int)(left_ms < CALL_TIMEOUT_MS / 2 ? left_ms : CALL_TIMEOUT_MS / 2),
			 release_cpu, m);
	ret = fire(m, who, role, who->ms, err);
	agent_on_silence(m->p->host_agent, 0, NULL, NULL);
	return ret;
}

/* Nothing is measured, so the clocks can be read. */
static int guard(struct measuring *m, uint64_t when_ns, struct err *err)
{
	int ret = vmm(m) ? clock_track_again(&m->clock, vmm(m), err) : 0;

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
			ret = fifo ? fire_behind_fifo(m, who, a->role, err) : fire(m, who, a->role, who->ms, err);
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

static int run_windows(struct measuring *m, struct err *err)
{
	int ret = 0;

	m->start_ns = mono_ns();
	m->deadline_ns = m->start_ns + m->p->scenario->time_limit_ns;
	for (m->window = 0; ret == 0 && m->window < m->plan.n_windows; m->window++)
		ret = run_window(m, &m->plan.windows[m->window], err);
	return ret;
}

static int make_plan(struct measuring *m)
{
	const struct scenario *s = m->p->scenario;
	const struct scenario_windows *w = &s->windows;
	struct plan_params params = { .seed = m->p->seed,
				      .length_ns = w->length_ns,
				      .armed_ns = w->armed_ns,
				      .control_ns = w->control_ns,
				      .guard_ns = m->p->guard_ns };
	int ret;

	if (s->has_primer)
		params.primer = (struct plan_rhythm){ s->primer.period_ns, s->primer.jitter_ns, TAIL_NS };
	if (s->has_stimulus)
		params.stimulus = (struct plan_rhythm){ s->stimulus.period_ns, s->stimulus.jitter_ns, 0 };
	ret = plan_make(&params, &m->plan);
	m->p->progress->step = 0;
	m->p->progress->steps = (unsigned int)(m->plan.n_windows / 2);
	m->p->progress->left_s = m->plan.total_ns / 1000000000U;
	m->p->progress->gaps = 0;
	return ret;
}

static int start_tracing(struct measuring *m, struct err *err)
{
	for (int layer = 0; layer < LAYER_MAX; layer++) {
		_cleanup_json_ json_t *reply = NULL;
		struct agent *agent = agent_of(m, (enum layer)layer);
		int ret;

		if (!agent || !m->p->trace)
			continue;
		ret = agent_call(agent,
				 capture_request((enum layer)layer, measured_cpu(m, (enum layer)layer),
						 m->plan.total_ns, &m->p->scenario->events),
				 3 * CALL_TIMEOUT_MS, &reply, err);
		if (ret < 0)
			return ret;
		m->tracing[layer] = true;
		json_array_extend(json_object_get(m->out->missing_events, layer_name((enum layer)layer)),
				  json_object_get(reply, "missing"));
	}
	return 0;
}

/* A bare guest has no device for what it shares with the host. */
static json_t *probe_params(const struct measuring *m)
{
	const struct scenario *s = m->p->scenario;
	json_t *params = params_json(m, &s->primer.params);

	if (m->p->bare && s->shape.guest_shared_bytes)
		json_object_set_new(params, "bytes", json_integer((json_int_t)s->shape.guest_shared_bytes));
	return params;
}

static int start_probe(struct measuring *m, struct err *err)
{
	const struct scenario_probe *probe = &m->p->scenario->probe;
	enum cpu_policy policy = m->p->bare && m->p->fifo ? POLICY_FIFO : (enum cpu_policy)probe->policy;
	_cleanup_json_ json_t *reply = NULL;
	json_t *request = json_pack("{s:s, s:s, s:i, s:I, s:i, s:s, s:i, s:I}", "op", "probe.start", "kind",
				    m->p->bare ? "bare" : probe_kind_name(probe->kind), "cpu",
				    measured_cpu(m, probe_layer(m)), "threshold_ns", (json_int_t)probe->threshold_ns,
				    "capacity", PROBE_CAPACITY, "policy", policy_name(policy), "priority",
				    policy == POLICY_FIFO ? 1 : 0, "interval_ns", (json_int_t)probe->interval_ns);
	int ret;

	if (m->primer.by_probe) {
		json_object_set_new(request, "act", json_string(action_kind_name(m->primer.kind)));
		json_object_set_new(request, "params", probe_params(m));
	}
	ret = agent_call(agent_of(m, probe_layer(m)), request, CALL_TIMEOUT_MS, &reply, err);

	if (ret < 0)
		return ret;
	m->probing = true;
	m->out->probe_tid = (pid_t)json_get_u64(reply, "tid");
	m->out->probe_number = ++*m->p->probes;
	return 0;
}

static int read_hz(struct measuring *m, struct err *err)
{
	_cleanup_json_ json_t *reply = NULL;
	int ret = agent_call(m->p->host_agent, json_pack("{s:s}", "op", "clock"), CALL_TIMEOUT_MS, &reply, err);

	if (ret == 0)
		m->out->hz = json_get_u64(reply, "hz");
	return ret;
}

static int set_up(struct measuring *m, struct err *err)
{
	int ret = make_plan(m);

	if (ret == 0)
		ret = read_hz(m, err);
	if (ret == 0 && m->p->guest)
		ret = domain_punch(m->p->guest->domain, err);
	if (m->p->scenario->has_primer && m->p->scenario->primer.by == ACTOR_PROBE)
		m->primer = probe_as_primer(m);
	if (ret == 0 && m->p->bare) /* with it comes its guest, whose memory others look for */
		ret = start_probe(m, err);
	if (ret == 0 && vmm(m))
		ret = clock_track_start(&m->clock, agent_of(m, LAYER_GUEST), vmm(m), err);
	if (ret == 0)
		ret = prepare_all(m, err);
	if (ret == 0)
		ret = start_tracing(m, err);
	return ret < 0 || m->probing ? ret : start_probe(m, err);
}

static int fetch(struct measuring *m, struct agent *agent, json_t *request, const char *file, uint64_t max_bytes,
		 struct err *err)
{
	_cleanup_free_ char *path = bundle_writer_path(m->p->bundle, file);

	progress_tick(m->p->progress);
	if (path)
		return agent_fetch(agent, request, path, max_bytes, err);
	json_decref(request);
	return -ENOMEM;
}

static int fetch_trace(struct measuring *m, enum layer layer, uint64_t trace_id, const char *file, struct err *err)
{
	const struct clock_reading *clock = m->clock.n_readings ? &m->clock.reading[0] : NULL;

	if (!m->tracing[layer])
		return 0;
	return fetch(m, agent_of(m, layer), capture_fetch_request(layer, trace_id, clock), file, MAX_TRACE_BYTES, err);
}

static int stop_probe(struct measuring *m, struct err *err)
{
	_cleanup_json_ json_t *reply = NULL;
	struct agent *agent = agent_of(m, probe_layer(m));
	int ret;

	if (!m->probing)
		return 0;
	ret = agent_call(agent, json_pack("{s:s}", "op", "probe.stop"), CALL_TIMEOUT_MS, &reply, err);
	if (ret < 0)
		return ret;
	m->out->lost_gaps = json_get_u64(reply, "lost");
	m->p->progress->gaps = json_get_u64(reply, "gaps");
	return 0;
}

static int stop_tracing(struct measuring *m, enum layer layer, uint64_t *lost, struct err *err)
{
	_cleanup_json_ json_t *reply = NULL;
	int ret;

	if (!m->tracing[layer])
		return 0;
	ret = agent_call(agent_of(m, layer), json_pack("{s:s}", "op", "capture.stop"), 3 * CALL_TIMEOUT_MS, &reply,
			 err);
	*lost = json_get_u64(reply, "lost");
	log_debug("%s: %llu events, %llu lost", layer_name(layer), (unsigned long long)json_get_u64(reply, "events"),
		  (unsigned long long)*lost);
	return ret;
}

static int save_clocks(struct measuring *m, struct err *err)
{
	bool started = vmm(m) && m->clock.n_readings;
	int ret = started ? clock_track_end(&m->clock, agent_of(m, LAYER_GUEST), vmm(m), err) : 0;
	int saved = bundle_writer_json(m->p->bundle, "clock.json", clock_track_json(&m->clock), err);

	return ret < 0 ? ret : saved;
}

/* An agent serves many runs: the workers of this one are not to stand about in the next. */
static int clear_stimuli(struct measuring *m, struct err *err)
{
	int ret = 0;

	for (int layer = 0; ret == 0 && layer < LAYER_MAX; layer++)
		if (agent_of(m, (enum layer)layer))
			ret = agent_call(agent_of(m, (enum layer)layer), json_pack("{s:s}", "op", "stimulus.clear"),
					 CALL_TIMEOUT_MS, NULL, err);
	return ret;
}

/* Everything is tried, whatever failed before; the first failure is the one that is told. */
static int finish(struct measuring *m, struct err *err)
{
	uint64_t trace_id = tsc_read();
	struct err why[8] = { 0 };
	int ret[8] = { 0 };

	progress_phase(m->p->progress, "collect");
	ret[0] = save_clocks(m, &why[0]); /* a bare guest ends with the probe */
	ret[1] = stop_probe(m, &why[1]);
	ret[2] = stop_tracing(m, LAYER_HOST, &m->out->lost_host_events, &why[2]);
	ret[3] = stop_tracing(m, LAYER_GUEST, &m->out->lost_guest_events, &why[3]);
	if (m->probing)
		ret[4] = fetch(m, agent_of(m, probe_layer(m)), json_pack("{s:s}", "op", "probe.fetch"), "probe.bin",
			       MAX_PROBE_BYTES, &why[4]);
	ret[5] = fetch_trace(m, LAYER_HOST, trace_id, "host.dat", &why[5]);
	ret[6] = fetch_trace(m, LAYER_GUEST, trace_id, "guest.dat", &why[6]);
	ret[7] = clear_stimuli(m, &why[7]);
	for (size_t i = 0; i < ARRAY_SIZE(ret); i++)
		if (ret[i] < 0)
			return err_set(err, ret[i], "%s", why[i].msg);
	return 0;
}

int measure_run(const struct measure_params *params, struct measured *ret, struct err *err)
{
	struct measuring m = { .p = params, .out = ret };
	struct err later = { "" };
	int res;
	int end;

	*ret = (struct measured){ .windows = json_array(),
				  .stimulus_pids = json_pack("{s:[], s:[]}", "host", "guest"),
				  .missing_events = json_pack("{s:[], s:[]}", "host", "guest") };
	if (!ret->windows || !ret->stimulus_pids || !ret->missing_events)
		return -ENOMEM;
	res = set_up(&m, err);
	if (params->guest)
		guest_nudge(params->guest, false);
	if (res == 0)
		res = run_windows(&m, err);
	if (res == -EINTR) {
		err_set(err, res, "interrupted");
		stop_acknowledge();
	} else {
		stop_hold();
	}
	if (params->guest)
		guest_nudge(params->guest, true);
	end = finish(&m, &later);
	plan_done(&m.plan);
	clock_track_done(&m.clock);
	if (res == 0 && end < 0)
		return err_set(err, end, "%s", later.msg);
	return res;
}

void measured_done(struct measured *m)
{
	json_decref(m->windows);
	json_decref(m->stimulus_pids);
	json_decref(m->missing_events);
	*m = (struct measured){ 0 };
}
