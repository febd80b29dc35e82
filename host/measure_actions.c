// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/measure_p.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"

/* Longer than the host's agent waits for its worker. A guest's answers sooner, or not at all. */
#define HOST_FIRE_TIMEOUT_MS (4 * AGENT_TIMEOUT_MS)

static json_t *param_json(const struct measuring *m, const char *text)
{
	char *end;
	long long number = strtoll(text, &end, 10);

	if (m->p->guest && strcmp(text, SCENARIO_VMM) == 0)
		return json_integer(m->p->guest->vmm);
	return *end || !text[0] ? json_string(text) : json_integer(number);
}

/* "pages=2" becomes "pages": 2 where it is a number. */
json_t *measure_params(const struct measuring *m, const struct schema_strings *params)
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
	struct agent *agent = measure_agent(m, layer);
	int res;

	if (!agent)
		return err_set(err, -EINVAL, "'%s' acts in the guest, but there is none", action_kind_name(kind));
	res = agent_call(agent,
			 json_pack("{s:s, s:s, s:i, s:o}", "op", "stimulus.prepare", "kind", action_kind_name(kind),
				   "cpu", cpu, "params", measure_params(m, params)),
			 3 * AGENT_TIMEOUT_MS, &reply, err);
	if (res < 0)
		return res == -ENODEV ? -ENOTSUP : res; /* what it acts on is not in this kernel: a skip */
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
struct prepared measure_probe_primer(const struct measuring *m)
{
	const struct scenario_action *a = &m->p->scenario->primer;

	return (struct prepared){ .agent = measure_agent(m, measure_layer(m)),
				  .kind = (enum action_kind)a->kind,
				  .layer = (enum layer)a->layer,
				  .cpu = measure_cpu(m, (enum layer)a->layer),
				  .by_probe = true };
}

int measure_prepare(struct measuring *m, struct err *err)
{
	const struct scenario *s = m->p->scenario;
	const struct schema_strings none = { 0 };
	int ret = 0;

	if (!m->p->fifo)
		ret = prepare(m, ACTION_SPIN, LAYER_HOST, m->p->host_cpu, &none, &m->settle[LAYER_HOST], err);
	if (ret == 0 && m->p->guest)
		ret = prepare(m, ACTION_SPIN, LAYER_GUEST, GUEST_MEASURED_CPU, &none, &m->settle[LAYER_GUEST], err);
	if (ret == 0 && s->has_primer && s->primer.by == ACTOR_TASK)
		ret = prepare_action(m, &s->primer, measure_cpu(m, (enum layer)s->primer.layer), &m->primer, err);
	if (ret == 0 && s->has_stimulus)
		ret = prepare_action(m, &s->stimulus, -1, &m->stimulus, err);
	return ret;
}

int measure_fire(struct measuring *m, const struct prepared *who, enum action_role role, unsigned int ms,
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
			     who->layer == LAYER_HOST ? HOST_FIRE_TIMEOUT_MS : AGENT_TIMEOUT_MS, &reply, err);

	if (ret < 0)
		return ret;
	action.t0 = json_get_u64(reply, "t0");
	action.t1 = json_get_u64(reply, "t1");
	action.result = json_get_string(reply, "result");
	action.detail = json_get_string(reply, "detail");
	return bundle_writer_action(m->p->bundle, &action, err);
}
