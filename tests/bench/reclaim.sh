#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What does it cost that direct reclaim sums up counters of all CPUs before it begins? Its throttle in instructions, on
# emulated hosts of 4 and 8 CPUs, as it is and with an exact count of free pages; and how many IPIs were sent.
#   reclaim.sh BUILD_DIR DIR     CPUS="4 8" ARMS="stock reclaim-snapshot"
# What is in DIR already is not measured again; CPUS=' ' only shows.
set -eu
here=$(dirname "$0")
build=$(realpath "$1")
dir=$2

for cpus in ${CPUS:-4 8}; do
	for arm in ${ARMS:-stock reclaim-snapshot}; do
		[ -e "$dir/$cpus/$arm" ] || "$build/vcpulat" -q lab --cpus "$cpus" --isolated $((cpus - 1)) --no-trace \
			--no-report --host-kernel "$arm" -o "$dir/$cpus/$arm" reclaim-cost
	done
done
find "$dir" -name manifest.json -printf '%h\n' |
	while read -r bundle; do "$build/vcpulat" analyze -o "$bundle.result.json" "$bundle" >/dev/null || true; done
find "$dir" -name '*.result.json' -print0 | sort -z | xargs -0 jq -s -r -f "$here/reclaim.jq" | column -t -s "$(printf '\t')"
