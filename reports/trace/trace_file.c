// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/trace/trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "reports/trace/ring_page.h"

#define MAX_FORMAT_BYTES (256U << 10)  /* one event description; the kernel's largest are some 10 KiB */
#define MAX_SECTION_BYTES (256U << 20) /* kallsyms of a kernel with many modules is some 10 MiB */
#define MAX_TASKS_BYTES (4U << 20)     /* the kernel keeps 128 names unless told otherwise */
#define MAX_FORMATS 65536
#define MAX_CPUS 8192
#define MIN_PAGE_BYTES 4096U
#define MAX_PAGE_BYTES (1U << 20)
#define MAGIC "\x17\x08\x44tracing"

/* Sequential reader of the file's head. The first failure sticks, so a caller may check once for several reads. */
struct cursor {
	FILE *f;
	uint64_t bytes; /* of the file */
	int error;
};

static void take(struct cursor *c, void *ret, size_t len)
{
	memset(ret, 0, len);
	if (!c->error && fread(ret, 1, len, c->f) != len)
		c->error = -EINVAL;
}

static uint64_t take_number(struct cursor *c, size_t len)
{
	uint64_t value = 0;

	take(c, &value, len);
	return value;
}

static void skip(struct cursor *c, uint64_t len)
{
	off_t at = ftello(c->f);

	if (c->error)
		return;
	if (at < 0 || len > c->bytes - (uint64_t)at || fseeko(c->f, (off_t)len, SEEK_CUR) < 0)
		c->error = -EINVAL;
}

/* A terminated copy of the next @len bytes; NULL with the error set. */
static char *take_text(struct cursor *c, uint64_t len, uint64_t limit)
{
	off_t at = ftello(c->f);
	char *text;

	if (c->error)
		return NULL;
	if (at < 0 || len > limit || len > c->bytes - (uint64_t)at) {
		c->error = -EINVAL;
		return NULL;
	}
	text = malloc(len + 1);
	if (!text) {
		c->error = -ENOMEM;
		return NULL;
	}
	take(c, text, len);
	text[len] = '\0';
	return text;
}

static void expect(struct cursor *c, const char *word, size_t len)
{
	char have[16];

	take(c, have, len);
	if (!c->error && memcmp(have, word, len) != 0)
		c->error = -EINVAL;
}

static int read_head(struct cursor *c, struct trace_file *file)
{
	char version[2];
	uint8_t big_endian;
	uint8_t long_bytes;

	expect(c, MAGIC, sizeof(MAGIC) - 1);
	take(c, version, sizeof(version));
	if (!c->error && memcmp(version, "6", 2) != 0)
		c->error = -EOPNOTSUPP;
	take(c, &big_endian, 1);
	take(c, &long_bytes, 1);
	file->page_bytes = (uint32_t)take_number(c, 4);
	if (!c->error && (big_endian || long_bytes != 8))
		c->error = -EOPNOTSUPP;
	if (!c->error && (file->page_bytes < MIN_PAGE_BYTES || file->page_bytes > MAX_PAGE_BYTES))
		c->error = -EINVAL;
	expect(c, "header_page", 12);
	skip(c, take_number(c, 8));
	expect(c, "header_event", 13);
	skip(c, take_number(c, 8));
	return c->error;
}

static void read_formats(struct cursor *c, const char *system, uint64_t n, trace_file_event_fn *on_event, void *ctx)
{
	if (n > MAX_FORMATS && !c->error)
		c->error = -EINVAL;
	for (uint64_t i = 0; i < n && !c->error; i++) {
		_cleanup_free_ char *text = take_text(c, take_number(c, 8), MAX_FORMAT_BYTES);

		if (text)
			c->error = on_event(ctx, system, text);
	}
}

static void read_system_name(struct cursor *c, char *ret, size_t bytes)
{
	size_t n = 0;

	do
		take(c, &ret[n], 1);
	while (!c->error && ret[n] && ++n < bytes);
	if (n == bytes)
		c->error = -EINVAL;
}

