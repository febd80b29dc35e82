// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lab/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"

#define NS_PER_S UINT64_C(1000000000)

/* Kernel messages after which an emulated host does nothing more. */
static const char *const last_words[] = {
	"Kernel panic - not syncing",
	"VFS: Unable to mount root",
};

void lab_watch_init(struct lab_watch *w, uint64_t silence_ns, uint64_t stall_ns, uint64_t now_ns)
{
	*w = (struct lab_watch){
		.silence_ns = silence_ns,
		.stall_ns = stall_ns,
		.heard_ns = now_ns,
		.moved_ns = now_ns,
		.progress = { .phase = "boot", .what = "firmware" },
	};
}

/* Returns true when @c ended a line that now stands in @line->text. */
static bool line_add(struct lab_line *line, char c)
{
	if (c == '\n') {
		line->text[line->len] = '\0';
		line->len = 0;
		return true;
	}
	if (c != '\r' && line->len < sizeof(line->text) - 1)
		line->text[line->len++] = c;
	return false;
}

/* Nothing from inside reaches the terminal but plain text. */
static void copy_plain(char *to, size_t bytes, const char *from)
{
	size_t i = 0;

	for (; i < bytes - 1 && from[i]; i++)
		to[i] = from[i] >= ' ' && from[i] < 0x7f ? from[i] : '?';
	to[i] = '\0';
}

void lab_watch_console(struct lab_watch *w, const char *data, size_t len, uint64_t now_ns)
{
	w->heard_ns = now_ns;
	for (size_t i = 0; i < len; i++) {
		if (!line_add(&w->console, data[i]))
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(last_words); k++)
			if (!w->panic[0] && strstr(w->console.text, last_words[k]))
				copy_plain(w->panic, sizeof(w->panic), w->console.text);
	}
}

static bool same_progress(const struct lab_progress *a, const struct lab_progress *b)
{
	return strcmp(a->phase, b->phase) == 0 && strcmp(a->what, b->what) == 0 && strcmp(a->guest, b->guest) == 0 &&
	       a->step == b->step;
}

static bool take_line(struct lab_watch *w, uint64_t now_ns)
{
	_cleanup_json_ json_t *message = json_loads(w->channel.text, 0, NULL);
	const char *scenario = json_get_string(message, "scenario");
	struct lab_progress p = {
		.step = json_get_u64(message, "step"),
		.steps = json_get_u64(message, "steps"),
		.left_s = json_get_u64(message, "left_s"),
		.gaps = json_get_u64(message, "gaps"),
	};

	if (!json_is_object(message) || !*json_get_string(message, "phase"))
		return false;
	copy_plain(p.phase, sizeof(p.phase), json_get_string(message, "phase"));
	copy_plain(p.what, sizeof(p.what), *scenario ? scenario : json_get_string(message, "what"));
	copy_plain(p.guest, sizeof(p.guest), json_get_string(message, "guest"));
	if (!same_progress(&p, &w->progress))
		w->moved_ns = now_ns;
	w->progress = p;
	w->channel_used = true;
	return true;
}

bool lab_watch_channel(struct lab_watch *w, const char *data, size_t len, uint64_t now_ns)
{
	bool renewed = false;

	w->heard_ns = now_ns;
	for (size_t i = 0; i < len; i++)
		if (line_add(&w->channel, data[i]))
			renewed |= take_line(w, now_ns);
	return renewed;
}

int lab_watch_check(const struct lab_watch *w, uint64_t now_ns, struct err *err)
{
	char where[192];

	if (w->panic[0])
		return err_set(err, -EIO, "the emulated host's kernel gave up: %s", w->panic);
	if (now_ns - w->heard_ns >= w->silence_ns)
		return err_set(err, -ETIMEDOUT, "no sign of life for %" PRIu64 " s (%s)", w->silence_ns / NS_PER_S,
			       lab_watch_describe(w, where, sizeof(where)));
	if (strcmp(w->progress.phase, "job") != 0 && now_ns - w->moved_ns >= w->stall_ns)
		return err_set(err, -ETIMEDOUT, "no progress for %" PRIu64 " s (%s)", w->stall_ns / NS_PER_S,
			       lab_watch_describe(w, where, sizeof(where)));
	return 0;
}

const char *lab_watch_describe(const struct lab_watch *w, char *buf, size_t bytes)
{
	const struct lab_progress *p = &w->progress;
	bool guest = p->guest[0] && strcmp(p->guest, "none") != 0;
	size_t len;

	if (strcmp(p->phase, "boot") == 0) {
		snprintf(buf, bytes, "boots (%s)", p->what);
		return buf;
	}
	len = (size_t)snprintf(buf, bytes, "%s%s%s%s%s", p->what, guest ? " in a guest" : "", p->what[0] ? ": " : "",
			       p->phase, p->step ? " " : "");
	if (p->step && len < bytes)
		len += (size_t)snprintf(buf + len, bytes - len, "%" PRIu64, p->step);
	if (p->step && p->steps && len < bytes)
		len += (size_t)snprintf(buf + len, bytes - len, " of %" PRIu64, p->steps);
	if (p->left_s && len < bytes)
		len += (size_t)snprintf(buf + len, bytes - len, ", %" PRIu64 " s left", p->left_s);
	if (p->gaps && len < bytes)
		snprintf(buf + len, bytes - len, ", %" PRIu64 " gaps", p->gaps);
	return buf;
}
