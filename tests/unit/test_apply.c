// SPDX-License-Identifier: GPL-2.0-or-later
/* Checks and settings of a scenario, in a guest that is an agent over a socket pair; no root needed. */
#include "host/apply.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agents/agent.h"
#include "agents/ops.h"
#include "common/fs.h"
#include "common/json.h"
#include "host/checks.h"

#define TOKEN "00112233445566778899aabbccddeeff"

struct place {
	char dir[64];
	char file[96];
	char other[96];
	char missing[96];
	struct settings *settings;
	struct agent *guest;
	pid_t pid;
	json_t *guest_old;
};

static void serve(int fd)
{
	struct agent agent = { .link_fd = fd };
	_cleanup_json_ json_t *hello = json_pack("{s:i, s:s, s:s, s:s}", "version", LINK_VERSION, "token", TOKEN,
						 "layer", "guest", "tool", "0");

	sched_getaffinity(0, sizeof(agent.housekeeping), &agent.housekeeping);
	if (link_send(fd, hello, 1000) == 0)
		ops_serve(&agent, NULL);
	ops_done(&agent);
}

static int start_guest(struct place *p)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	p->pid = fork();
	if (p->pid == 0) {
		close(fds[0]);
		serve(fds[1]);
		_exit(0);
	}
	close(fds[1]);
	return agent_adopt(fds[0], "guest", TOKEN, &p->guest, NULL);
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->dir, "/tmp/vcpulat-test-XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	snprintf(p->file, sizeof(p->file), "%s/interval", p->dir);
	snprintf(p->other, sizeof(p->other), "%s/choice", p->dir);
	snprintf(p->missing, sizeof(p->missing), "%s/missing", p->dir);
	p->guest_old = json_array();
	*state = p;
	return fs_write(p->file, "60\n", NULL) | fs_write(p->other, "always [madvise] never\n", NULL) |
	       settings_open(p->dir, &p->settings, NULL) | start_guest(p);
}

static int tear_down(void **state)
{
	struct place *p = *state;

	agent_quit(p->guest);
	waitpid(p->pid, NULL, 0);
	settings_close(p->settings);
	json_decref(p->guest_old);
	fs_remove_tree(p->dir, NULL);
	free(p);
	return 0;
}

static void assert_holds(const char *path, const char *want)
{
	_cleanup_free_ char *text = NULL;

	assert_int_equal(fs_read_line(path, &text, NULL), 0);
	assert_string_equal(text, want);
}

static int check(struct place *p, int layer, char *path, const char *equals, struct err *err)
{
	struct scenario_check one = { .layer = layer, .path = path, .equals = (char *)equals };
	struct scenario scenario = { .checks = { .item = &one, .count = 1 } };

	return checks_guest(&scenario, p->guest, err);
}

static void guest_checks_are_made_in_the_guest(void **state)
{
	struct place *p = *state;
	struct err err = { "" };

	assert_int_equal(check(p, LAYER_GUEST, p->file, "", &err), 0);
	assert_int_equal(check(p, LAYER_GUEST, p->dir, "", &err), 0);
	assert_int_equal(check(p, LAYER_GUEST, p->file, "60", &err), 0);
	assert_int_equal(check(p, LAYER_HOST, p->missing, "", &err), 0);
	assert_int_equal(check(p, LAYER_GUEST, p->file, "61", &err), -ENOTSUP);
	assert_non_null(strstr(err.msg, "in its guest"));
	assert_non_null(strstr(err.msg, p->file));
	assert_non_null(strstr(err.msg, "holds 60"));
	assert_int_equal(check(p, LAYER_GUEST, p->missing, "", &err), -ENOTSUP);
	assert_non_null(strstr(err.msg, p->missing));
	assert_int_equal(check(p, LAYER_GUEST, p->missing, "60", &err), -ENOTSUP);
	assert_int_equal(check(p, LAYER_GUEST, p->dir, "60", &err), -ENOTSUP);
	assert_non_null(strstr(err.msg, "cannot be read"));
}

