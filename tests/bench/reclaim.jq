# SPDX-License-Identifier: GPL-2.0-or-later
# Of all results of tests/bench/reclaim.sh a table. What the throttle executes is told of the gaps that have it: the
# least, which is that of one direct reclaim; what it executes when it has the task wait is left out.
def ipis_per_s(state): [.windows[] | select(.state == state)] |
	1e9 * ([.[].ipis] | add) / ([.[] | .t1_ns - .t0_ns] | add) | 10 * . | round / 10;
def cpus: .facts.host.online | split("-") | last | tonumber + 1;

def row:
	([.exact.causes[] | select(.cause == "host/stimulus").functions[] | select(.context == "throttle")]) as $throttle
	| def of(name): [$throttle[] | select(.function | test(name)).least] | add // 0;
	[cpus, .arm.name, ([$throttle[].gaps] | max), of("^(throttle_|allow_direct|zone_reclaimable|_*find_next_|cpumask_next|__next_zones)"), of("^allow_direct"), of("^zone_reclaimable"), of("^(_find_next_|cpumask_next)"),
		ipis_per_s("armed"), ipis_per_s("control")];

["CPUs", "arm", "gaps", "throttle", "allow_direct_reclaim", "zone_reclaimable_pages", "finding the next CPU", "IPIs/s", "control"],
	(map(select(.exact)) | map(row) | sort[]) | @tsv
