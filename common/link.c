// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/link.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "common/mono.h"
#include "common/stop.h"

struct frame_header {
	uint32_t len; /* of the payload, little endian */
	uint8_t kind; /* enum link_kind */
} __attribute__((packed));

/* A frame of them fits one packet of vsock, which takes 64 KiB. */
#define DATA_CHUNK (LINK_MAX_DATA - sizeof(struct frame_header))

struct frame {
	struct frame_header header;
	char payload[];
} __attribute__((packed));

/* When a frame that begins now must be through; -1: never. */
static int64_t deadline(int timeout_ms)
{
	return timeout_ms < 0 ? -1 : mono_ms() + timeout_ms;
}

/* A stop request is heeded between frames only: half a frame would put request and reply out of step for good. */
static int wait_for(int fd, short events, int64_t end_ms, bool begun)
{
	int64_t left = end_ms < 0 ? -1 : end_ms - mono_ms();
	struct pollfd p = { .fd = fd, .events = events };

	if (end_ms >= 0 && left <= 0)
		return -ETIMEDOUT;
	if (!begun)
		return stop_poll(fd, events, (int)left);
	return poll(&p, 1, (int)left) < 0 && errno != EINTR ? -errno : 0;
}

/* What recv() or send() gave: bytes moved, 0 when it would have had to wait, or -errno. */
static ssize_t moved(ssize_t n)
{
	if (n >= 0)
		return n;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		return 0;
	return errno == ECONNRESET ? -EPIPE : -errno;
}

static int send_bytes(int fd, const char *data, size_t len, int64_t end_ms)
{
	while (len > 0) {
		ssize_t n = moved(send(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL));
		int ret = n ? 0 : wait_for(fd, POLLOUT, end_ms, true);

		if (n < 0 || ret < 0)
			return n < 0 ? (int)n : ret;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Header and payload leave together: over vsock each packet costs a guest some exits. */
static int send_frame(int fd, struct frame *frame, enum link_kind kind, size_t len, int timeout_ms)
{
	frame->header = (struct frame_header){ .len = htole32((uint32_t)len), .kind = (uint8_t)kind };
	return send_bytes(fd, (const char *)frame, sizeof(frame->header) + len, deadline(timeout_ms));
}

int link_send(int fd, const json_t *message, int timeout_ms)
{
	size_t len = json_dumpb(message, NULL, 0, JSON_COMPACT);
	_cleanup_free_ struct frame *frame = malloc(sizeof(*frame) + len);

	if (!frame)
		return -ENOMEM;
	if (len == 0 || !json_is_object(message))
		return -EINVAL;
	if (len > LINK_MAX_JSON)
		return -EMSGSIZE;
	json_dumpb(message, frame->payload, len, JSON_COMPACT);
	return send_frame(fd, frame, LINK_JSON, len, timeout_ms);
}

/* Files of proc hand out a page at a time; one frame a page would be slow. */
static ssize_t read_full(int fd, char *buf, size_t room)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, buf + len, room - len);
		if (n < 0 && errno != EINTR)
			return -errno;
		len += n > 0 ? (size_t)n : 0;
	} while (n != 0 && len < room);
	return (ssize_t)len;
}

int link_send_data(int fd, int file_fd, int timeout_ms)
{
	_cleanup_free_ struct frame *frame = malloc(sizeof(*frame) + DATA_CHUNK);
	ssize_t n;
	int ret;

	if (!frame)
		return -ENOMEM;
	for (;;) {
		n = read_full(file_fd, frame->payload, DATA_CHUNK);
		if (n <= 0)
			return (int)n;
		ret = send_frame(fd, frame, LINK_DATA, (size_t)n, timeout_ms);
		if (ret < 0)
			return ret;
	}
}

