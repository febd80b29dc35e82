// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lab_qmp.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/json.h"

#define ANSWER_MS 5000
#define MAX_ANSWER (1U << 20)

static int send_text(int fd, const char *text)
{
	size_t len = strlen(text);

	return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -EPIPE;
}

int lab_qmp_open(int fd)
{
	return send_text(fd, "{\"execute\":\"qmp_capabilities\"}\n");
}

int lab_qmp_quit(int fd)
{
	return send_text(fd, "{\"execute\":\"quit\"}\n");
}

static int read_line(FILE *in, int fd, char **line, size_t *room)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	/* A line is sent whole: once it has begun, getline() does not block for long. */
	if (poll(&p, 1, ANSWER_MS) == 0)
		return -ETIMEDOUT;
	return getline(line, room, in) < 0 ? -EPIPE : 0;
}

/* Skips events and earlier answers: only ours carries the id. */
static int wait_answer(int fd, const char *id, json_t **ret)
{
	_cleanup_fclose_ FILE *in = fdopen(dup(fd), "r");
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	json_t *message;
	int err;

	if (!in)
		return -errno;
	setvbuf(in, NULL, _IONBF, 0);
	for (size_t seen = 0; seen < MAX_ANSWER; seen += room) {
		err = read_line(in, fd, &line, &room);
		if (err < 0)
			return err;
		message = json_loads(line, 0, NULL);
		if (strcmp(json_get_string(message, "id"), id) == 0) {
			*ret = message;
			return 0;
		}
		json_decref(message);
	}
	return -EPROTO;
}

int lab_qmp_monitor(int fd, const char *command, const char *path, struct err *err)
{
	_cleanup_json_ json_t *request = json_pack("{s:s, s:s, s:{s:s}}", "execute", "human-monitor-command", "id",
						   command, "arguments", "command-line", command);
	_cleanup_free_ char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	_cleanup_json_ json_t *answer = NULL;
	_cleanup_fclose_ FILE *out = fopen(path, "ae");
	int ret;

	if (!out)
		return err_sys(err, -errno, "cannot write '%s'", path);
	ret = text ? send_text(fd, text) : -ENOMEM;
	if (ret == 0)
		ret = wait_answer(fd, command, &answer);
	if (ret < 0)
		return err_sys(err, ret, "QEMU's monitor does not answer '%s'", command);
	fprintf(out, "(qemu) %s\n%s\n", command, json_get_string(answer, "return"));
	return 0;
}
