// SPDX-License-Identifier: GPL-2.0-or-later
/* What a guest may send: any bytes, as a stream of frames, until the peer is gone. */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/link.h"

#define SINK_BYTES 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int socket_holding(const uint8_t *data, size_t size)
{
	int fds[2];
	ssize_t n;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	n = send(fds[1], data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fds[1]);
	(void)n; /* what does not fit the socket is cut off */
	return fds[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_close_ int fd = socket_holding(data, size);
	_cleanup_close_ int store = memfd_create("sink", MFD_CLOEXEC);
	struct link_sink sink = { .fd = store, .max_bytes = SINK_BYTES };
	struct err err;
	json_t *message;

	if (fd < 0 || store < 0)
		return 0;
	while (link_receive(fd, &sink, 0, &message, &err) == 0)
		json_decref(message);
	if (sink.bytes > SINK_BYTES)
		__builtin_trap();
	return 0;
}
