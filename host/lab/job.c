// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lab/job.h"

#include <inttypes.h>
#include <string.h>

#include "common/cleanup.h"
#include "host/cmdline.h"
#include "host/scenario.h"

/* Says "alive" for a job that may be silent for as long as it likes; "shell": and that it takes input. */
#define HEARTBEAT(what)                                                                                                \
	"(while echo '{\"phase\":\"job\",\"what\":\"" what "\"}'; do sleep 2; done >/dev/hvc0 2>/dev/null) &\n"        \
	"heartbeat=$!\n"
#define END_HEARTBEAT "code=$?\nkill $heartbeat\nexit $code\n"

/* Closes @out; returns the text, or NULL when writing it failed. */
static char *finish(FILE *out, char **text)
{
	int failed = ferror(out);

	if (fclose(out) == 0 && !failed)
		return *text;
	free(*text);
	return NULL;
}

char *lab_job_run(const struct lab_job *job)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	const json_t *path;
	size_t at;

	if (!out)
		return NULL;
	fputs("exec >/out/run.log 2>&1\n"
	      "exec " LAB_DIR "/vcpulat run --emulated --arm-json " LAB_DIR "/arm.json"
	      " --guest-kernel " LAB_DIR "/guest.bzImage --guest-initramfs " LAB_DIR "/guest.cpio.gz"
	      " --progress /dev/hvc0 -o /out/bundles",
	      out);
	fprintf(out, " --seed %" PRIu64 "%s", job->seed, job->no_trace ? " --no-trace" : "");
	if (job->probe)
		fprintf(out, " --probe %s", job->probe);
	for (int kind = 0; kind < GUEST_MAX; kind++)
		if (job->guests & 1U << kind)
			fprintf(out, " --guest %s", guest_kind_name((enum guest_kind)kind));
	json_array_foreach (job->done, at, path) {
		const char *slash = strrchr(json_string_value(path), '/');

		fputs(" --done ", out);
		cmdline_quote(out, slash ? slash + 1 : json_string_value(path));
	}
	for (size_t i = 0; i < job->scenarios->count; i++) {
		fputc(' ', out);
		cmdline_quote(out, job->scenarios->item[i]);
	}
	fputc('\n', out);
	return finish(out, &text);
}

char *lab_job_exec(char *const argv[])
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return NULL;
	fputs(HEARTBEAT("exec") "stty -F /dev/hvc1 raw -echo\ncd /out\nenv", out);
	for (; *argv; argv++) {
		fputc(' ', out);
		cmdline_quote(out, *argv);
	}
	fputs(" </dev/null >/dev/hvc1 2>&1\n" END_HEARTBEAT, out);
	return finish(out, &text);
}

char *lab_job_shell(unsigned int rows, unsigned int columns, const char *term)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return NULL;
	/* Kept open: what was typed before the shell reads goes with the last close. */
	fprintf(out, "exec 3<>/dev/hvc1\nstty -F /dev/hvc1 sane rows %u cols %u\n", rows, columns);
	fputs(HEARTBEAT("shell") "cd /out\nTERM=", out);
	cmdline_quote(out, term ? term : "linux");
	fputs(" setsid -w -c bash -i </dev/hvc1 >/dev/hvc1 2>&1\n" END_HEARTBEAT, out);
	return finish(out, &text);
}
