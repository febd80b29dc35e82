#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What page faults, direct reclaim and groups' statistics cost: the figures are there, and what is counted in
# instructions repeats.
set -u
# shellcheck source-path=SCRIPTDIR source=../cli/tap.sh
. "$(dirname "$0")/../cli/tap.sh"
TAP_SECONDS=500

"$VCPULAT" kernel build stock >/dev/null 2>&1 || { echo "# no stock kernel"; exit 1; }
check_exit "page faults of 1 to 4 threads are measured" 0 '^  instructions/fault +1 +[0-9.]+$' \
	"$VCPULAT" lab --no-trace -o "$TMP/faults" page-fault-cost
sed -n '/page faults by threads/,/^$/s/^/# /p' "$OUTPUT"
check_exit "direct reclaim is measured, and adding up the statistics of groups" 0 \
	'^memcg-rstat  host/call/cgroup_rstat_flush_irqsafe' \
	"$VCPULAT" lab --no-trace -o "$TMP/reclaim" reclaim-cost memcg-rstat
faults=$TMP/faults/stock/1/page-fault-cost-none.result.json
reclaim=$TMP/reclaim/stock/1/reclaim-cost-none.result.json
rstat=$TMP/reclaim/stock/1/memcg-rstat-none.result.json

check "each with several actions" jq -e '.fault_rate | map(.threads) == [1, 2, 3, 4] and all(.actions >= 3)' "$faults"
check "every page is a fault" jq -e '.exact.page_faults | length == 4 and all(.pages == 512)' "$faults"
check "a thread alone executes the same each time, within one in a hundred" jq -e \
	'.exact.page_faults[0].insns | .n >= 10 and .median < 1.01 * .min' "$faults"
check "every window knows its IPIs" jq -e '.windows | all(has("ipis"))' "$faults"
throttle='.exact.causes[] | select(.cause == "host/stimulus").functions[] | select(.context == "throttle" and'
check "it is provoked" jq -e "$throttle .function == \"throttle_direct_reclaim\") | .gaps >= 5" "$reclaim"
check "summing up takes the same number of instructions each time" jq -e \
	"$throttle .function == \"zone_reclaimable_pages\") | .max % .least == 0" "$reclaim"

check "most primers hit, no sham does" jq -e '.causes[] | select(.provoked) |
	.armed.hit * 2 > .armed.primers and .control.primers > 0 and .control.hit == 0' "$rstat"
check "each of a hundred groups costs its thousand instructions" jq -e '.exact.causes[] |
	select(.cause == "host/call/cgroup_rstat_flush_irqsafe").functions[] |
	select(.context == "call/cgroup_rstat_flush_irqsafe" and .function == "mem_cgroup_css_rstat_flush") |
	.gaps >= 4 and .median > 100 * 1000' "$rstat"
plan
