#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Is a planted change of some 300 instructions in one function named, by its function and its size, from one run of
# each arm?
set -u
# shellcheck source-path=SCRIPTDIR source=../cli/tap.sh
. "$(dirname "$0")/../cli/tap.sh"
TAP_SECONDS=600
scenarios=$(dirname "$0")/../../scenarios

for arm in stock planted-vmstat-loop; do
	"$VCPULAT" kernel build "$arm" >"$OUTPUT" 2>&1 || { sed 's/^/# /' "$OUTPUT"; exit 1; }
done
sed 's/^windows: .*/windows: {length: 16s, armed: 16s, control: 1s}/' "$scenarios/vmstat-host.yaml" >"$TMP/vmstat-host.yaml"
check_exit "one run of each arm" 0 . "$VCPULAT" lab --host-kernel stock --host-kernel planted-vmstat-loop --guest none \
	--no-trace -o "$TMP/out" "$TMP/vmstat-host.yaml"
check_exit "the function is named, with its size" 0 'refresh_cpu_vm_stats \+[2-4][0-9][0-9]\b' \
	"$VCPULAT" compare --exact "$TMP"/out/*/1/*.result.json
grep -A1 '^  host/kworker/vmstat_update: ' "$OUTPUT" | sed 's/^/# /'
# What stock takes, and half of what was planted: kept by one arm, exceeded by the other.
cause=host/kworker/vmstat_update function=refresh_cpu_vm_stats
budget=$(jq ".exact.causes[] | select(.cause == \"$cause\").functions[] | select(.function == \"$function\").median + 150" \
	"$TMP/out/stock/1/vmstat-host-none.result.json")
check_exit "a budget finds it too" 2 "EXCEEDED: $cause;$function, planted-vmstat-loop" \
	"$VCPULAT" compare --budget "$cause;$function<=$budget" "$TMP"/out/*/1/*.result.json
cp "$OUTPUT" "$TMP/budget"
check "and is kept by the other arm" grep -q "kept: $cause;$function, stock" "$TMP/budget"
plan
