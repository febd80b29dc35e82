// SPDX-License-Identifier: GPL-2.0-or-later
/* The controller's end of the link, against a peer that plays a script. */
#include "host/agent.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <linux/sockios.h>

#include "common/fs.h"
#include "common/json.h"
#include "common/stop.h"

#define TOKEN "00112233445566778899aabbccddeeff"
#define HELLO(version, token, layer)                                                                                   \
	"{\"version\":" version ",\"token\":\"" token "\",\"layer\":\"" layer "\",\"tool\":\"0\"}"
#define GOOD_HELLO HELLO("1", TOKEN, "guest")

/* What the peer says: at once, and for each request. */
struct script {
	const char *hello;    /* NULL: hangs up */
	const char *reply[4]; /* NULL: hangs up */
	const char *data;     /* before the first reply; NULL: none */
	int fd;
	pthread_t thread;
};

static void say(int fd, const char *text)
{
	_cleanup_json_ json_t *message = json_loads(text, 0, NULL);

	link_send(fd, message, 1000);
}

static void say_data(int fd, const char *text)
{
	_cleanup_close_ int file = memfd_create("data", 0);

	if (write(file, text, strlen(text)) > 0 && lseek(file, 0, SEEK_SET) == 0)
		link_send_data(fd, file, 1000);
}

static void *play(void *arg)
{
	struct script *s = arg;

	if (s->hello)
		say(s->fd, s->hello);
	for (size_t i = 0; s->hello && i < ARRAY_SIZE(s->reply) && s->reply[i]; i++) {
		json_t *request = NULL;

		if (link_receive(s->fd, NULL, 2000, &request, NULL) < 0)
			break;
		json_decref(request);
		if (i == 0 && s->data)
			say_data(s->fd, s->data);
		say(s->fd, s->reply[i]);
	}
	close(s->fd);
	return NULL;
}

static int begin(struct script *s)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	s->fd = fds[1];
	assert_int_equal(pthread_create(&s->thread, NULL, play, s), 0);
	return fds[0];
}

static void end(struct script *s)
{
	pthread_join(s->thread, NULL);
}

static json_t *request(const char *op)
{
	return json_pack("{s:s}", "op", op);
}

static int adopt_code(const char *hello, struct err *err)
{
	struct script s = { .hello = hello };
	struct agent *agent = NULL;
	int ret = agent_adopt(begin(&s), "guest", TOKEN, &agent, err);

	agent_quit(agent);
	end(&s);
	return ret;
}

static void test_hello(void **state)
{
	struct err err = { "" };

	(void)state;
	assert_int_equal(adopt_code(GOOD_HELLO, &err), 0);
	assert_int_equal(adopt_code(HELLO("2", TOKEN, "guest"), &err), -EPROTO);
	assert_non_null(strstr(err.msg, "version 2"));
	assert_int_equal(adopt_code(HELLO("1", TOKEN, "host"), &err), -EPROTO);
	assert_int_equal(adopt_code(HELLO("1", "0", "guest"), &err), -EACCES);
	assert_int_equal(adopt_code(HELLO("1", "00112233445566778899aabbccddeefe", "guest"), &err), -EACCES);
	assert_int_equal(adopt_code("{}", &err), -EPROTO);
	assert_int_equal(adopt_code(NULL, &err), -EPIPE);
}

static void test_call(void **state)
{
	struct script s = { .hello = GOOD_HELLO,
			    .reply = { "{\"ok\":true,\"n\":5}",
				       "{\"ok\":false,\"error\":\"no such thing\",\"errno\":2}", "{\"ok\":true}" } };
	_cleanup_json_ json_t *reply = NULL;
	struct agent *agent = NULL;
	struct err err = { "" };

	(void)state;
	assert_int_equal(agent_adopt(begin(&s), "guest", TOKEN, &agent, &err), 0);
	assert_int_equal(agent_call(agent, request("one"), 2000, &reply, &err), 0);
	assert_int_equal(json_get_u64(reply, "n"), 5);
	assert_int_equal(agent_call(agent, request("two"), 2000, NULL, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "two"));
	assert_non_null(strstr(err.msg, "no such thing"));
	assert_int_equal(agent_call(agent, request("three"), 2000, NULL, &err), 0);
	agent_quit(agent);
	end(&s);
}

