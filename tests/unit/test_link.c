// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames over a socket pair: what passes, and what a hostile peer may try. */
#include "common/link.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/json.h"

#define SHORT_MS 50

struct pair {
	int ours;
	int theirs;
};

static int setup(void **state)
{
	static struct pair pair;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	pair = (struct pair){ fds[0], fds[1] };
	*state = &pair;
	return 0;
}

static int teardown(void **state)
{
	struct pair *pair = *state;

	if (pair->ours >= 0)
		close(pair->ours);
	if (pair->theirs >= 0)
		close(pair->theirs);
	return 0;
}

static void send_raw(int fd, uint32_t len, char kind, const void *payload, size_t bytes)
{
	unsigned char header[5] = { len & 255, len >> 8 & 255, len >> 16 & 255, len >> 24, (unsigned char)kind };

	assert_int_equal(write(fd, header, sizeof(header)), sizeof(header));
	assert_int_equal(write(fd, payload, bytes), bytes);
}

static int memory_file(const char *text)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void message_passes(void **state)
{
	struct pair *pair = *state;
	_cleanup_json_ json_t *out = json_pack("{s:s, s:I}", "op", "clock", "n", (json_int_t)1 << 62);
	_cleanup_json_ json_t *in = NULL;

	assert_int_equal(link_send(pair->theirs, out, SHORT_MS), 0);
	assert_int_equal(link_receive(pair->ours, NULL, SHORT_MS, &in, NULL), 0);
	assert_true(json_equal(in, out));
}

static void data_then_reply(void **state)
{
	struct pair *pair = *state;
	_cleanup_close_ int source = memory_file("what a file holds");
	_cleanup_close_ int target = memory_file("");
	struct link_sink sink = { .fd = target, .max_bytes = 17 };
	_cleanup_json_ json_t *out = json_pack("{s:b}", "ok", 1);
	_cleanup_json_ json_t *in = NULL;
	char text[32] = "";

	assert_int_equal(link_send_data(pair->theirs, source, SHORT_MS), 0);
	assert_int_equal(link_send(pair->theirs, out, SHORT_MS), 0);
	assert_int_equal(link_receive(pair->ours, &sink, SHORT_MS, &in, NULL), 0);
	assert_int_equal(sink.bytes, 17);
	assert_int_equal(pread(target, text, sizeof(text), 0), 17);
	assert_string_equal(text, "what a file holds");
}

static void larger_than_a_frame(void **state)
{
	struct pair *pair = *state;
	_cleanup_close_ int source = memory_file("");
	_cleanup_close_ int target = memory_file("");
	struct link_sink sink = { .fd = target, .max_bytes = UINT64_MAX };
	_cleanup_json_ json_t *in = NULL;

	assert_int_equal(ftruncate(source, LINK_MAX_DATA + 10), 0);
	assert_int_equal(link_send_data(pair->theirs, source, SHORT_MS), 0);
	send_raw(pair->theirs, 2, LINK_JSON, "{}", 2);
	assert_int_equal(link_receive(pair->ours, &sink, SHORT_MS, &in, NULL), 0);
	assert_int_equal(sink.bytes, LINK_MAX_DATA + 10);
}

static void only_objects_are_sent(void **state)
{
	struct pair *pair = *state;
	_cleanup_json_ json_t *array = json_array();

	assert_int_equal(link_send(pair->theirs, array, SHORT_MS), -EINVAL);
}

static void no_endless_message_is_sent(void **state)
{
	struct pair *pair = *state;
	_cleanup_free_ char *text = calloc(1, LINK_MAX_JSON + 1);
	_cleanup_json_ json_t *big = NULL;

	memset(text, 'x', LINK_MAX_JSON);
	big = json_pack("{s:s}", "text", text);
	assert_int_equal(link_send(pair->theirs, big, SHORT_MS), -EMSGSIZE);
}

static void full_socket_times_out(void **state)
{
	struct pair *pair = *state;
	_cleanup_close_ int source = memory_file("");

	assert_int_equal(ftruncate(source, 16 << 20), 0);
	assert_int_equal(link_send_data(pair->theirs, source, SHORT_MS), -ETIMEDOUT);
}

static void silence_times_out(void **state)
{
	struct pair *pair = *state;
	json_t *in = NULL;

	assert_int_equal(link_receive(pair->ours, NULL, SHORT_MS, &in, NULL), -ETIMEDOUT);
	assert_null(in);
}

