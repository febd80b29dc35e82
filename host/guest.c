// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/guest.h"

#include <errno.h>
#include <string.h>

#include "common/fs.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/stop.h"
#include "host/paths.h"

#define ATTEMPTS 4
#define EMULATED_LIMIT_S 150 /* seen: 6 to 13 s on a quiet machine, 55 s on a busy one */
#define LIMIT_S 30
#define NUDGE_TIMEOUT_MS 40000 /* the agent gives up before: a link with a late answer on it is lost */
#define NUDGE_HZ 5
#define SILENCE_MS 3000 /* the slowest answers seen take about one second */

/* The files that QEMU opens: copies, as what the user has may be unreadable for it or on a share. */
struct files {
	char *kernel;
	char *initramfs;
	char *serial;
	char *template;
	char *cmdline;
};

static void files_done(struct files *f)
{
	free(f->kernel);
	free(f->initramfs);
	free(f->serial);
	free(f->template);
	free(f->cmdline);
}

static int make_files(const struct guest_params *p, unsigned int port, const char *token, struct files *f,
		      struct err *err)
{
	_cleanup_free_ char *dir = paths_guest_dir();
	int ret = dir ? fs_mkdirs(p->state_dir, err) : -ENOMEM;

	if (ret < 0)
		return ret;
	f->kernel = str_printf("%s/guest-kernel", p->state_dir);
	f->initramfs = str_printf("%s/guest-initramfs", p->state_dir);
	f->serial = str_printf("%s/console.log", p->state_dir);
	f->template = str_printf("%s/domain.xml.in", dir);
	f->cmdline = str_printf("console=ttyS0 quiet %s vcpulat.port=%u vcpulat.token=%s", p->cmdline, port, token);
	if (!f->kernel || !f->initramfs || !f->serial || !f->template || !f->cmdline)
		return -ENOMEM;
	ret = fs_copy(p->kernel, f->kernel, err);
	return ret < 0 ? ret : fs_copy(p->initramfs, f->initramfs, err);
}

void guest_nudge(struct guest *g, bool on)
{
	struct err err = { "" };
	json_t *request;

	if (!g->nudger || g->nudging == on)
		return;
	g->nudging = on;
	request = on ? json_pack("{s:s, s:i, s:i}", "op", "nudge.start", "cpu", g->nudged_cpu, "hz", NUDGE_HZ)
		     : json_pack("{s:s}", "op", "nudge.stop");
	if (agent_call(g->nudger, request, NUDGE_TIMEOUT_MS, NULL, &err) < 0)
		log_debug("%s", err.msg);
}

/* The guest's agent does not answer: perhaps the interrupt that should have told its CPU is lost. */
static void rescue(void *ctx)
{
	struct guest *g = ctx;

	if (g->nudging)
		return;
	guest_nudge(g, true);
	stop_wait(2000 / NUDGE_HZ);
	guest_nudge(g, false);
	json_array_append_new(g->retries,
			      json_pack("{s:s, s:s}", "what", "nudge", "reason", "the guest's agent did not answer"));
}

static int wait_agent(const struct guest_params *p, int listen_fd, const char *token, struct progress *progress,
		      struct guest *g, struct err *err)
{
	int limit_s = p->emulated ? EMULATED_LIMIT_S : LIMIT_S;
	int64_t end_ms = mono_ms() + limit_s * 1000;

	for (;;) {
		int ret = agent_accept(listen_fd, token, 1000, &g->agent, err);

		if (ret == 0 || ret == -EINTR || ret == -EPROTO)
			return ret;
		if (!domain_is_running(g->domain))
			return err_set(err, -EIO, "the guest ended while it was starting; its console: '%s'",
				       g->serial_path);
		if (mono_ms() >= end_ms)
			return err_set(err, -ETIMEDOUT, "no agent from the guest in %d s; its console: '%s'", limit_s,
				       g->serial_path);
		progress_tick(progress);
	}
}

/* The agent is there: now what libvirt made of our wishes is read back. */
static int inspect(const struct domain_params *dp, struct guest *g, struct err *err)
{
	int ret;

	g->vmm = domain_vmm_pid(g->domain, err);
	if (g->vmm < 0)
		return g->vmm;
	ret = clock_read(CLOCK_KVM_ROOT, g->vmm, &g->clock, err);
	if (ret < 0)
		return ret;
	g->vcpu_tid = clock_vcpu_tid(&g->clock, DOMAIN_MEASURED_VCPU);
	return domain_verify_pinning(g->vmm, dp, &g->clock, err);
}

static int start_once(const struct guest_params *p, struct progress *progress, struct guest *ret, struct err *err)
{
	_cleanup_guest_ struct guest g = { .memory = p->memory,
					   .vcpus = p->vcpus,
					   .nudger = p->emulated ? p->host_agent : NULL,
					   .nudged_cpu = p->measured_cpu };
	_cleanup_(files_done) struct files files = { 0 };
	_cleanup_close_ int listen_fd = -1;
	struct domain_params dp;
	char token[LINK_TOKEN_CHARS + 1];
	unsigned int port;
	int res = agent_token(token);

	if (res < 0)
		return res;
	listen_fd = agent_listen(&port, err);
	if (listen_fd < 0)
		return listen_fd;
	res = make_files(p, port, token, &files, err);
	if (res < 0)
		return res;
	dp = (struct domain_params){ .name = GUEST_NAME,
				     .template_path = files.template,
				     .memory = p->memory,
				     .vcpus = p->vcpus,
				     .measured_cpu = p->measured_cpu,
				     .housekeeping = p->housekeeping,
				     .fifo = p->fifo,
				     .kernel = files.kernel,
				     .initramfs = files.initramfs,
				     .cmdline = files.cmdline,
				     .serial_path = files.serial };
	g.serial_path = TAKE_PTR(files.serial);
	guest_nudge(&g, true);
	res = domain_start(&dp, &g.domain, err);
	if (res < 0)
		return res;
	res = wait_agent(p, listen_fd, token, progress, &g, err);
	if (res == 0)
		res = inspect(&dp, &g, err);
	if (res == 0) {
		*ret = g;
		g = (struct guest){ 0 };
	}
	return res;
}

int guest_start(const struct guest_params *p, struct progress *progress, json_t *retries, struct guest *ret,
		struct err *err)
{
	int res = -ETIMEDOUT;

	progress_phase(progress, "guest-start");
	for (int i = 0; i < ATTEMPTS && res == -ETIMEDOUT; i++) {
		struct err why = { "" };

		res = start_once(p, progress, ret, &why);
		if (res == 0) {
			ret->retries = retries;
			if (ret->nudger)
				agent_on_silence(ret->agent, SILENCE_MS, rescue, ret);
			return 0;
		}
		if (res == -ETIMEDOUT) {
			log_info("guest start %d of %d: %s", i + 1, ATTEMPTS, why.msg);
			json_array_append_new(retries,
					      json_pack("{s:s, s:s}", "what", "guest-start", "reason", why.msg));
		}
		err_set(err, res, "%s", why.msg);
	}
	return res;
}

void guest_stop(struct guest *g)
{
	agent_quit(g->agent);
	domain_stop(g->domain);
	guest_nudge(g, false);
	free(g->serial_path);
	*g = (struct guest){ 0 };
}
