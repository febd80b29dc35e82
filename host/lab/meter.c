// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lab/meter.h"

#include <errno.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "reports/exact/meter_read.h"

static int give(const char *meter, const char *bundle, struct err *err)
{
	_cleanup_free_ char *path = str_printf("%s/manifest.json", bundle);
	_cleanup_free_ char *to = str_printf("%s/meter.bin", bundle);
	_cleanup_json_ json_t *manifest = NULL;
	int ret = path && to ? json_read(path, &manifest, err) : err_sys(err, -ENOMEM, "'%s'", bundle);
	uint64_t number = json_get_u64(json_object_get(manifest, "measured"), "probe_number");

	if (ret < 0 || number == 0 || number > UINT32_MAX)
		return ret;
	return meter_cut(meter, (uint32_t)(number - 1), to, err);
}

int lab_meter_share_out(const char *meter, const json_t *bundles, struct err *err)
{
	const json_t *bundle;
	size_t i;
	int ret = 0;

	if (!fs_exists(meter))
		return 0;
	json_array_foreach (bundles, i, bundle) {
		ret = give(meter, json_string_value(bundle), err);
		if (ret < 0)
			return ret;
	}
	return 0;
}
