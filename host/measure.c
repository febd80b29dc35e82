// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/measure_p.h"

#include <errno.h>
#include <string.h>

#include "common/json.h"
#include "common/log.h"
#include "common/stop.h"
#include "common/tsc.h"
#include "host/capture.h"

#define PROBE_CAPACITY 262144
#define TAIL_NS 1000000000U /* a primer's effect comes within one stat_interval */
#define MAX_TRACE_BYTES (2ULL << 30)
#define MAX_PROBE_BYTES (64ULL << 20)

struct agent *measure_agent(const struct measuring *m, enum layer layer)
{
	if (layer == LAYER_HOST)
		return m->p->host_agent;
	return m->p->guest ? m->p->guest->agent : NULL;
}

enum layer measure_layer(const struct measuring *m)
{
	return m->p->guest ? LAYER_GUEST : LAYER_HOST;
}

int measure_cpu(const struct measuring *m, enum layer layer)
{
	return layer == LAYER_HOST ? m->p->host_cpu : m->p->bare ? GUEST_BARE_CPU : GUEST_MEASURED_CPU;
}

/* The process that runs the guest; 0: there is none, or not yet. */
pid_t measure_vmm(const struct measuring *m)
{
	if (m->p->guest)
		return m->p->guest->vmm;
	return m->p->bare ? m->out->probe_tid : 0;
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
		struct agent *agent = measure_agent(m, (enum layer)layer);
		int ret;

		if (!agent || !m->p->trace)
			continue;
		ret = agent_call(agent,
				 capture_request((enum layer)layer, measure_cpu(m, (enum layer)layer), m->plan.total_ns,
						 &m->p->scenario->events),
				 3 * AGENT_TIMEOUT_MS, &reply, err);
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
	json_t *params = measure_params(m, &s->primer.params);

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
				    measure_cpu(m, measure_layer(m)), "threshold_ns", (json_int_t)probe->threshold_ns,
				    "capacity", PROBE_CAPACITY, "policy", policy_name(policy), "priority",
				    policy == POLICY_FIFO ? 1 : 0, "interval_ns", (json_int_t)probe->interval_ns);
	int ret;

	if (m->primer.by_probe) {
		json_object_set_new(request, "act", json_string(action_kind_name(m->primer.kind)));
		json_object_set_new(request, "params", probe_params(m));
	}
	ret = agent_call(measure_agent(m, measure_layer(m)), request, AGENT_TIMEOUT_MS, &reply, err);
	if (ret < 0)
		return ret == -ENODEV ? -ENOTSUP : ret; /* as of an action that is not the probe's: a skip */
	m->probing = true;
	m->out->probe_tid = (pid_t)json_get_u64(reply, "tid");
	m->out->probe_number = ++*m->p->probes;
	return 0;
}

static int read_hz(struct measuring *m, struct err *err)
{
	_cleanup_json_ json_t *reply = NULL;
	int ret = agent_call(m->p->host_agent, json_pack("{s:s}", "op", "clock"), AGENT_TIMEOUT_MS, &reply, err);

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
		m->primer = measure_probe_primer(m);
	if (ret == 0 && m->p->bare) /* with it comes its guest, whose memory others look for */
		ret = start_probe(m, err);
	if (ret == 0 && measure_vmm(m))
		ret = clock_track_read(&m->clock, measure_agent(m, LAYER_GUEST), measure_vmm(m), err);
	if (ret == 0)
		ret = measure_prepare(m, err);
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
	return fetch(m, measure_agent(m, layer), capture_fetch_request(layer, trace_id, clock), file, MAX_TRACE_BYTES,
		     err);
}

static int stop_probe(struct measuring *m, struct err *err)
{
	_cleanup_json_ json_t *reply = NULL;
	struct agent *agent = measure_agent(m, measure_layer(m));
	int ret;

	if (!m->probing)
		return 0;
	ret = agent_call(agent, json_pack("{s:s}", "op", "probe.stop"), AGENT_TIMEOUT_MS, &reply, err);
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
	ret = agent_call(measure_agent(m, layer), json_pack("{s:s}", "op", "capture.stop"), 3 * AGENT_TIMEOUT_MS,
			 &reply, err);
	*lost = json_get_u64(reply, "lost");
	log_debug("%s: %llu events, %llu lost", layer_name(layer), (unsigned long long)json_get_u64(reply, "events"),
		  (unsigned long long)*lost);
	return ret;
}

static int save_clocks(struct measuring *m, struct err *err)
{
	bool started = measure_vmm(m) && m->clock.n_readings;
	int ret = started ? clock_track_read(&m->clock, measure_agent(m, LAYER_GUEST), measure_vmm(m), err) : 0;
	int saved = bundle_writer_json(m->p->bundle, "clock.json", clock_track_json(&m->clock), err);

	return ret < 0 ? ret : saved;
}

/* An agent serves many runs: the workers of this one are not to stand about in the next. */
static int clear_stimuli(struct measuring *m, struct err *err)
{
	int ret = 0;

	for (int layer = 0; ret == 0 && layer < LAYER_MAX; layer++)
		if (measure_agent(m, (enum layer)layer))
			ret = agent_call(measure_agent(m, (enum layer)layer),
					 json_pack("{s:s}", "op", "stimulus.clear"), AGENT_TIMEOUT_MS, NULL, err);
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
		ret[4] = fetch(m, measure_agent(m, measure_layer(m)), json_pack("{s:s}", "op", "probe.fetch"),
			       "probe.bin", MAX_PROBE_BYTES, &why[4]);
	ret[5] = fetch_trace(m, LAYER_HOST, trace_id, "host.dat", &why[5]);
	ret[6] = fetch_trace(m, LAYER_GUEST, trace_id, "guest.dat", &why[6]);
	ret[7] = clear_stimuli(m, &why[7]);
	for (size_t i = 0; i < ARRAY_SIZE(ret); i++)
		if (ret[i] < 0)
			return err_set(err, ret[i], "%s", why[i].msg);
	return 0;
}

static void show_life(void *ctx)
{
	const struct measuring *m = ctx;

	progress_tick(m->p->progress);
}

void measure_show_life(struct measuring *m)
{
	agent_on_silence(m->p->host_agent, STATUS_NS / 1000000, show_life, m);
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
	measure_show_life(&m);
	res = set_up(&m, err);
	if (params->guest)
		guest_nudge(params->guest, false);
	if (res == 0)
		res = measure_windows(&m, err);
	if (res == -EINTR) {
		err_set(err, res, "interrupted");
		stop_acknowledge();
	} else {
		stop_hold();
	}
	if (params->guest)
		guest_nudge(params->guest, true);
	end = finish(&m, &later);
	agent_on_silence(params->host_agent, 0, NULL, NULL);
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
