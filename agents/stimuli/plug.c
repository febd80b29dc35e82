// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/stimulus.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/mono.h"
#include "common/process.h"

#define NAME_BYTES 64
#define MIB_MAX (16UL << 10)
#define ANSWER_BYTES (64 * 1024)
#define END "vcpulat-end" /* what virsh echoes after each answer */
#define PATIENCE_MS 40000 /* for a guest to plug all of it in; emulated ones need 12 s for 128 MiB */
#define BLOCK_MIB 2	  /* as guests are given it: host/domain_xml.c */

struct plugging {
	char domain[NAME_BYTES];
	unsigned long size; /* MiB, of the device */
	unsigned long step;
	unsigned long wanted; /* what the guest was asked for last */
	int to_virsh;
	int from_virsh;
	char answer[ANSWER_BYTES];
};

/* One for all commands: it takes an emulated host seconds to start, and to connect. It ends with us. */
static int start_virsh(struct plugging *p)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"exec stdbuf -oL virsh -q -c qemu:///system 2>&1", NULL };
	int in[2] = { -1, -1 };
	int out[2] = { -1, -1 };
	int ret = pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 ? -errno : 0;
	pid_t pid;

	if (ret == 0)
		ret = process_start(argv, &(struct process_options){ .stdin_fd = in[0], .stdout_fd = out[1] }, &pid,
				    NULL);
	signal(SIGPIPE, SIG_IGN); /* a virsh that has ended is an error like others */
	p->to_virsh = in[1];
	p->from_virsh = out[0];
	close(in[0]);
	close(out[1]);
	return ret;
}

/* virsh's own words go where the agent's go. */
static int complain(const struct plugging *p, int errnum)
{
	const char *error = strstr(p->answer, "error: ");

	if (error)
		fprintf(stderr, "virsh: %.*s\n", (int)strcspn(error, "\n"), error);
	return errnum;
}

/* virsh repeats what it is told, so the end stands on a line of its own. */
static int read_answer(struct plugging *p)
{
	size_t len = 0;

	p->answer[0] = '\0';

	do {
		ssize_t n = read(p->from_virsh, p->answer + len, sizeof(p->answer) - 1 - len);

		if (n <= 0)
			return complain(p, n < 0 ? -errno : -EPIPE);
		len += (size_t)n;
		p->answer[len] = '\0';
		if (len == sizeof(p->answer) - 1)
			return -EMSGSIZE;
	} while (!strstr(p->answer, "\n" END));
	return strstr(p->answer, "\nerror: ") ? complain(p, -EREMOTEIO) : 0;
}

static int tell_virsh(struct plugging *p, const char *command)
{
	return dprintf(p->to_virsh, "%s\necho " END "\n", command) < 0 ? -errno : read_answer(p);
}

/* libvirt has the device ask the guest, and does not wait for it. */
static int ask_for(struct plugging *p, unsigned long mib)
{
	_cleanup_free_ char *command =
		str_printf("update-memory-device %s --live --requested-size %luMiB", p->domain, mib);
	int ret = command ? tell_virsh(p, command) : -ENOMEM;

	if (ret == 0)
		p->wanted = mib;
	return ret;
}

static unsigned long plugged_mib(const struct plugging *p)
{
	static const char tag[] = "<current unit='KiB'>";
	const char *current = strstr(p->answer, tag);

	return current ? strtoul(current + strlen(tag), NULL, 10) >> 10 : 0;
}

/* An event may have come before it is waited for, so none is waited for longer than a second. */
static int await_all(struct plugging *p)
{
	_cleanup_free_ char *event = str_printf("event %s memory-device-size-change --timeout 1", p->domain);
	_cleanup_free_ char *show = str_printf("dumpxml %s", p->domain);
	const int64_t end_ms = mono_ms() + PATIENCE_MS;
	int ret = event && show ? 0 : -ENOMEM;

	while (ret == 0 && mono_ms() < end_ms) {
		ret = tell_virsh(p, show);
		if (ret < 0 || plugged_mib(p) == p->size)
			return ret;
		ret = tell_virsh(p, event);
	}
	if (ret < 0)
		return ret;
	return plugged_mib(p) ? -ETIMEDOUT : -ENODEV; /* the guest has no driver for it */
}

static int prepare(struct stimulus_state *state, const json_t *params)
{
	struct plugging *p = calloc(1, sizeof(*p));
	int ret = p ? stimulus_param(params, "domain", p->domain, sizeof(p->domain)) : -ENOMEM;

	state->own = p; /* lives as long as the worker */
	if (ret == 0)
		ret = stimulus_param_number(params, "size", 1, MIB_MAX, &p->size);
	if (ret == 0)
		ret = stimulus_param_number(params, "step", 1, p->size, &p->step);
	if (ret == 0 && (p->step % BLOCK_MIB || p->size % p->step))
		ret = -EINVAL;
	if (ret == 0)
		ret = start_virsh(p);
	if (ret == 0)
		ret = ask_for(p, p->size);
	return ret < 0 ? ret : await_all(p);
}

/*
 * The guest allocates the memory where it lies, and on the way all of its CPUs empty their batches of new pages, for
 * each subblock again (kernel drivers/virtio/virtio_mem.c; mm/page_alloc.c, __alloc_contig_migrate_range()).
 */
static int act(struct stimulus_state *state)
{
	struct plugging *p = state->own;
	unsigned long had = p->wanted;
	int ret = ask_for(p, had >= p->step ? had - p->step : p->size);

	snprintf(state->detail, sizeof(state->detail), "%lu MiB of %lu", p->wanted, had);
	return ret;
}

const struct stimulus_ops *stimulus_plug(void)
{
	static const struct stimulus_ops ops = {
		.name = "plug", .role = STIMULUS_STIMULUS, .prepare = prepare, .act = act
	};

	return &ops;
}
