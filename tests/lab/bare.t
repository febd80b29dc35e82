#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The bare guest, in one boot: the host's own work interrupts a vCPU in which there is nothing else, on the host's clock,
# and each hit is an exit from it. It reads pages that are not there yet: the vCPU waits, or a kworker does.
set -u
# shellcheck source-path=SCRIPTDIR source=../cli/tap.sh
. "$(dirname "$0")/../cli/tap.sh"
TAP_SECONDS=300
# shellcheck disable=SC2016 # jq's own variables
hits='[.gaps[] | select(.window == "armed" and any(.roots[]; .cause == "host/kworker/vmstat_update"))]'

"$VCPULAT" kernel build stock >"$OUTPUT" 2>&1 || { sed 's/^/# /' "$OUTPUT"; exit 1; }
check_exit "the host provokes, and sees it in a bare guest" 0 '^ *stock +bare +[0-9]+/[0-9]+' \
	"$VCPULAT" lab --guest bare -o "$TMP/out" vmstat-host uffd-minor uffd-minor-async
result=$TMP/out/stock/1/vmstat-host-bare.result.json
check "it was a bare guest" jq -e '.guest == "bare" and .probe.layer == "guest" and .probe.cpu == 0 and .probe.loop_ns > 0' "$result"
check "whose clock is the host's, all along" jq -e '.clock | .offset_cycles == 0 and (.scaled | not) and .stable' "$result"
check "its gaps are explained by the host's trace" jq -e '.verdict | .state == "passed" and
	(.reasons | map(select(test("trace"))) == [])' "$result"
check "most primers hit" jq -e '.causes[] | select(.cause == "host/kworker/vmstat_update") |
	.armed.hit * 2 > .armed.primers and .control.hit == 0' "$result"
check "each hit is an exit, and takes time of the host" jq -e "$hits | length > 0 and all(.exits > 0 and .host_ns > 0)" "$result"
check "the meter saw it too" jq -e '[.exact.causes[] | select(.cause == "host/kworker/vmstat_update") | .total.n] | add > 0' "$result"
for cause in uffd-minor:host/wait/page_fault uffd-minor-async:host/kworker/async_pf_execute; do
	name=${cause%%:*} waits=$TMP/out/stock/1/${cause%%:*}-bare.result.json
	check "$name: each page that is not there is waited for, the one that is there is not" jq -e ".causes[] |
		select(.cause == \"${cause#*:}\") | .armed.primers > 5 and .armed.hit * 10 >= .armed.primers * 9 and .control.hit == 0" "$waits"
	check "$name: it brings what belongs there" jq -s -e 'map(select(.kind == "minor_fault").result) | length > 5 and all(. == "ok")' \
		"${waits%.result.json}/stimuli.jsonl"
	check "$name: how long it took is known" jq -e ".causes[] | select(.cause == \"${cause#*:}\").gap_ns | .n > 5 and .p50 > 0" "$waits"
done
plan