static void test_wild_errno(void **state)
{
	struct script s = { .hello = GOOD_HELLO, .reply = { "{\"ok\":false,\"errno\":99999999999}", "{\"ok\":7}" } };
	struct agent *agent = NULL;
	struct err err = { "" };

	(void)state;
	assert_int_equal(agent_adopt(begin(&s), "guest", TOKEN, &agent, &err), 0);
	assert_int_equal(agent_call(agent, request("one"), 2000, NULL, &err), -EIO);
	assert_int_equal(agent_call(agent, request("two"), 2000, NULL, &err), -EIO);
	agent_quit(agent);
	end(&s);
}

static void test_lost_link_stays_lost(void **state)
{
	struct script s = { .hello = GOOD_HELLO };
	struct agent *agent = NULL;
	struct err err = { "" };

	(void)state;
	assert_int_equal(agent_adopt(begin(&s), "guest", TOKEN, &agent, &err), 0);
	end(&s);
	assert_int_equal(agent_call(agent, request("one"), 2000, NULL, &err), -EPIPE);
	assert_int_equal(agent_call(agent, request("two"), 2000, NULL, &err), -EPIPE);
	assert_non_null(strstr(err.msg, "lost before"));
	agent_quit(agent);
}

/* A late reply must not be taken for that of the next request. */
static void test_no_call_after_a_time_out(void **state)
{
	struct agent *agent = NULL;
	struct err err = { "" };
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	say(fds[1], GOOD_HELLO);
	assert_int_equal(agent_adopt(fds[0], "guest", TOKEN, &agent, &err), 0);
	assert_int_equal(agent_call(agent, request("one"), 20, NULL, &err), -ETIMEDOUT);
	say(fds[1], "{\"ok\":true}");
	assert_int_equal(agent_call(agent, request("two"), 20, NULL, &err), -EPIPE);
	agent_quit(agent);
	close(fds[1]);
}

static void test_fetch(void **state)
{
	char path[] = "/tmp/vcpulat-test-XXXXXX";
	_cleanup_close_ int fd = mkstemp(path);
	struct script s = { .hello = GOOD_HELLO, .reply = { "{\"ok\":true,\"bytes\":5}" }, .data = "hello" };
	_cleanup_free_ char *text = NULL;
	struct agent *agent = NULL;
	struct err err = { "" };

	(void)state;
	assert_int_equal(agent_adopt(begin(&s), "guest", TOKEN, &agent, &err), 0);
	assert_int_equal(agent_fetch(agent, request("file"), path, 100, &err), 0);
	assert_int_equal(fs_read_line(path, &text, &err), 0);
	assert_string_equal(text, "hello");
	agent_quit(agent);
	end(&s);
	unlink(path);
}

static void test_fetch_is_bounded(void **state)
{
	char path[] = "/tmp/vcpulat-test-XXXXXX";
	_cleanup_close_ int fd = mkstemp(path);
	struct script s = { .hello = GOOD_HELLO, .reply = { "{\"ok\":true}" }, .data = "hello" };
	struct agent *agent = NULL;
	struct err err = { "" };

	(void)state;
	assert_int_equal(agent_adopt(begin(&s), "guest", TOKEN, &agent, &err), 0);
	assert_int_equal(agent_fetch(agent, request("file"), path, 4, &err), -EFBIG);
	assert_false(fs_exists(path));
	agent_quit(agent);
	end(&s);
}

static void test_data_that_nobody_asked_for(void **state)
{
	struct script s = { .hello = GOOD_HELLO, .reply = { "{\"ok\":true}" }, .data = "hello" };
	struct agent *agent = NULL;
	struct err err = { "" };

	(void)state;
	assert_int_equal(agent_adopt(begin(&s), "guest", TOKEN, &agent, &err), 0);
	assert_int_equal(agent_call(agent, request("facts"), 2000, NULL, &err), -EPROTO);
	agent_quit(agent);
	end(&s);
}

static void count_call(void *ctx)
{
	(*(int *)ctx)++;
}