static void gone_peer(void **state)
{
	struct pair *pair = *state;
	_cleanup_json_ json_t *out = json_pack("{s:b}", "ok", 1);
	json_t *in = NULL;

	close(pair->theirs);
	pair->theirs = -1;
	assert_int_equal(link_receive(pair->ours, NULL, SHORT_MS, &in, NULL), -EPIPE);
	assert_int_equal(link_send(pair->ours, out, SHORT_MS), -EPIPE);
}

static void gone_in_mid_frame(void **state)
{
	struct pair *pair = *state;
	json_t *in = NULL;

	send_raw(pair->theirs, 100, LINK_JSON, "{", 1);
	close(pair->theirs);
	pair->theirs = -1;
	assert_int_equal(link_receive(pair->ours, NULL, SHORT_MS, &in, NULL), -EPIPE);
}

static void data_within_the_limit_only(void **state)
{
	struct pair *pair = *state;
	_cleanup_close_ int target = memory_file("");
	struct link_sink sink = { .fd = target, .max_bytes = 5 };
	struct err err = { "" };
	json_t *in = NULL;

	send_raw(pair->theirs, 3, LINK_DATA, "abc", 3);
	send_raw(pair->theirs, 3, LINK_DATA, "def", 3);
	assert_int_equal(link_receive(pair->ours, &sink, SHORT_MS, &in, &err), -EFBIG);
	assert_int_equal(sink.bytes, 3);
	assert_string_equal(err.msg, "the peer sends more than 5 bytes");
}

/* One line a frame that must be refused at once, before its payload is allocated or awaited. */
static const struct hostile {
	const char *what;
	uint32_t len;
	char kind;
	const char *payload;
	bool sink; /* data is expected */
	int expected;
} hostile[] = {
	{ "huge message", 0xffffffff, LINK_JSON, "", true, -EPROTO },
	{ "message one byte too long", LINK_MAX_JSON + 1, LINK_JSON, "", true, -EPROTO },
	{ "empty message", 0, LINK_JSON, "", true, -EPROTO },
	{ "huge data", 0xffffffff, LINK_DATA, "", true, -EPROTO },
	{ "data one byte too long", LINK_MAX_DATA + 1, LINK_DATA, "", true, -EPROTO },
	{ "empty data", 0, LINK_DATA, "", true, -EPROTO },
	{ "unexpected data", 3, LINK_DATA, "abc", false, -EPROTO },
	{ "unknown kind", 2, 'X', "{}", true, -EPROTO },
	{ "kind zero", 2, 0, "{}", true, -EPROTO },
	{ "no JSON", 3, LINK_JSON, "}{!", true, -EPROTO },
	{ "an array", 2, LINK_JSON, "[]", true, -EPROTO },
	{ "a number", 1, LINK_JSON, "1", true, -EPROTO },
	{ "a key twice", 13, LINK_JSON, "{\"a\":1,\"a\":2}", true, -EPROTO },
	{ "something after the object", 4, LINK_JSON, "{}{}", true, -EPROTO },
	{ "no UTF-8", 8, LINK_JSON, "{\"\xff\":\"\"}", true, -EPROTO },
};

static void hostile_frames(void **state)
{
	struct pair *pair = *state;
	_cleanup_close_ int target = memory_file("");
	struct link_sink sink = { .fd = target, .max_bytes = UINT64_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		const struct hostile *h = &hostile[i];
		struct err err = { "" };
		json_t *in = NULL;
		char rest[64];
		int ret;

		send_raw(pair->theirs, h->len, h->kind, h->payload, strlen(h->payload));
		ret = link_receive(pair->ours, h->sink ? &sink : NULL, SHORT_MS, &in, &err);
		if (ret != h->expected || !err.msg[0] || in)
			fail_msg("%s: %d '%s'", h->what, ret, err.msg);
		while (recv(pair->ours, rest, sizeof(rest), MSG_DONTWAIT) > 0)
			;
	}
}

static void deep_nesting(void **state)
{
	struct pair *pair = *state;
	_cleanup_free_ char *text = malloc(100000);
	json_t *in = NULL;

	memset(text, '[', 100000);
	send_raw(pair->theirs, 100000, LINK_JSON, text, 100000);
	assert_int_equal(link_receive(pair->ours, NULL, SHORT_MS, &in, NULL), -EPROTO);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(message_passes),
		TEST(data_then_reply),
		TEST(larger_than_a_frame),
		TEST(only_objects_are_sent),
		TEST(no_endless_message_is_sent),
		TEST(full_socket_times_out),
		TEST(silence_times_out),
		TEST(gone_peer),
		TEST(gone_in_mid_frame),
		TEST(data_within_the_limit_only),
		TEST(hostile_frames),
		TEST(deep_nesting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
