#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each arm removes, or adds, the workers that its file names; stock shows that the triggers work. vmstat-remote-fold
# counts every page, and counts it without a kworker on the isolated CPU; stock shows that one would be seen.
set -u
# shellcheck source-path=SCRIPTDIR source=../cli/tap.sh
. "$(dirname "$0")/../cli/tap.sh"
TAP_SECONDS=500

arms=(stock vmstat-remote-fold lru-nobatch-isolated memcg-skip-isolated pcp-workqueue)
"$VCPULAT" kernel build "${arms[@]}" >"$OUTPUT" 2>&1 || { sed 's/^/# /' "$OUTPUT"; exit 1; }
dir=$(realpath "${BUILD:-build}")/lab
mkdir -p "$dir"
for program in trigger conserve; do
	gcc -std=gnu11 -D_GNU_SOURCE -O2 -static -o "$dir/$program" "$(dirname "$0")/$program.c" || exit 1
done

workers() { # arm, then lru, pcp, memcg: 0, or + for one or more
	local arm=$1 function regex
	check_exit "$arm boots" 0 '^drain_local_stock' "$VCPULAT" lab exec --host-kernel "$arm" \
		--file "$dir/trigger" --file "$dir/conserve" -- sh -c './trigger || exit; [ $0 != stock ] || ./conserve 2 fold; :' "$arm"
	cp "$OUTPUT" "$TMP/seen"
	for function in lru_add_drain_per_cpu drain_local_pages_wq drain_local_stock; do
		shift
		[ "$1" = 0 ] && regex=0 || regex='[1-9][0-9]*'
		check "$arm: $function: $1" grep -qE "^$function $regex.?$" "$TMP/seen"
	done
}
workers stock + 0 +
check "stock: a kworker is seen on the isolated CPU" grep -q 'BAD: vmstat_update on the isolated CPU: [1-9]' "$TMP/seen"
check_exit "vmstat-remote-fold: the count arrives, nothing is lost" 0 '^conserved' \
	"$VCPULAT" lab exec --host-kernel vmstat-remote-fold --file "$dir/conserve" -- ./conserve 10 fold
workers lru-nobatch-isolated 0 0 +
workers memcg-skip-isolated + 0 0
workers pcp-workqueue + + +
plan