static int read_events(struct cursor *c, trace_file_event_fn *on_event, void *ctx)
{
	uint64_t systems;

	read_formats(c, "ftrace", take_number(c, 4), on_event, ctx);
	systems = take_number(c, 4);
	for (uint64_t i = 0; i < systems && !c->error; i++) {
		char name[128];

		read_system_name(c, name, sizeof(name));
		read_formats(c, name, take_number(c, 4), on_event, ctx);
	}
	return c->error;
}

static int read_texts(struct cursor *c, struct trace_file *file)
{
	file->kallsyms = take_text(c, take_number(c, 4), MAX_SECTION_BYTES);
	skip(c, take_number(c, 4)); /* formats of trace_printk() */
	file->tasks = take_text(c, take_number(c, 8), MAX_TASKS_BYTES);
	return c->error;
}

static void skip_options(struct cursor *c)
{
	while (!c->error && take_number(c, 2))
		skip(c, take_number(c, 4));
}

static int read_cpus(struct cursor *c, struct trace_file *file)
{
	uint64_t n = take_number(c, 4);
	char kind[10];

	take(c, kind, sizeof(kind));
	if (!c->error && memcmp(kind, "options  ", 10) == 0) {
		skip_options(c);
		take(c, kind, sizeof(kind));
	}
	if (c->error || memcmp(kind, "flyrecord", 10) != 0 || n > MAX_CPUS)
		return c->error ? c->error : -EINVAL;
	file->cpus = calloc(n + 1, sizeof(*file->cpus));
	if (!file->cpus)
		return -ENOMEM;
	for (; file->n_cpus < n && !c->error; file->n_cpus++) {
		struct trace_file_cpu *cpu = &file->cpus[file->n_cpus];

		cpu->offset = take_number(c, 8);
		cpu->bytes = take_number(c, 8);
		if (cpu->offset > c->bytes || cpu->bytes > c->bytes - cpu->offset)
			return -EINVAL;
	}
	return c->error;
}

static int open_cursor(const char *path, struct cursor *c, struct err *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_sys(err, -errno, "cannot open '%s'", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(err, -EINVAL, "'%s' is not a regular file", path);
	}
	c->bytes = (uint64_t)st.st_size;
	c->f = fdopen(fd, "r");
	if (!c->f) {
		close(fd);
		return err_sys(err, -ENOMEM, "cannot open '%s'", path);
	}
	return 0;
}

int trace_file_open(const char *path, trace_file_event_fn *on_event, void *ctx, struct trace_file **ret,
		    struct err *err)
{
	_cleanup_(trace_file_freep) struct trace_file *file = calloc(1, sizeof(*file));
	struct cursor c = { .error = 0 };
	int r;

	if (!file)
		return err_sys(err, -ENOMEM, "cannot read '%s'", path);
	file->fd = -1;
	r = open_cursor(path, &c, err);
	if (r < 0)
		return r;
	file->bytes = c.bytes;
	r = read_head(&c, file);
	r = r < 0 ? r : read_events(&c, on_event, ctx);
	r = r < 0 ? r : read_texts(&c, file);
	r = r < 0 ? r : read_cpus(&c, file);
	if (r == 0)
		file->fd = fcntl(fileno(c.f), F_DUPFD_CLOEXEC, 3);
	fclose(c.f);
	if (r == -EOPNOTSUPP)
		return err_set(err, r, "'%s' is not an uncompressed little-endian trace.dat of version 6", path);
	if (r == -EINVAL)
		return err_set(err, r, "'%s' is no trace.dat, or is cut short", path);
	if (r < 0 || file->fd < 0)
		return err_sys(err, r < 0 ? r : -EMFILE, "cannot read '%s'", path);
	*ret = TAKE_PTR(file);
	return 0;
}

void trace_file_free(struct trace_file *file)
{
	if (!file)
		return;
	if (file->fd >= 0)
		close(file->fd);
	free(file->cpus);
	free(file->kallsyms);
	free(file->tasks);
	free(file);
}
