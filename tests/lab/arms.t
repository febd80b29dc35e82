#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each arm removes, or adds, the workers that its file names; stock shows that the triggers work.
set -u
# shellcheck source-path=SCRIPTDIR source=../cli/tap.sh
. "$(dirname "$0")/../cli/tap.sh"
TAP_SECONDS=500

program=$(realpath "${BUILD:-build}")/lab/trigger
mkdir -p "$(dirname "$program")"
gcc -std=gnu11 -D_GNU_SOURCE -O2 -static -o "$program" "$(dirname "$0")/trigger.c" || exit 1

workers() { # arm, then lru, pcp, memcg: 0, or + for one or more
	local arm=$1 function regex
	"$VCPULAT" kernel build "$arm" >"$OUTPUT" 2>&1 || { sed 's/^/# /' "$OUTPUT"; exit 1; }
	check_exit "$arm boots" 0 '^drain_local_stock' "$VCPULAT" lab exec --host-kernel "$arm" --file "$program" -- ./trigger
	cp "$OUTPUT" "$TMP/seen"
	for function in lru_add_drain_per_cpu drain_local_pages_wq drain_local_stock; do
		shift
		[ "$1" = 0 ] && regex=0 || regex='[1-9][0-9]*'
		check "$arm: $function: $1" grep -qE "^$function $regex.?$" "$TMP/seen"
	done
}
workers stock + 0 +
workers lru-nobatch-isolated 0 0 +
workers memcg-skip-isolated + 0 0
workers pcp-workqueue + + +
plan
