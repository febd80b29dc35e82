#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What page faults and direct reclaim cost: the figures are there, and what is counted in instructions repeats.
set -u
# shellcheck source-path=SCRIPTDIR source=../cli/tap.sh
. "$(dirname "$0")/../cli/tap.sh"
TAP_SECONDS=500

"$VCPULAT" kernel build stock >/dev/null 2>&1 || { echo "# no stock kernel"; exit 1; }
check_exit "page faults of 1 to 4 threads are measured" 0 '^  instructions/fault +1 +[0-9.]+$' \
	"$VCPULAT" lab --no-trace -o "$TMP/faults" page-fault-cost
sed -n '/page faults by threads/,/^$/s/^/# /p' "$OUTPUT"
check_exit "direct reclaim is measured" 0 '^reclaim-cost  host/stimulus' "$VCPULAT" lab --no-trace -o "$TMP/reclaim" reclaim-cost
faults=$TMP/faults/stock/1/page-fault-cost-none.result.json
reclaim=$TMP/reclaim/stock/1/reclaim-cost-none.result.json

check "each with several actions" jq -e '.fault_rate | map(.threads) == [1, 2, 3, 4] and all(.actions >= 3)' "$faults"
check "every page is a fault" jq -e '.exact.page_faults | length == 4 and all(.pages == 512)' "$faults"
check "a thread alone executes the same each time, within one in a hundred" jq -e \
	'.exact.page_faults[0].insns | .n >= 10 and .median < 1.01 * .min' "$faults"
check "every window knows its IPIs" jq -e '.windows | all(has("ipis"))' "$faults"
throttle='.exact.causes[] | select(.cause == "host/stimulus").functions[] | select(.context == "throttle" and'
check "it is provoked" jq -e "$throttle .function == \"throttle_direct_reclaim\") | .gaps >= 5" "$reclaim"
check "summing up takes the same number of instructions each time" jq -e \
	"$throttle .function == \"zone_reclaimable_pages\") | .max % .least == 0" "$reclaim"
plan
