/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Framed messages between the host's controller and an agent, over vsock or a socket
 * pair. A frame is: u32 length of the payload, u8 kind, payload; little endian.
 * Both ends treat the other as hostile: lengths are checked before anything is allocated.
 *
 * Conversation: the agent connects and sends a JSON "hello" {version, token, layer,
 * tool}; then the controller sends one JSON request {"op": ...} at a time and gets any
 * number of DATA frames, then one JSON reply: {"ok": true, ...} or {"ok": false,
 * "error": "...", "errno": n}.
 */
#ifndef VCPULAT_LINK_H
#define VCPULAT_LINK_H

#include <jansson.h>
#include <stdint.h>

#include "common/err.h"

#define LINK_VERSION 1
#define LINK_MAX_JSON (1U << 20) /* bytes of a JSON frame */
#define LINK_MAX_DATA (1U << 16) /* bytes of a DATA frame */
#define LINK_TOKEN_CHARS 32

enum link_kind { LINK_JSON = 'J', LINK_DATA = 'D' };

/* Where DATA frames go while link_receive() waits for a JSON frame. */
struct link_sink {
	int fd;		    /* written to in order; -1: a DATA frame is a protocol error (-EPROTO) */
	uint64_t max_bytes; /* more than this is -EFBIG: a guest cannot fill our disk */
	uint64_t bytes;	    /* received so far */
};

/**
 * link_send - send one JSON frame
 * @fd: connected stream socket
 * @message: object; borrowed
 * @timeout_ms: for the whole frame; -1: for ever
 *
 * Return: 0, -ETIMEDOUT, -EPIPE, or another -errno.
 */
int link_send(int fd, const json_t *message, int timeout_ms);

/**
 * link_send_data - send the rest of a file as DATA frames
 * @fd: connected stream socket
 * @file_fd: read from its current position to the end
 * @timeout_ms: for each frame
 *
 * Return: 0 or -errno, as link_send().
 */
int link_send_data(int fd, int file_fd, int timeout_ms);

/**
 * link_receive - wait for one JSON frame
 * @fd: connected stream socket
 * @sink: where DATA frames before it go; NULL: none are allowed
 * @timeout_ms: silence longer than this is -ETIMEDOUT; restarts with each frame
 * @ret_message: set to a new reference to an object
 * @err: what the peer did wrong
 *
 * A stop request is heeded between frames only.
 *
 * Return: 0, -ETIMEDOUT, -EINTR on a stop request, -EPROTO for a malformed frame,
 * -EPIPE when the peer is gone, or another -errno.
 */
int link_receive(int fd, struct link_sink *sink, int timeout_ms, json_t **ret_message, struct err *err);

#endif
