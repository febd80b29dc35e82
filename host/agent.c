// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <linux/vm_sockets.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/process.h"
#include "common/stop.h"

#define HELLO_TIMEOUT_MS 20000
#define QUIT_TIMEOUT_MS 2000
#define FETCH_TIMEOUT_MS 60000

struct agent {
	int fd;
	pid_t pid;    /* of a local agent; 0: none */
	bool broken;  /* request and reply may be out of step: nothing more is sent */
	bool pending; /* a stop request came before the last reply, which nobody waits for any more */
	char layer[8];
	int silence_ms;
	void (*rescue)(void *ctx); /* NULL: nobody to call */
	void *rescue_ctx;
};

/* In constant time: how long it takes does not tell a guest how much it guessed. */
static bool same_token(const char *a, const char *b)
{
	unsigned char diff = 0;

	if (strlen(a) != strlen(b))
		return false;
	for (size_t i = 0; a[i]; i++)
		diff |= (unsigned char)(a[i] ^ b[i]);
	return diff == 0;
}

static int check_hello(const json_t *hello, const char *layer, const char *token, struct err *err)
{
	if (json_get_u64(hello, "version") != LINK_VERSION)
		return err_set(err, -EPROTO,
			       "the %s's agent (vcpulat %.20s) speaks version %llu of the link, not %d; "
			       "build host and guest from one tree",
			       layer, json_get_string(hello, "tool"),
			       (unsigned long long)json_get_u64(hello, "version"), LINK_VERSION);
	if (strcmp(json_get_string(hello, "layer"), layer) != 0)
		return err_set(err, -EPROTO, "the agent calls itself '%.20s', not '%s'",
			       json_get_string(hello, "layer"), layer);
	if (token && !same_token(json_get_string(hello, "token"), token))
		return err_set(err, -EACCES, "the %s's agent does not present this run's token", layer);
	return 0;
}

int agent_adopt(int fd, const char *layer, const char *token, struct agent **ret, struct err *err)
{
	_cleanup_json_ json_t *hello = NULL;
	_cleanup_close_ int owned = fd;
	struct agent *agent;
	int res = link_receive(fd, NULL, HELLO_TIMEOUT_MS, &hello, err);

	if (res < 0)
		return err_prefix(err, res, "no greeting from the %s's agent", layer);
	res = check_hello(hello, layer, token, err);
	if (res < 0)
		return res;
	agent = calloc(1, sizeof(*agent));
	if (!agent)
		return -ENOMEM;
	agent->fd = TAKE_FD(owned);
	snprintf(agent->layer, sizeof(agent->layer), "%s", layer);
	*ret = agent;
	return 0;
}

int agent_start_local(const char *program, const char *housekeeping, struct agent **ret, struct err *err)
{
	_cleanup_close_ int ours = -1;
	_cleanup_close_ int theirs = -1;
	char number[16];
	char *argv[] = { (char *)program,	   (char *)"--fd",	 number, (char *)"--layer", (char *)"host",
			 (char *)"--housekeeping", (char *)housekeeping, NULL };
	struct process_options options = { 0 };
	pid_t pid;
	int fds[2];
	int res;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(err, -errno, "no socket pair for the agent");
	ours = fds[0];
	theirs = options.pass_fd = fds[1];
	snprintf(number, sizeof(number), "%d", theirs);
	res = process_start(argv, &options, &pid, err);
	if (res < 0)
		return res;
	cleanup_close(&theirs);
	theirs = -1;
	res = agent_adopt(TAKE_FD(ours), "host", NULL, ret, err);
	if (res < 0)
		process_end(pid, QUIT_TIMEOUT_MS);
	else
		(*ret)->pid = pid;
	return res;
}

int agent_token(char ret[static LINK_TOKEN_CHARS + 1])
{
	unsigned char bytes[LINK_TOKEN_CHARS / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

int agent_listen(unsigned int *ret_port, struct err *err)
{
	struct sockaddr_vm addr = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = VMADDR_PORT_ANY };
	_cleanup_close_ int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(addr);

	if (fd < 0)
		return err_sys(err, -errno, "no vsock on this host (modprobe vhost_vsock?)");
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 4) < 0 ||
	    getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
		return err_sys(err, -errno, "cannot listen on vsock");
	*ret_port = addr.svm_port;
	return TAKE_FD(fd);
}

int agent_accept(int listen_fd, const char *token, int timeout_ms, struct agent **ret, struct err *err)
{
	int res = stop_poll(listen_fd, POLLIN, timeout_ms);
	int fd;

	if (res < 0)
		return err_sys(err, res, "no agent connected");
	fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return err_sys(err, -errno, "cannot accept the agent's connection");
	return agent_adopt(fd, "guest", token, ret, err);
}

