#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Scenarios beyond the demonstration's, in one boot of a host without KVM: each provokes its cause, and its sham does not; where there
# is nothing to sham, the cause is absent without the stimulus. Trace and meter give it the same name.
set -u
# shellcheck source-path=SCRIPTDIR source=../cli/tap.sh
. "$(dirname "$0")/../cli/tap.sh"
TAP_SECONDS=120

scenarios=(vmstat-self bh-lru compaction)
out=$TMP/out
"$VCPULAT" kernel build stock >"$OUTPUT" 2>&1 || { sed 's/^/# /' "$OUTPUT"; exit 1; }
timeout 600 "$VCPULAT" lab --host-kernel stock --append initcall_blacklist=svm_init -o "$out" "${scenarios[@]}" >"$TMP/lab" 2>&1
code=$?
grep -v 'boot . of' "$TMP/lab" | sed 's/^/# /'
check "all are as expected" test $code = 0
check "without KVM only guests are skipped, with the reason" \
	grep -q '^skipped, all runs with a guest: no usable /dev/kvm' "$out/stock/1/run.log"
for name in "${scenarios[@]}"; do
	check "$name: most primers hit, no sham does" jq -e --arg name "$name" '[.rows[] |
		select(.scenario == $name and .provoked).native | .armed.hit * 2 > .armed.primers and
		if .control.primers > 0 then .control.hit == 0 else .control.count == 0 end] == [true]' "$out/comparison.json"
	check "$name: the meter saw it too" jq -e --arg name "$name" '[.rows[] |
		select(.scenario == $name and .provoked).exact.native.total.n > 0] == [true]' "$out/comparison.json"
done
plan
