// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lab/qmp.h"

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

static ssize_t read_some(int fd, char *to, size_t room)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, ANSWER_MS) == 0)
		return -ETIMEDOUT;
	n = read(fd, to, room);
	return n > 0 ? n : -EPIPE;
}

/* Takes the first line out of @text; returns it parsed when it is the answer to @id, else NULL. */
static json_t *take_line(char *text, size_t *len, char *end, const char *id)
{
	size_t line = (size_t)(end - text);
	json_t *message = json_loadb(text, line, 0, NULL);

	*len -= line + 1;
	memmove(text, end + 1, *len);
	if (strcmp(json_get_string(message, "id"), id) == 0)
		return message;
	json_decref(message);
	return NULL;
}

/* Skips events and earlier answers: only ours carries the id. */
static int wait_answer(int fd, const char *id, json_t **ret)
{
	_cleanup_free_ char *text = malloc(MAX_ANSWER);
	size_t len = 0;
	ssize_t n;
	char *end;

	if (!text)
		return -ENOMEM;
	while (len < MAX_ANSWER) {
		n = read_some(fd, text + len, MAX_ANSWER - len);
		if (n < 0)
			return (int)n;
		len += (size_t)n;
		while (!*ret && (end = memchr(text, '\n', len)))
			*ret = take_line(text, &len, end, id);
		if (*ret)
			return 0;
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
