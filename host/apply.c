// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/apply.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"

static int write_in_guest(struct agent *guest, const char *path, const char *value, json_t **ret_reply, struct err *err)
{
	return agent_call(guest, json_pack("{s:s, s:s, s:s}", "op", "write", "path", path, "value", value),
			  AGENT_TIMEOUT_MS, ret_reply, err);
}

static int set_in_guest(struct agent *guest, const struct scenario_setting *s, json_t *guest_old, struct err *err)
{
	_cleanup_json_ json_t *reply = NULL;
	_cleanup_free_ char *old = NULL;
	int ret = write_in_guest(guest, s->path, s->value, &reply, err);

	if (ret < 0)
		return ret;
	old = strdup(json_get_string(reply, "old"));
	if (!old)
		return -ENOMEM;
	return json_array_append_new(guest_old, json_pack("{s:s, s:s}", "path", s->path, "old", settings_chosen(old)));
}

int apply_settings(const struct scenario *scenario, struct settings *settings, struct agent *guest, json_t *guest_old,
		   struct err *err)
{
	const struct scenario_setting *s = scenario->settings.item;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < scenario->settings.count; i++) {
		if (s[i].layer == LAYER_GUEST)
			ret = set_in_guest(guest, &s[i], guest_old, err);
		else
			ret = settings_set(settings, s[i].path, s[i].value, err);
		if (ret == -ENOENT)
			ret = s[i].optional
				      ? 0
				      : err_set(err, -ENOTSUP, "it wants to set '%s', not there in the %s's kernel",
						s[i].path, layer_name((enum layer)s[i].layer));
	}
	return ret;
}

int apply_undo(struct settings *settings, struct agent *guest, const json_t *guest_old, bool *ret_guest_changed,
	       struct err *err)
{
	*ret_guest_changed = false;
	for (size_t i = json_array_size(guest_old); guest && i-- > 0;) {
		const json_t *change = json_array_get(guest_old, i);

		if (write_in_guest(guest, json_get_string(change, "path"), json_get_string(change, "old"), NULL, NULL) <
		    0)
			*ret_guest_changed = true;
	}
	return settings_restore(settings, err);
}
