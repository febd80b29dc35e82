// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vcpulat-agent: the measuring side, the same program in host and guest. On a host the
 * controller starts it with one end of a socket pair; in a guest it is process 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "agents/agent.h"
#include "agents/boot.h"
#include "agents/ops.h"
#include "common/cleanup.h"
#include "common/cpulist.h"
#include "common/json.h"
#include "common/link.h"
#include "common/log.h"
#include "common/stop.h"

#define CONNECT_TIMEOUT_MS 120000 /* an emulated guest on a loaded machine */
#define HELLO_TIMEOUT_MS 60000

struct arguments {
	int fd;			  /* -1: not given */
	const char *layer;	  /* "host" or "guest" */
	const char *housekeeping; /* NULL: not given */
};

static void print_usage(FILE *out)
{
	fputs("usage: vcpulat-agent --fd N --layer host|guest --housekeeping CPUS\n"
	      "\n"
	      "Measures on behalf of vcpulat, which starts it; nothing for the command line.\n"
	      "  --fd N               connected stream socket to the controller\n"
	      "  --layer host|guest   what it says it is\n"
	      "  --housekeeping CPUS  where everything but probe and stimuli runs, e.g. 0,2-3\n",
	      out);
}

/* Return: -1 to go on, or an exit status. */
static int parse_arguments(int argc, char *argv[], struct arguments *a)
{
	static const struct option options[] = { { "fd", required_argument, NULL, 'f' },
						 { "layer", required_argument, NULL, 'l' },
						 { "housekeeping", required_argument, NULL, 'k' },
						 { "help", no_argument, NULL, 'h' },
						 { "version", no_argument, NULL, 'V' },
						 { NULL, 0, NULL, 0 } };
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'f') {
			a->fd = (int)strtol(optarg, &end, 10);
			if (*end || end == optarg)
				a->fd = -1;
		} else if (c == 'l')
			a->layer = optarg;
		else if (c == 'k')
			a->housekeeping = optarg;
		else if (c == 'V')
			return printf("vcpulat-agent " VCPULAT_VERSION "\n") < 0;
		else {
			print_usage(c == 'h' ? stdout : stderr);
			return c != 'h';
		}
	}
	if (a->fd >= 0 && a->housekeeping && optind == argc)
		return -1;
	print_usage(stderr);
	return 1;
}

static int say_hello(int fd, const char *layer, const char *token)
{
	_cleanup_json_ json_t *hello = json_pack("{s:i, s:s, s:s, s:s}", "version", LINK_VERSION, "token", token,
						 "layer", layer, "tool", VCPULAT_VERSION);

	return hello ? link_send(fd, hello, HELLO_TIMEOUT_MS) : -ENOMEM;
}

static int stay_on(const cpu_set_t *housekeeping, struct err *err)
{
	if (sched_setaffinity(0, sizeof(*housekeeping), housekeeping) < 0)
		return err_sys(err, -errno, "cannot move to the housekeeping CPUs");
	return 0;
}

static int serve(struct agent *agent, const char *layer, const char *token, struct err *err)
{
	int ret = say_hello(agent->link_fd, layer, token);

	if (ret < 0)
		return err_sys(err, ret, "greeting the controller");
	ret = ops_serve(agent, err);
	ops_done(agent);
	return ret;
}

static int run_as_child(const struct arguments *a, struct err *err)
{
	struct agent agent = { .link_fd = a->fd };
	int ret = cpulist_parse(a->housekeeping, &agent.housekeeping);

	if (ret < 0)
		return err_sys(err, ret, "housekeeping CPUs '%s'", a->housekeeping);
	ret = stay_on(&agent.housekeeping, err);
	if (ret < 0)
		return ret;
	ret = stop_install();
	if (ret < 0)
		return err_sys(err, ret, "signals");
	fcntl(a->fd, F_SETFD, FD_CLOEXEC);
	/* When the controller dies: end as at a stop request, with everything undone, instead of being killed. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	return serve(&agent, a->layer, "", err);
}

static int run_as_init(struct err *err)
{
	struct agent agent = { .link_fd = -1 };
	struct boot boot;
	int ret = boot_mount(err);

	boot_console();
	boot_modules();
	if (ret == 0)
		ret = boot_read(&boot, err);
	if (ret == 0)
		ret = stay_on(&boot.housekeeping, err);
	if (ret < 0)
		return ret;
	agent.housekeeping = boot.housekeeping;
	agent.link_fd = boot_connect(boot.port, CONNECT_TIMEOUT_MS, err);
	if (agent.link_fd < 0)
		return agent.link_fd;
	return serve(&agent, "guest", boot.token, err);
}

/* Process 1 must not end: the guest is switched off instead, whatever happened. */
static void init_main(void)
{
	struct err err = { "" };

	if (run_as_init(&err) < 0)
		log_error("agent: %s", err.msg);
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

int main(int argc, char *argv[])
{
	struct arguments a = { .fd = -1, .layer = "host" };
	struct err err = { "" };
	int ret;

	if (getpid() == 1)
		init_main();
	ret = parse_arguments(argc, argv, &a);
	if (ret >= 0)
		return ret;
	ret = run_as_child(&a, &err);
	if (ret == 0 || ret == -EPIPE || ret == -EINTR)
		return EXIT_SUCCESS;
	log_error("agent: %s", err.msg);
	return EXIT_FAILURE;
}
