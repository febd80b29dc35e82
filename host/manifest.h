/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The manifest of a bundle, put together. Pure but for the host's boot id. */
#ifndef VCPULAT_MANIFEST_H
#define VCPULAT_MANIFEST_H

#include "host/measure.h"
#include "host/run.h"

struct manifest_params {
	const struct run_options *options;
	const struct scenario *scenario;
	enum guest_kind kind;
	const struct guest *guest; /* NULL for none */
	const struct measured *measured;
	const json_t *arm;	  /* as arm.json; may be NULL */
	const json_t *host_facts; /* may be NULL */
	const json_t *guest_facts;
	const json_t *retries;
	const char *start_utc;
	const char *end_utc;
	const char *reason; /* NULL: complete */
	uint64_t seed;
};

/**
 * manifest_make - the manifest, without "files"
 * @params: what goes in
 *
 * Return: new reference, or NULL when out of memory.
 */
json_t *manifest_make(const struct manifest_params *params);

#endif