/* A guest that is gone is no guest without a file. */
static void lost_guest_is_a_failure(void **state)
{
	struct place *p = *state;
	struct err err = { "" };

	assert_int_equal(agent_call(p->guest, json_pack("{s:s}", "op", "quit"), 5000, NULL, NULL), 0);
	assert_int_equal(check(p, LAYER_GUEST, p->file, "", &err), -EPIPE);
}

static int apply(struct place *p, const struct scenario_setting *settings, size_t count, struct err *err)
{
	struct scenario scenario = { .settings = { .item = (void *)settings, .count = count } };

	return apply_settings(&scenario, p->settings, p->guest, p->guest_old, err);
}

static void both_layers_are_set_and_undone(void **state)
{
	struct place *p = *state;
	const struct scenario_setting settings[] = {
		{ .layer = LAYER_HOST, .path = p->file, .value = (char *)"1" },
		{ .layer = LAYER_GUEST, .path = p->other, .value = (char *)"never" },
		{ .layer = LAYER_GUEST, .path = p->other, .value = (char *)"always" },
	};
	struct err err = { "" };
	bool guest_changed = true;

	assert_int_equal(apply(p, settings, ARRAY_SIZE(settings), &err), 0);
	assert_holds(p->file, "1");
	assert_holds(p->other, "always");
	assert_int_equal(apply_undo(p->settings, p->guest, p->guest_old, &guest_changed, &err), 0);
	assert_false(guest_changed);
	assert_holds(p->file, "60");
	assert_holds(p->other, "madvise");
}

static void guest_that_keeps_a_setting_is_told(void **state)
{
	struct place *p = *state;
	const struct scenario_setting setting = { .layer = LAYER_GUEST, .path = p->other, .value = (char *)"never" };
	bool guest_changed = false;

	assert_int_equal(apply(p, &setting, 1, NULL), 0);
	unlink(p->other);
	assert_int_equal(apply_undo(p->settings, p->guest, p->guest_old, &guest_changed, NULL), 0);
	assert_true(guest_changed);
}

static void missing_file_is_a_skip_unless_optional(void **state)
{
	struct place *p = *state;

	for (int layer = 0; layer < LAYER_MAX; layer++) {
		struct scenario_setting settings[] = {
			{ .layer = layer, .path = p->missing, .value = (char *)"1", .optional = true },
			{ .layer = layer, .path = p->file, .value = (char *)"1" },
			{ .layer = layer, .path = p->missing, .value = (char *)"1" },
		};
		struct err err = { "" };
		bool guest_changed;

		assert_int_equal(apply(p, settings, ARRAY_SIZE(settings), &err), -ENOTSUP);
		assert_non_null(strstr(err.msg, p->missing));
		assert_non_null(strstr(err.msg, layer_name((enum layer)layer)));
		assert_false(fs_exists(p->missing));
		assert_holds(p->file, "1");
		assert_int_equal(apply_undo(p->settings, p->guest, p->guest_old, &guest_changed, NULL), 0);
		assert_holds(p->file, "60");
	}
}

/* What is there, but will not be changed, is a failure. */
static void refused_value_is_a_failure(void **state)
{
	struct place *p = *state;
	const struct scenario_setting settings[] = { { .layer = LAYER_GUEST, .path = p->dir, .value = (char *)"1" } };
	struct err err = { "" };

	assert_int_equal(apply(p, settings, ARRAY_SIZE(settings), &err), -EISDIR);
	assert_non_null(strstr(err.msg, p->dir));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(guest_checks_are_made_in_the_guest),     TEST(lost_guest_is_a_failure),
		TEST(both_layers_are_set_and_undone),	      TEST(guest_that_keeps_a_setting_is_told),
		TEST(missing_file_is_a_skip_unless_optional), TEST(refused_value_is_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
