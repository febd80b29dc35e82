// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lab/terminal.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

void lab_terminal_open(struct lab_terminal *t)
{
	struct termios raw;

	if (!t->input || t->raw || tcgetattr(STDIN_FILENO, &t->saved) < 0)
		return;
	raw = t->saved;
	cfmakeraw(&raw);
	t->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

void lab_terminal_close(struct lab_terminal *t)
{
	if (t->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &t->saved);
	t->raw = false;
}

void lab_terminal_size(unsigned int *rows, unsigned int *columns)
{
	struct winsize size = { .ws_row = 0 };

	*rows = 24;
	*columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col) {
		*rows = size.ws_row;
		*columns = size.ws_col;
	}
}

int lab_terminal_relay(int from, int to)
{
	char buf[4096];
	ssize_t len = read(from, buf, sizeof(buf));
	ssize_t done = 0;
	ssize_t n;

	if (len <= 0)
		return len < 0 ? -errno : 0;
	while (done < len) {
		n = write(to, buf + done, (size_t)(len - done));
		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? n : 0;
	}
	return (int)len;
}
