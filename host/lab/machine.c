// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lab/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/mono.h"
#include "common/process.h"
#include "common/stop.h"
#include "host/lab/qmp.h"

#define NS_PER_S UINT64_C(1000000000)
#define QUIT_MS 3000
#define TICK_MS 100
#define SHOW_NS NS_PER_S

/*
 * QEMU's VMRUN and #VMEXIT helpers change a CPU's pending requests without the lock under
 * which other threads add to them (7.2, target/i386/tcg/sysemu/svm_helper.c; atomic in later
 * versions), so a request to look at the APIC can be lost. That is rare: not seen in 150,000
 * interrupts to a CPU that did nothing but enter and leave a guest. But the interrupt would
 * then wait for the APIC's next event, and an isolated CPU may have none. A message of vector
 * 0 to all APICs (physical destination 0xff) makes each look again. It is below every
 * priority: nobody inside sees anything of it.
 */
#define PROD_APICS "writel 0xfeeff000 0x0\n"
#define PROD_NS (NS_PER_S / 2)

/* Our end closes on exec; QEMU's end is inherited, then closed here by close_child_ends(). */
static int open_pair(int *ours, int *theirs)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		return -errno;
	fcntl(fds[0], F_SETFD, FD_CLOEXEC);
	*ours = fds[0];
	*theirs = fds[1];
	return 0;
}

static int open_pairs(struct lab_machine *m, struct lab_boot *boot)
{
	int err = open_pair(&m->monitor_fd, &boot->monitor_fd);

	if (err == 0)
		err = open_pair(&m->console_fd, &boot->console_fd);
	if (err == 0)
		err = open_pair(&m->progress_fd, &boot->progress_fd);
	if (err == 0)
		err = open_pair(&m->terminal_fd, &boot->terminal_fd);
	if (err == 0)
		err = open_pair(&m->bus_fd, &boot->bus_fd);
	return err;
}

