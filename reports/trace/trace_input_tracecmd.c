// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/trace/trace_input.h"

#include <errno.h>
#include <string.h>
#include <trace-cmd/trace-cmd.h>

struct tracecmd_cpu {
	struct tep_record *record; /* lent to the caller until its next call */
};

struct tracecmd_source {
	struct trace_input base;
	struct tracecmd_input *handle;
	struct tep_handle *tep;
	struct tracecmd_cpu *cpu;
};

static struct tracecmd_source *to_source(struct trace_input *input)
{
	return (struct tracecmd_source *)input;
}

static void source_free(struct trace_input *base)
{
	struct tracecmd_source *source = to_source(base);

	if (!source)
		return;
	for (size_t i = 0; source->cpu && i < base->n_cpus; i++)
		if (source->cpu[i].record)
			tracecmd_free_record(source->cpu[i].record);
	free(source->cpu);
	if (source->handle)
		tracecmd_close(source->handle);
	free(source);
}

static int source_next(struct trace_input *base, size_t i, struct ring_record *ret, bool *ret_lost)
{
	struct tracecmd_source *source = to_source(base);
	struct tep_record **record = &source->cpu[i].record;

	if (*record)
		tracecmd_free_record(*record);
	*record = tracecmd_read_data(source->handle, (int)i);
	if (!*record)
		return 0;
	ret->tsc = (*record)->ts;
	ret->data = (*record)->data;
	ret->len = (size_t)(*record)->size;
	*ret_lost = (*record)->missed_events != 0;
	return 1;
}

static const char *source_find(struct trace_input *base, uint64_t address)
{
	return tep_find_function(to_source(base)->tep, address);
}

static bool source_task(struct trace_input *base, int32_t pid, char *ret, size_t bytes)
{
	struct tep_handle *tep = to_source(base)->tep;

	if (!tep_is_pid_registered(tep, pid))
		return false;
	snprintf(ret, bytes, "%s", tep_data_comm_from_pid(tep, pid));
	return true;
}

static const struct trace_input_ops tracecmd_ops = {
	.next = source_next, .find = source_find, .task = source_task, .free = source_free
};

static void print_symbols(FILE *out, const struct tep_print_arg *arg)
{
	for (; arg; arg = arg->next) {
		if (arg->type == TEP_PRINT_OP) {
			print_symbols(out, arg->op.left);
			print_symbols(out, arg->op.right);
		} else if (arg->type == TEP_PRINT_TYPE) {
			print_symbols(out, arg->typecast.item);
		} else if (arg->type == TEP_PRINT_SYMBOL) {
			fputs("__print_symbolic(", out);
			if (arg->symbol.field && arg->symbol.field->type == TEP_PRINT_FIELD)
				fprintf(out, "REC->%s, ", arg->symbol.field->field.name);
			for (const struct tep_print_flag_sym *s = arg->symbol.symbols; s; s = s->next)
				fprintf(out, "{ %s, \"%s\" }, ", s->value, s->str);
			fputs(")\n", out);
		}
	}
}

static void print_fields(FILE *out, const struct tep_format_field *field)
{
	for (; field; field = field->next)
		fprintf(out, "\tfield:%s %s;\toffset:%d;\tsize:%d;\tsigned:%d;\n",
			field->flags & TEP_FIELD_IS_DYNAMIC ? "__data_loc char[]" : "char", field->name, field->offset,
			field->size, !!(field->flags & TEP_FIELD_IS_SIGNED));
}

/* What the decoder wants to know of an event, in the kernel's own words, which libtracecmd does not keep. */
static int teach_event(struct decoder *decoder, const struct tep_event *event)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return -ENOMEM;
	fprintf(out, "name: %s\nID: %d\nformat:\n", event->name, event->id);
	print_fields(out, event->format.common_fields);
	print_fields(out, event->format.fields);
	print_symbols(out, event->print_fmt.args);
	if (fclose(out) != 0)
		return -ENOMEM;
	return decoder_add(decoder, event->system, text);
}

static int teach(struct tracecmd_source *source, struct decoder *decoder)
{
	int n = tep_get_events_count(source->tep);
	int r = 0;

	for (int i = 0; i < n && r == 0; i++)
		r = teach_event(decoder, tep_get_event(source->tep, i));
	return r;
}

int trace_input_open_tracecmd(const char *path, struct decoder *decoder, struct trace_input **ret, struct err *err)
{
	struct tracecmd_source *source = calloc(1, sizeof(*source));
	int r = -ENOMEM;

	if (!source)
		return err_sys(err, r, "cannot read '%s'", path);
	source->base.ops = &tracecmd_ops;
	tracecmd_set_loglevel(TEP_LOG_NONE);
	source->handle = tracecmd_open(path, TRACECMD_FL_LOAD_NO_PLUGINS);
	if (!source->handle) {
		source_free(&source->base);
		return err_set(err, -EINVAL, "'%s' is no trace.dat that libtracecmd can read", path);
	}
	source->tep = tracecmd_get_tep(source->handle);
	source->base.n_cpus = (size_t)tep_get_cpus(source->tep);
	source->cpu = calloc(source->base.n_cpus + 1, sizeof(*source->cpu));
	if (source->cpu)
		r = teach(source, decoder);
	if (r < 0) {
		source_free(&source->base);
		return err_sys(err, r, "cannot read '%s'", path);
	}
	*ret = &source->base;
	return 0;
}