static int reply_error(const struct agent *agent, const char *op, const json_t *reply, struct err *err)
{
	uint64_t errnum = json_get_u64(reply, "errno");

	return err_set(err, errnum > 0 && errnum < 4096 ? -(int)errnum : -EIO, "%s agent, %s: %.600s", agent->layer, op,
		       json_get_string(reply, "error"));
}

/* Until the reply begins, or nothing more can be done about it. */
static int await(struct agent *agent, int timeout_ms)
{
	int step_ms = agent->rescue ? agent->silence_ms : timeout_ms;
	int ret = -ETIMEDOUT;

	for (int waited_ms = 0; ret == -ETIMEDOUT && waited_ms < timeout_ms; waited_ms += step_ms) {
		ret = stop_poll(agent->fd, POLLIN, step_ms);
		if (ret == -ETIMEDOUT && agent->rescue)
			agent->rescue(agent->rescue_ctx);
	}
	return ret;
}

static int skip_pending(struct agent *agent, int timeout_ms)
{
	json_t *reply;
	int ret = await(agent, timeout_ms);

	if (ret == 0)
		ret = link_receive(agent->fd, NULL, timeout_ms, &reply, NULL);
	if (ret == 0) {
		json_decref(reply);
		agent->pending = false;
	}
	return ret;
}

static int talk(struct agent *agent, const json_t *request, struct link_sink *sink, int timeout_ms, json_t **ret_reply,
		struct err *err)
{
	int ret = agent->pending ? skip_pending(agent, timeout_ms) : 0;

	if (ret == 0)
		ret = link_send(agent->fd, request, timeout_ms);
	if (ret < 0)
		return ret;
	ret = await(agent, timeout_ms);
	if (ret == -EINTR)
		agent->pending = true;
	return ret < 0 ? ret : link_receive(agent->fd, sink, timeout_ms, ret_reply, err);
}

static int exchange(struct agent *agent, json_t *request, struct link_sink *sink, int timeout_ms, json_t **ret_reply,
		    struct err *err)
{
	_cleanup_json_ json_t *owned = request;
	_cleanup_json_ json_t *reply = NULL;
	const char *op = json_get_string(request, "op");
	struct err why = { "" };
	int64_t begin_ms = mono_ms();
	int res;

	if (!request)
		return -ENOMEM;
	if (agent->broken)
		return err_set(err, -EPIPE, "%s agent, %s: the link was lost before", agent->layer, op);
	if (stop_requested())
		return err_set(err, -EINTR, "%s agent, %s: interrupted", agent->layer, op);
	res = talk(agent, request, sink, timeout_ms, &reply, &why);
	log_debug("%s agent, %s: %lld ms", agent->layer, op, (long long)(mono_ms() - begin_ms));
	if (res < 0) {
		agent->broken = !agent->pending;
		return err_sys(err, res, "%s agent, %s: %s", agent->layer, op, why.msg[0] ? why.msg : "no reply");
	}
	if (!json_is_true(json_object_get(reply, "ok")))
		return reply_error(agent, op, reply, err);
	if (ret_reply)
		*ret_reply = TAKE_PTR(reply);
	return 0;
}

int agent_call(struct agent *agent, json_t *request, int timeout_ms, json_t **ret_reply, struct err *err)
{
	return exchange(agent, request, NULL, timeout_ms, ret_reply, err);
}

int agent_fetch(struct agent *agent, json_t *request, const char *path, uint64_t max_bytes, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	struct link_sink sink = { .fd = fd, .max_bytes = max_bytes };
	int res;

	if (fd < 0) {
		json_decref(request);
		return err_sys(err, -errno, "cannot create '%s'", path);
	}
	res = exchange(agent, request, &sink, FETCH_TIMEOUT_MS, NULL, err);
	if (res < 0)
		unlink(path);
	return res;
}

void agent_quit(struct agent *agent)
{
	if (!agent)
		return;
	if (!agent->broken)
		agent_call(agent, json_pack("{s:s}", "op", "quit"), QUIT_TIMEOUT_MS, NULL, NULL);
	cleanup_close(&agent->fd);
	process_end(agent->pid, QUIT_TIMEOUT_MS);
	free(agent);
}

void agent_on_silence(struct agent *agent, int silence_ms, void (*rescue)(void *ctx), void *ctx)
{
	agent->silence_ms = silence_ms;
	agent->rescue = rescue;
	agent->rescue_ctx = ctx;
}

bool agent_is_lost(const struct agent *agent)
{
	return agent->broken;
}