static void close_child_ends(struct lab_boot *boot)
{
	int *const fds[] = { &boot->monitor_fd, &boot->console_fd, &boot->progress_fd, &boot->terminal_fd,
			     &boot->bus_fd };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

static int start_qemu(struct lab_machine *m, struct lab_boot *boot, const char *qemu_log, struct err *err)
{
	struct process_options options = { .log_path = qemu_log };
	char **argv;
	int ret = open_pairs(m, boot);

	if (ret < 0)
		return err_sys(err, ret, "sockets for the emulated host");
	argv = lab_boot_argv(boot);
	if (!argv)
		return err_sys(err, -ENOMEM, "QEMU's command line");
	ret = process_start(argv, &options, &m->pid, err);
	lab_boot_argv_free(argv);
	return ret;
}

int lab_machine_start(struct lab_machine *m, struct lab_boot *boot, const char *console_path, const char *qemu_log,
		      unsigned int silence_s, unsigned int stall_s, struct err *err)
{
	int ret;

	m->pid = 0;
	m->pid_fd = m->monitor_fd = m->console_fd = m->progress_fd = m->terminal_fd = m->bus_fd = -1;
	boot->monitor_fd = boot->console_fd = boot->progress_fd = boot->terminal_fd = boot->bus_fd = -1;
	m->shown_ns = m->prodded_ns = 0;
	m->log_fd = open(console_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (m->log_fd < 0)
		return err_sys(err, -errno, "cannot write '%s'", console_path);
	ret = start_qemu(m, boot, qemu_log, err);
	close_child_ends(boot);
	if (ret < 0)
		return ret;
	m->pid_fd = (int)syscall(SYS_pidfd_open, m->pid, 0);
	if (m->pid_fd < 0)
		return err_sys(err, -errno, "cannot watch QEMU");
	lab_watch_init(&m->watch, silence_s * NS_PER_S, stall_s * NS_PER_S, mono_ns());
	lab_qmp_open(m->monitor_fd);
	return 0;
}

enum { POLL_STOP, POLL_QEMU, POLL_CONSOLE, POLL_PROGRESS, POLL_TERMINAL, POLL_BUS, POLL_INPUT, POLL_COUNT };

static void take_console(struct lab_machine *m, struct pollfd *p)
{
	char buf[4096];
	ssize_t len = read(p->fd, buf, sizeof(buf));

	if (len <= 0) {
		p->fd = -1;
		return;
	}
	if (write(m->log_fd, buf, (size_t)len) < 0)
		p->fd = -1; /* no room for the log: the watch then hears the progress channel only */
	lab_watch_console(&m->watch, buf, (size_t)len, mono_ns());
}

static void take_progress(struct lab_machine *m, struct pollfd *p)
{
	char buf[4096];
	ssize_t len = read(p->fd, buf, sizeof(buf));

	if (len <= 0) {
		p->fd = -1;
		return;
	}
	if (lab_watch_channel(&m->watch, buf, (size_t)len, mono_ns()) && m->on_progress)
		m->on_progress(m->ctx, &m->watch);
}

/* The bus answers each write with "OK". */
static void take_bus(struct pollfd *p)
{
	char buf[256];

	if (read(p->fd, buf, sizeof(buf)) <= 0)
		p->fd = -1;
}

static void take_input(struct lab_machine *m, struct pollfd *p)
{
	static const char end_of_file = 4; /* Ctrl-D, as typed */

	if (lab_terminal_relay(STDIN_FILENO, m->terminal_fd) > 0)
		return;
	p->fd = -1;
	if (write(m->terminal_fd, &end_of_file, 1) < 0)
		p->fd = -1; /* QEMU is gone, the loop will see that */
}

static void take_ready(struct lab_machine *m, struct pollfd fds[static POLL_COUNT])
{
	if (fds[POLL_CONSOLE].revents)
		take_console(m, &fds[POLL_CONSOLE]);
	if (fds[POLL_PROGRESS].revents)
		take_progress(m, &fds[POLL_PROGRESS]);
	if (fds[POLL_TERMINAL].revents && lab_terminal_relay(m->terminal_fd, STDOUT_FILENO) <= 0)
		fds[POLL_TERMINAL].fd = -1;
	if (fds[POLL_BUS].revents)
		take_bus(&fds[POLL_BUS]);
	if (fds[POLL_INPUT].revents)
		take_input(m, &fds[POLL_INPUT]);
}

/* The terminal is handed over when there is somebody inside to talk to. */
static void open_terminal(struct lab_machine *m, struct pollfd *input)
{
	if (!m->terminal.input || strcmp(m->watch.progress.what, "shell") != 0)
		return;
	m->terminal.input = false;
	input->fd = STDIN_FILENO;
	lab_terminal_open(&m->terminal);
}

/* QEMU has ended: was it the emulated host that powered off? */
static int reap_qemu(struct lab_machine *m, struct err *err)
{
	int status = process_end(m->pid, 0);

	m->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return err_set(err, -ECHILD, "QEMU was ended by signal %d", WTERMSIG(status));
	return err_set(err, -ECHILD, "QEMU exited with %d", WEXITSTATUS(status));
}

/* Not before there is somebody inside: a kernel that brings up its APICs wonders about stale vectors. */
static void prod_apics(struct lab_machine *m, uint64_t now)
{
	if (!m->watch.channel_used || now - m->prodded_ns < PROD_NS)
		return;
	m->prodded_ns = now;
	/* That fails when the socket is full: then QEMU has enough of them to read. */
	send(m->bus_fd, PROD_APICS, strlen(PROD_APICS), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void tick(struct lab_machine *m, uint64_t now)
{
	prod_apics(m, now);
	if (!m->on_progress || now - m->shown_ns < SHOW_NS)
		return;
	m->shown_ns = now;
	m->on_progress(m->ctx, &m->watch);
}

int lab_machine_wait(struct lab_machine *m, struct err *err)
{
	struct pollfd fds[POLL_COUNT] = {
		[POLL_STOP] = { .fd = stop_fd(), .events = POLLIN },
		[POLL_QEMU] = { .fd = m->pid_fd, .events = POLLIN },
		[POLL_CONSOLE] = { .fd = m->console_fd, .events = POLLIN },
		[POLL_PROGRESS] = { .fd = m->progress_fd, .events = POLLIN },
		[POLL_TERMINAL] = { .fd = m->terminal_fd, .events = POLLIN },
		[POLL_BUS] = { .fd = m->bus_fd, .events = POLLIN },
		[POLL_INPUT] = { .fd = -1, .events = POLLIN },
	};
	bool ended = false;
	int ret = 0;

	while (ret == 0) {
		open_terminal(m, &fds[POLL_INPUT]);
		/* After QEMU's end the sockets are read until they are empty. */
		poll(fds, POLL_COUNT, ended ? 0 : TICK_MS);
		tick(m, mono_ns());
		if (stop_requested())
			return err_set(err, -EINTR, "interrupted");
		take_ready(m, fds);
		if (ended && fds[POLL_CONSOLE].fd < 0 && fds[POLL_PROGRESS].fd < 0 && fds[POLL_TERMINAL].fd < 0)
			return reap_qemu(m, err);
		ended = fds[POLL_QEMU].revents != 0;
		ret = ended ? 0 : lab_watch_check(&m->watch, mono_ns(), err);
	}
	return ret;
}

void lab_machine_autopsy(struct lab_machine *m, const char *path)
{
	static const char *const commands[] = { "info registers -a", "info lapic 0", "info lapic 1",
						"info registers -a" };

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (lab_qmp_monitor(m->monitor_fd, commands[i], path, NULL) < 0)
			return;
}

static void wait_end(int pid_fd)
{
	struct pollfd p = { .fd = pid_fd, .events = POLLIN };

	poll(&p, 1, QUIT_MS);
}

void lab_machine_end(struct lab_machine *m)
{
	int *const fds[] = { &m->pid_fd,      &m->monitor_fd, &m->console_fd, &m->progress_fd,
			     &m->terminal_fd, &m->bus_fd,     &m->log_fd };

	lab_terminal_close(&m->terminal);
	if (m->pid > 0) {
		if (m->monitor_fd >= 0 && lab_qmp_quit(m->monitor_fd) == 0)
			wait_end(m->pid_fd);
		process_end(m->pid, QUIT_MS);
	}
	m->pid = 0;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}