static void test_silence(void **state)
{
	struct agent *agent = NULL;
	struct err err = { "" };
	int calls = 0;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	say(fds[1], GOOD_HELLO);
	assert_int_equal(agent_adopt(fds[0], "guest", TOKEN, &agent, &err), 0);
	agent_on_silence(agent, 20, count_call, &calls);
	say(fds[1], "{\"ok\":true}");
	assert_int_equal(agent_call(agent, request("one"), 100, NULL, &err), 0);
	assert_int_equal(calls, 0);
	assert_int_equal(agent_call(agent, request("two"), 100, NULL, &err), -ETIMEDOUT);
	assert_int_equal(calls, 5);
	agent_quit(agent);
	close(fds[1]);
}

static void press_ctrl_c(void *ctx)
{
	(void)ctx;
	raise(SIGINT);
}

/* Ctrl-C while a reply is due: what was measured is still fetched over the same link. */
static void test_stop_request(void **state)
{
	_cleanup_json_ json_t *reply = NULL;
	struct agent *agent = NULL;
	struct err err = { "" };
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	say(fds[1], GOOD_HELLO);
	assert_int_equal(agent_adopt(fds[0], "guest", TOKEN, &agent, &err), 0);
	agent_on_silence(agent, 20, press_ctrl_c, NULL);
	assert_int_equal(agent_call(agent, request("one"), 1000, NULL, &err), -EINTR);
	assert_true(stop_requested());
	agent_on_silence(agent, 0, NULL, NULL);
	assert_int_equal(agent_call(agent, request("not sent"), 1000, NULL, &err), -EINTR);
	stop_acknowledge();
	assert_false(stop_requested());
	say(fds[1], "{\"ok\":true,\"n\":1}");
	say(fds[1], "{\"ok\":true,\"n\":2}");
	assert_int_equal(agent_call(agent, request("two"), 1000, &reply, &err), 0);
	assert_int_equal(json_get_u64(reply, "n"), 2);
	agent_quit(agent);
	close(fds[1]);
}

/* Answers a request with half a frame, presses Ctrl-C when that half was read, and sends the rest. */
static void *interrupt_a_frame(void *arg)
{
	static const char frame[] = { 11, 0, 0, 0, LINK_JSON, '{', '"', 'o', 'k', '"', ':', 't', 'r', 'u', 'e', '}' };
	int fd = *(int *)arg;
	json_t *request = NULL;
	int unread = 1;

	if (link_receive(fd, NULL, 2000, &request, NULL) == 0 && write(fd, frame, 8) == 8) {
		while (ioctl(fd, SIOCOUTQ, &unread) == 0 && unread > 0)
			sched_yield();
		raise(SIGINT);
		if (write(fd, frame + 8, sizeof(frame) - 8) < 0)
			unread = -1;
	}
	json_decref(request);
	return NULL;
}

static void test_stop_request_within_a_frame(void **state)
{
	struct agent *agent = NULL;
	struct err err = { "" };
	pthread_t thread;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	say(fds[1], GOOD_HELLO);
	assert_int_equal(agent_adopt(fds[0], "guest", TOKEN, &agent, &err), 0);
	assert_int_equal(pthread_create(&thread, NULL, interrupt_a_frame, &fds[1]), 0);
	assert_int_equal(agent_call(agent, request("one"), 2000, NULL, &err), 0);
	pthread_join(thread, NULL);
	assert_true(stop_requested());
	stop_acknowledge();
	say(fds[1], "{\"ok\":true}");
	assert_int_equal(agent_call(agent, request("two"), 1000, NULL, &err), 0);
	agent_quit(agent);
	close(fds[1]);
}

static void test_tokens_differ(void **state)
{
	char a[LINK_TOKEN_CHARS + 1];
	char b[LINK_TOKEN_CHARS + 1];

	(void)state;
	assert_int_equal(agent_token(a), 0);
	assert_int_equal(agent_token(b), 0);
	assert_int_equal(strlen(a), LINK_TOKEN_CHARS);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_wild_errno),
		cmocka_unit_test(test_lost_link_stays_lost),
		cmocka_unit_test(test_no_call_after_a_time_out),
		cmocka_unit_test(test_fetch),
		cmocka_unit_test(test_fetch_is_bounded),
		cmocka_unit_test(test_data_that_nobody_asked_for),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_stop_request),
		cmocka_unit_test(test_stop_request_within_a_frame),
		cmocka_unit_test(test_tokens_differ),
	};

	return stop_install() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
