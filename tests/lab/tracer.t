#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Is what tracing costs known? A gap of a traced run, less the share of the tracing code, against the same gap in a run
# without a trace, whose causes the meter alone finds.
set -u
# shellcheck source-path=SCRIPTDIR source=../cli/tap.sh
. "$(dirname "$0")/../cli/tap.sh"
TAP_SECONDS=400
scenarios=$(dirname "$0")/../../scenarios

"$VCPULAT" kernel build stock >/dev/null 2>&1 || { echo "# no stock kernel"; exit 1; }
sed 's/^windows: .*/windows: {length: 10s, armed: 10s, control: 1s}/' "$scenarios/vmstat-host.yaml" >"$TMP/vmstat-host.yaml"
check_exit "a traced run" 0 '^passed' "$VCPULAT" lab --guest none -o "$TMP/traced" "$TMP/vmstat-host.yaml"
check_exit "a run without a trace finds what was provoked" 0 '^passed' \
	"$VCPULAT" lab --guest none --no-trace -o "$TMP/untraced" "$TMP/vmstat-host.yaml"
check_exit "both stand side by side" 0 'gaps with and without a trace' \
	"$VCPULAT" compare --exact "$TMP"/*traced/stock/1/*.result.json
sed -n '/gaps with and without/,$p' "$OUTPUT" >"$TMP/table"
sed 's/^/# /' "$TMP/table"
# Columns: cause, gaps, traced, tracer, rest, gaps, no trace, left. Helpers that tracing shares are in what is left.
# shellcheck disable=SC2016 # awk's own variables
for cause in host/irq/local_timer host/kworker/vmstat_update; do
	check "$cause: the tracer's share is most of what tracing costs" \
		awk -v cause="$cause" '$1 == cause { found = $4 > 0 && $3 > $7 && $4 > 0.5 * ($3 - $7) && $4 < 1.5 * ($3 - $7) }
			END { exit !found }' "$TMP/table"
done
plan
