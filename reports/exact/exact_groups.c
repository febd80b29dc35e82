// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/exact/exact_groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "reports/exact/exact.h"

/* Documents from before runs without a trace were told apart are those of traced ones. */
static bool is_traced(const json_t *result)
{
	return !json_is_false(json_object_get(json_object_get(result, "exact"), "traced"));
}

static bool is_alike(const json_t *a, const json_t *b)
{
	return json_object_get(a, "exact") && json_object_get(b, "exact") && is_traced(a) == is_traced(b) &&
	       !strcmp(json_get_name(a, "scenario"), json_get_name(b, "scenario")) &&
	       !strcmp(json_get_name(a, "arm"), json_get_name(b, "arm")) &&
	       !strcmp(json_get_string(a, "guest"), json_get_string(b, "guest"));
}

static int add_group(struct exact_groups *groups, const json_t *const *results, size_t n, const json_t *first)
{
	_cleanup_free_ const json_t **exact = calloc(n, sizeof(*exact));
	struct exact_group *group = &groups->item[groups->count];
	size_t used = 0;
	int rc;

	for (size_t i = 0; exact && i < n; i++) {
		if (is_alike(first, results[i]))
			exact[used++] = json_object_get(results[i], "exact");
	}
	if (!used)
		return -ENOMEM;
	*group = (struct exact_group){ json_get_name(first, "scenario"), json_get_string(first, "guest"),
				       json_get_name(first, "arm"), is_traced(first), NULL };
	rc = exact_merge(exact, used, &group->exact);
	groups->count += !rc;
	return rc;
}

int exact_groups_make(struct exact_groups *groups, const json_t *const *results, size_t n)
{
	groups->count = 0;
	groups->item = calloc(n + 1, sizeof(*groups->item));
	if (!groups->item)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const json_t *result = results[i];
		int rc;

		if (!json_object_get(result, "exact") ||
		    exact_groups_find(groups, json_get_name(result, "scenario"), json_get_string(result, "guest"),
				      json_get_name(result, "arm"), is_traced(result)))
			continue;
		rc = add_group(groups, results, n, result);
		if (rc)
			return rc;
	}
	return 0;
}

const struct exact_group *exact_groups_find(const struct exact_groups *groups, const char *scenario, const char *guest,
					    const char *arm, bool traced)
{
	for (size_t i = 0; i < groups->count; i++) {
		const struct exact_group *group = &groups->item[i];

		if (group->traced == traced && !strcmp(group->scenario, scenario) && !strcmp(group->guest, guest) &&
		    !strcmp(group->arm, arm))
			return group;
	}
	return NULL;
}

void exact_groups_done(struct exact_groups *groups)
{
	for (size_t i = 0; i < groups->count; i++)
		json_decref(groups->item[i].exact);
	free(groups->item);
}
