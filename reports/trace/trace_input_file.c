// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/trace/trace_input.h"

#include <errno.h>
#include <string.h>

#include "reports/trace/kallsyms.h"
#include "reports/trace/trace_file.h"

#define BUFFER_BYTES (128U << 10) /* at least a page; read per CPU at a time */

struct file_cpu {
	unsigned char *buffer;
	size_t fill;   /* bytes of whole pages in the buffer */
	size_t at;     /* of the next page in the buffer */
	uint64_t done; /* bytes of the CPU's pages read so far */
	struct ring_page page;
	bool lost; /* to be told with the next record */
};

struct file_input {
	struct trace_input base;
	struct trace_file *file;
	struct kallsyms *symbols; /* NULL: the file has none */
	size_t buffer_bytes;
	struct file_cpu *cpu;
};

static struct file_input *to_file(struct trace_input *input)
{
	return (struct file_input *)input;
}

static void file_free(struct trace_input *base)
{
	struct file_input *input = to_file(base);

	if (!input)
		return;
	for (size_t i = 0; input->cpu && i < base->n_cpus; i++)
		free(input->cpu[i].buffer);
	free(input->cpu);
	kallsyms_free(input->symbols);
	trace_file_free(input->file);
	free(input);
}

/* 1: the buffer holds pages again; 0: the CPU has no more. */
static int refill(struct file_input *input, size_t i)
{
	const struct trace_file_cpu *place = &input->file->cpus[i];
	struct file_cpu *cpu = &input->cpu[i];
	uint64_t left = place->bytes - cpu->done;
	size_t want = left < input->buffer_bytes ? (size_t)left : input->buffer_bytes;
	ssize_t n;

	want -= want % input->file->page_bytes;
	if (!want)
		return 0;
	if (!cpu->buffer)
		cpu->buffer = malloc(input->buffer_bytes);
	if (!cpu->buffer)
		return -ENOMEM;
	n = pread(input->file->fd, cpu->buffer, want, (off_t)(place->offset + cpu->done));
	if (n < 0)
		return -errno;
	cpu->fill = (size_t)n - (size_t)n % input->file->page_bytes;
	cpu->at = 0;
	cpu->done += cpu->fill;
	return cpu->fill ? 1 : 0;
}

static int file_next(struct trace_input *base, size_t i, struct ring_record *ret, bool *ret_lost)
{
	struct file_input *input = to_file(base);
	struct file_cpu *cpu = &input->cpu[i];

	while (!ring_page_next(&cpu->page, ret)) {
		if (cpu->at >= cpu->fill) {
			int r = refill(input, i);

			if (r <= 0)
				return r;
		}
		ring_page_begin(&cpu->page, cpu->buffer + cpu->at, input->file->page_bytes);
		cpu->at += input->file->page_bytes;
		cpu->lost = cpu->lost || cpu->page.lost;
	}
	*ret_lost = cpu->lost;
	cpu->lost = false;
	return 1;
}

static const char *file_find(struct trace_input *base, uint64_t address)
{
	struct kallsyms_symbol symbol;

	return kallsyms_find(to_file(base)->symbols, address, &symbol) ? symbol.name : NULL;
}

static bool file_task(struct trace_input *base, int32_t pid, char *ret, size_t bytes)
{
	for (const char *line = to_file(base)->file->tasks; line && *line;
	     line += strcspn(line, "\n"), line += *line == '\n') {
		char *name;

		if (strtol(line, &name, 10) != pid || *name != ' ')
			continue;
		name++;
		snprintf(ret, bytes, "%.*s", (int)strcspn(name, "\n"), name);
		return true;
	}
	return false;
}

static const struct trace_input_ops file_ops = {
	.next = file_next, .find = file_find, .task = file_task, .free = file_free
};

static int teach(void *ctx, const char *system, const char *text)
{
	return decoder_add(ctx, system, text);
}

int trace_input_open_file(const char *path, struct decoder *decoder, struct trace_input **ret, struct err *err)
{
	_cleanup_(trace_file_freep) struct trace_file *file = NULL;
	struct file_input *input;
	int r = trace_file_open(path, teach, decoder, &file, err);

	if (r < 0)
		return r;
	input = calloc(1, sizeof(*input));
	if (!input)
		return err_sys(err, -ENOMEM, "cannot read '%s'", path);
	input->base = (struct trace_input){ .ops = &file_ops, .n_cpus = file->n_cpus };
	input->cpu = calloc(file->n_cpus + 1, sizeof(*input->cpu));
	r = kallsyms_parse(TAKE_PTR(file->kallsyms), &input->symbols);
	input->buffer_bytes = file->page_bytes > BUFFER_BYTES ? file->page_bytes : BUFFER_BYTES;
	input->file = TAKE_PTR(file);
	if (!input->cpu || r == -ENOMEM) {
		file_free(&input->base);
		return err_sys(err, -ENOMEM, "cannot read '%s'", path);
	}
	*ret = &input->base;
	return 0;
}
