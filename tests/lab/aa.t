#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two boots of one kernel must not be found to differ; nor, more often than the level says, a thousand comparisons of
# windows drawn from theirs. tests/bench/aa.sh compares ten pairs.
set -u
# shellcheck source-path=SCRIPTDIR source=../cli/tap.sh
. "$(dirname "$0")/../cli/tap.sh"
TAP_SECONDS=300
scenarios=$(dirname "$0")/../../scenarios

"$VCPULAT" kernel build stock >/dev/null 2>&1 || { echo "# no stock kernel"; exit 1; }
sed 's/^windows: .*/windows: {length: 2s, armed: 8s, control: 2s}/' "$scenarios/vmstat-host.yaml" >"$TMP/vmstat-host.yaml"
check_exit "two boots of one kernel" 0 '^passed' "$VCPULAT" lab --repeat 2 --guest none --no-meter -o "$TMP/out" "$TMP/vmstat-host.yaml"
check_exit "do not differ" 0 'no difference, as expected' "$VCPULAT" compare --aa --simulate 1000 -o "$TMP/aa.json" \
	"$TMP"/out/stock/*/*.result.json
grep '^ok\|^FAIL\|^  *[(0-9]' "$OUTPUT" | sed 's/^/# /'
check "a thousand simulated ones keep the level" jq -e '.aa_simulation | .comparisons == 1000 and .within' "$TMP/aa.json"
check "their windows hold hits to compare" jq -e '[.rows[] | select(.provoked).native.count] | length == 2 and add > 0' "$TMP/aa.json"
plan
