// SPDX-License-Identifier: GPL-2.0-or-later
/* A measurement whose agent refuses to begin. */
#include "host/measure.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/link.h"
#include "host/agent.h"
#include "host/progress.h"

/* Does whatever it is asked for, but one thing. */
struct peer {
	int fd;
	const char *refuses;
	int with; /* errno */
};

static void *serve(void *ctx)
{
	const struct peer *p = ctx;
	_cleanup_json_ json_t *hello =
		json_pack("{s:i, s:s, s:s, s:s}", "version", LINK_VERSION, "token", "", "layer", "host", "tool", "0");
	json_t *request;

	link_send(p->fd, hello, 1000);
	while (link_receive(p->fd, NULL, 5000, &request, NULL) == 0) {
		bool refused = strcmp(json_get_string(request, "op"), p->refuses) == 0;
		_cleanup_json_ json_t *reply = json_pack("{s:b, s:i, s:s, s:i}", "ok", !refused, "errno", p->with,
							 "error", "not here", "hz", 1000000000);

		link_send(p->fd, reply, 1000);
		json_decref(request);
	}
	close(p->fd);
	return NULL;
}

static int measure(struct agent *agent, const char *dir, struct err *err)
{
	const struct scenario scenario = {
		.has_primer = true,
		.primer = { .kind = ACTION_TOUCH, .by = ACTOR_PROBE, .layer = LAYER_HOST, .period_ns = 1000000000 },
		.windows = { .length_ns = 1000000000, .armed_ns = 1000000000 },
	};
	struct progress progress = { .fd = -1, .phase = "", .scenario = "", .guest = "" };
	unsigned int probes = 0;
	struct measure_params params = {
		.scenario = &scenario, .host_agent = agent, .seed = 1, .probes = &probes, .progress = &progress
	};
	_cleanup_measured_ struct measured measured = { 0 };
	int ret = bundle_writer_open(dir, "run", &params.bundle, err);

	if (ret == 0)
		ret = measure_run(&params, &measured, err);
	bundle_writer_close(params.bundle);
	return ret;
}

/* Be it a worker's or the probe's own: what an action wants and this kernel has not is a skip. */
static void missing_thing_is_a_skip(void **state)
{
	static const struct {
		const char *refuses;
		int with;
		int ret;
	} cases[] = {
		{ "stimulus.prepare", ENODEV, -ENOTSUP },
		{ "stimulus.prepare", ENOMEM, -ENOMEM },
		{ "probe.start", ENODEV, -ENOTSUP },
		{ "probe.start", ENOMEM, -ENOMEM },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char dir[] = "/tmp/vcpulat-test-XXXXXX";
		struct peer peer = { .refuses = cases[i].refuses, .with = cases[i].with };
		struct agent *agent = NULL;
		struct err err = { "" };
		pthread_t thread;
		int fds[2];

		assert_non_null(mkdtemp(dir));
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
		peer.fd = fds[1];
		assert_int_equal(pthread_create(&thread, NULL, serve, &peer), 0);
		assert_int_equal(agent_adopt(fds[0], "host", NULL, &agent, NULL), 0);
		assert_int_equal(measure(agent, dir, &err), cases[i].ret);
		assert_non_null(strstr(err.msg, "not here"));
		agent_quit(agent);
		pthread_join(thread, NULL);
		fs_remove_tree(dir, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(missing_thing_is_a_skip) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
