// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/clock.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fs.h"

static int read_number(const char *dir, unsigned int vcpu, const char *name, int64_t *ret)
{
	_cleanup_free_ char *path = str_printf("%s/vcpu%u/%s", dir, vcpu, name);
	_cleanup_free_ char *text = NULL;
	char *end;
	int res = path ? fs_read_line(path, &text, NULL) : -ENOMEM;

	if (res < 0)
		return res;
	errno = 0;
	/* The ratio is unsigned, the offset signed; both fit the same 64 bits. */
	*ret = *text == '-' ? strtoll(text, &end, 10) : (int64_t)strtoull(text, &end, 10);
	return errno || end == text || *end ? -EINVAL : 0;
}

/* The VM's folder is "<pid>-<fd>". */
static int find_vm(const char *root, pid_t vmm, char **ret, struct err *err)
{
	_cleanup_closedir_ DIR *dir = opendir(root);
	struct dirent *entry;
	char prefix[16];

	if (!dir)
		return err_sys(err, -errno, "cannot read '%s' (is debugfs mounted?)", root);
	snprintf(prefix, sizeof(prefix), "%d-", (int)vmm);
	while ((entry = readdir(dir)))
		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0) {
			*ret = str_printf("%s/%s", root, entry->d_name);
			return *ret ? 0 : -ENOMEM;
		}
	return err_set(err, -ENOENT, "KVM shows no VM of process %d in '%s'", (int)vmm, root);
}

static int read_vcpu(const char *dir, unsigned int vcpu, struct clock_reading *r, struct err *err)
{
	struct tsc_map *map = &r->vcpu[r->count].map;
	int64_t value;
	int ret = read_number(dir, vcpu, "tsc-offset", &value);

	if (ret < 0)
		return err_sys(err, ret, "cannot read '%s/vcpu%u/tsc-offset'", dir, vcpu);
	*map = (struct tsc_map){ .offset = value };
	if (read_number(dir, vcpu, "tsc-scaling-ratio", &value) == 0)
		map->ratio = (uint64_t)value;
	if (read_number(dir, vcpu, "tsc-scaling-ratio-frac-bits", &value) == 0)
		map->frac_bits = (uint32_t)value;
	r->vcpu[r->count].tid = read_number(dir, vcpu, "pid", &value) == 0 ? (pid_t)value : 0;
	r->vcpu[r->count++].vcpu = vcpu;
	return 0;
}

int clock_read(const char *root, pid_t vmm, struct clock_reading *ret, struct err *err)
{
	struct clock_reading r = { .tsc = tsc_read() };
	_cleanup_free_ char *dir = NULL;
	int res = find_vm(root, vmm, &dir, err);

	for (unsigned int i = 0; res == 0 && i < CLOCK_MAX_VCPUS; i++) {
		_cleanup_free_ char *path = str_printf("%s/vcpu%u", dir, i);

		if (!path)
			return -ENOMEM;
		if (fs_exists(path))
			res = read_vcpu(dir, i, &r, err);
	}
	if (res < 0)
		return res;
	if (!r.count)
		return err_set(err, -ENOENT, "'%s' shows no vCPU", dir);
	*ret = r;
	return 0;
}

pid_t clock_vcpu_tid(const struct clock_reading *reading, unsigned int vcpu)
{
	for (size_t i = 0; i < reading->count; i++)
		if (reading->vcpu[i].vcpu == vcpu)
			return reading->vcpu[i].tid;
	return 0;
}

bool clock_same(const struct clock_reading *a, const struct clock_reading *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->vcpu[i].vcpu != b->vcpu[i].vcpu || a->vcpu[i].map.offset != b->vcpu[i].map.offset ||
		    a->vcpu[i].map.ratio != b->vcpu[i].map.ratio)
			return false;
	return true;
}

uint64_t clock_error_cycles(const struct clock_pair *pairs, size_t count)
{
	uint64_t best = UINT64_MAX;

	for (size_t i = 0; i < count; i++)
		if ((pairs[i].host1 - pairs[i].host0 + 1) / 2 < best)
			best = (pairs[i].host1 - pairs[i].host0 + 1) / 2;
	return best;
}

size_t clock_contradicts(const struct tsc_map *map, const struct clock_pair *pairs, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t host = tsc_guest_to_host(map, pairs[i].guest);

		if (host < pairs[i].host0 || host > pairs[i].host1)
			n++;
	}
	return n;
}

bool clock_fits_traces(const struct clock_reading *reading)
{
	for (size_t i = 0; i < reading->count; i++) {
		const struct tsc_map *map = &reading->vcpu[i].map;

		if ((map->ratio && map->ratio != 1ULL << map->frac_bits) || reading->vcpu[i].tid == 0)
			return false;
	}
	return reading->count > 0;
}

static json_t *reading_json(const char *when, const struct clock_reading *r)
{
	json_t *offsets = json_array();

	for (size_t i = 0; i < r->count; i++)
		json_array_append_new(offsets, json_integer(r->vcpu[i].map.offset));
	return json_pack("{s:s, s:I, s:o}", "when", when, "tsc", (json_int_t)r->tsc, "offset", offsets);
}

static json_t *readings_json(const struct clock_reading *readings, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, reading_json(i == 0	      ? "start"
							 : i == n - 1 ? "end"
								      : "guard",
							 &readings[i]));
	return list;
}

static json_t *vcpus_json(const struct clock_reading *r, size_t n)
{
	json_t *vcpus = json_array();

	for (size_t i = 0; n > 0 && i < r->count; i++)
		json_array_append_new(vcpus, json_pack("{s:i, s:I, s:I, s:i}", "vcpu", (int)r->vcpu[i].vcpu, "offset",
						       (json_int_t)r->vcpu[i].map.offset, "ratio",
						       (json_int_t)r->vcpu[i].map.ratio, "frac_bits",
						       (int)r->vcpu[i].map.frac_bits));
	return vcpus;
}

static bool is_stable(const struct clock_reading *readings, size_t n, const struct clock_pair *pairs, size_t count)
{
	for (size_t i = 1; i < n; i++)
		if (!clock_same(&readings[0], &readings[i]))
			return false;
	/* The agent answers on vCPU 0. */
	return n == 0 || clock_contradicts(&readings[0].vcpu[0].map, pairs, count) == 0;
}

json_t *clock_json(const struct clock_reading *readings, size_t n, const struct clock_pair *pairs, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:I, s:I, s:I}", "host0", (json_int_t)pairs[i].host0, "guest",
						      (json_int_t)pairs[i].guest, "host1", (json_int_t)pairs[i].host1));
	return json_pack("{s:o, s:o, s:o, s:I, s:b, s:b}", "vcpus", vcpus_json(readings, n), "read",
			 readings_json(readings, n), "pairs", list, "error_cycles",
			 (json_int_t)(count ? clock_error_cycles(pairs, count) : 0), "stable",
			 is_stable(readings, n, pairs, count), "in_traces", n > 0 && clock_fits_traces(readings));
}
