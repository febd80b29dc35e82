// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lab/meter.h"

#include <errno.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "reports/exact/meter_read.h"

/* A bundle whose probe was started; borrowed. */
struct probed {
	const char *dir;
	uint64_t t0; /* host TSC of its first window, or guard */
};

static int by_time(const void *a, const void *b)
{
	const struct probed *one = a;
	const struct probed *other = b;

	return one->t0 < other->t0 ? -1 : one->t0 > other->t0;
}

static int add_probed(const char *dir, struct probed *probed, size_t *count, struct err *err)
{
	_cleanup_free_ char *path = str_printf("%s/manifest.json", dir);
	_cleanup_json_ json_t *manifest = NULL;
	int ret = path ? json_read(path, &manifest, err) : err_sys(err, -ENOMEM, "'%s'", dir);

	if (ret < 0)
		return ret;
	if (json_get_u64(json_object_get(manifest, "measured"), "probe_tid") == 0)
		return 0;
	probed[(*count)++] =
		(struct probed){ dir, json_get_u64(json_array_get(json_object_get(manifest, "windows"), 0), "t0") };
	return 0;
}

int lab_meter_share_out(const char *meter, const json_t *bundles, struct err *err)
{
	_cleanup_free_ struct probed *probed = calloc(json_array_size(bundles) + 1, sizeof(*probed));
	const json_t *bundle;
	size_t count = 0;
	size_t i;
	int ret = 0;

	if (!fs_exists(meter))
		return 0;
	if (!probed)
		return err_sys(err, -ENOMEM, "'%s'", meter);
	json_array_foreach (bundles, i, bundle) {
		ret = add_probed(json_string_value(bundle), probed, &count, err);
		if (ret < 0)
			return ret;
	}
	qsort(probed, count, sizeof(*probed), by_time);
	for (i = 0; i < count && ret == 0; i++) {
		_cleanup_free_ char *to = str_printf("%s/meter.bin", probed[i].dir);

		ret = to ? meter_cut(meter, (uint32_t)i, to, err) : err_sys(err, -ENOMEM, "'%s'", meter);
	}
	return ret;
}
