/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The controller's end of the link to an agent. One request at a time; what comes back,
 * also from a guest, is checked and bounded. Not for concurrent use.
 */
#ifndef VCPULAT_HOST_AGENT_H
#define VCPULAT_HOST_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "common/link.h"

#define AGENT_TIMEOUT_MS 20000 /* for what an agent answers at once; its CPU may be emulated */

struct agent;

/**
 * agent_start_local - start the host's agent and shake hands
 * @program: the agent binary
 * @housekeeping: CPU list it may run on
 * @ret: handle
 * @err: says what failed
 *
 * Return: 0 or -errno.
 */
int agent_start_local(const char *program, const char *housekeeping, struct agent **ret, struct err *err);

/**
 * agent_token - draw the token that a guest's agent must present
 * @ret: LINK_TOKEN_CHARS hexadecimal digits and a NUL
 *
 * Return: 0 or -errno.
 */
int agent_token(char ret[static LINK_TOKEN_CHARS + 1]);

/**
 * agent_listen - open a vsock port for a guest's agent
 * @ret_port: the port, chosen by the kernel
 * @err: says what failed
 *
 * Return: a descriptor, or -errno.
 */
int agent_listen(unsigned int *ret_port, struct err *err);

/**
 * agent_accept - take the connection of a guest's agent and shake hands
 * @listen_fd: as agent_listen() returned it
 * @token: what the agent must present
 * @timeout_ms: to wait for a connection
 * @ret: handle
 * @err: says what failed
 *
 * A stranger (wrong token, wrong version) is turned away.
 * Return: 0, -ETIMEDOUT when nobody came, -EINTR on a stop request, -EACCES for a wrong
 * token, -EPROTO for a wrong version or hello, or another -errno.
 */
int agent_accept(int listen_fd, const char *token, int timeout_ms, struct agent **ret, struct err *err);

/**
 * agent_adopt - shake hands over a connected socket
 * @fd: owned by the agent from now on, also after a failure
 * @layer: "host" or "guest": what the agent must call itself
 * @token: what it must present; NULL: nothing
 * @ret: handle
 * @err: says what the peer did wrong
 *
 * Return: as agent_accept().
 */
int agent_adopt(int fd, const char *layer, const char *token, struct agent **ret, struct err *err);

/**
 * agent_call - one request, one reply
 * @agent: handle
 * @request: {"op": ...}; the reference is stolen, also after a failure; NULL gives -ENOMEM
 * @timeout_ms: for the reply
 * @ret_reply: set to the reply, a new reference; may be NULL
 * @err: what the agent said, with op and layer
 *
 * After a failure of the link itself (not of the request) every later call gives -EPIPE.
 * Return: 0; the errno that the agent gave, negative; -ETIMEDOUT; -EINTR on a stop request; -EPIPE; -EPROTO.
 */
int agent_call(struct agent *agent, json_t *request, int timeout_ms, json_t **ret_reply, struct err *err);

/**
 * agent_fetch - one request whose DATA go to a file
 * @agent: handle
 * @request: as agent_call()
 * @path: created; removed again after a failure
 * @max_bytes: more is an error: a guest cannot fill our disk
 * @err: as agent_call()
 *
 * Return: as agent_call(), or -EFBIG.
 */
int agent_fetch(struct agent *agent, json_t *request, const char *path, uint64_t max_bytes, struct err *err);

/**
 * agent_on_silence - have something done when an agent is slow to answer
 * @agent: handle
 * @silence_ms: without a reply for so long
 * @rescue: called then, and again after as long; must not use @agent
 * @ctx: for @rescue
 */
void agent_on_silence(struct agent *agent, int silence_ms, void (*rescue)(void *ctx), void *ctx);

/**
 * agent_quit - ask the agent to end, wait for a local one, free the handle
 * @agent: NULL is fine
 */
void agent_quit(struct agent *agent);

/** agent_is_lost - did a call fail so that nothing more can be asked? */
bool agent_is_lost(const struct agent *agent);

#endif