static int receive_bytes(int fd, void *data, size_t len, int64_t end_ms, bool begun)
{
	char *p = data;

	while (len > 0) {
		ssize_t n = recv(fd, p, len, MSG_DONTWAIT);
		int ret;

		if (n == 0)
			return -EPIPE;
		n = moved(n);
		begun |= n > 0;
		ret = n ? 0 : wait_for(fd, POLLIN, end_ms, begun);
		if (n < 0 || ret < 0)
			return n < 0 ? (int)n : ret;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int check_json_len(uint32_t len, struct err *err)
{
	if (len == 0 || len > LINK_MAX_JSON)
		return err_set(err, -EPROTO, "the peer announces a message of %u bytes; 1 to %u are allowed", len,
			       LINK_MAX_JSON);
	return 0;
}

/* Empty frames are refused too: any number of them would fit below max_bytes. */
static int check_data_len(const struct link_sink *sink, uint32_t len, struct err *err)
{
	if (!sink || sink->fd < 0)
		return err_set(err, -EPROTO, "the peer sends data nobody asked for");
	if (len == 0 || len > LINK_MAX_DATA)
		return err_set(err, -EPROTO, "the peer announces %u bytes of data; 1 to %u are allowed", len,
			       LINK_MAX_DATA);
	if (sink->bytes > sink->max_bytes || len > sink->max_bytes - sink->bytes)
		return err_set(err, -EFBIG, "the peer sends more than %llu bytes", (unsigned long long)sink->max_bytes);
	return 0;
}

static int write_sink(struct link_sink *sink, const char *data, size_t len, struct err *err)
{
	int ret = fs_write_all(sink->fd, data, len);

	if (ret < 0)
		return err_sys(err, ret, "cannot store what the peer sends");
	sink->bytes += len;
	return 0;
}

static int receive_data(int fd, struct link_sink *sink, uint32_t len, int64_t end_ms, struct err *err)
{
	_cleanup_free_ char *buf = NULL;
	int ret = check_data_len(sink, len, err);

	if (ret < 0)
		return ret;
	buf = malloc(len);
	if (!buf)
		return err_sys(err, -ENOMEM, "receiving %u bytes of data", len);
	ret = receive_bytes(fd, buf, len, end_ms, true);
	return ret < 0 ? err_sys(err, ret, "receiving %u bytes of data", len) : write_sink(sink, buf, len, err);
}

static int receive_json(int fd, uint32_t len, int64_t end_ms, json_t **ret_message, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json_t *message = NULL;
	json_error_t fault;
	int ret = check_json_len(len, err);

	if (ret < 0)
		return ret;
	text = malloc(len);
	if (!text)
		return err_sys(err, -ENOMEM, "receiving a message of %u bytes", len);
	ret = receive_bytes(fd, text, len, end_ms, true);
	if (ret < 0)
		return err_sys(err, ret, "receiving a message of %u bytes", len);
	message = json_loadb(text, len, JSON_REJECT_DUPLICATES, &fault);
	if (!message)
		return err_set(err, -EPROTO, "the peer sends malformed JSON: %s", fault.text);
	if (!json_is_object(message))
		return err_set(err, -EPROTO, "the peer sends JSON that is no object");
	*ret_message = TAKE_PTR(message);
	return 0;
}

int link_receive(int fd, struct link_sink *sink, int timeout_ms, json_t **ret_message, struct err *err)
{
	struct frame_header header;
	int64_t end_ms;
	int ret;

	for (;;) {
		end_ms = deadline(timeout_ms);
		ret = receive_bytes(fd, &header, sizeof(header), end_ms, false);
		if (ret < 0)
			return err_sys(err, ret, "waiting for the peer");
		if (header.kind == LINK_JSON)
			return receive_json(fd, le32toh(header.len), end_ms, ret_message, err);
		if (header.kind != LINK_DATA)
			return err_set(err, -EPROTO, "the peer sends a frame of unknown kind %u", header.kind);
		ret = receive_data(fd, sink, le32toh(header.len), end_ms, err);
		if (ret < 0)
			return ret;
	}
}
