#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Can the instruments be believed? Four boots: two of stock, traced and metered; one of stock that is metered only, with
# interruptions of known length; one of a kernel with a planted change.
set -u
# shellcheck source-path=SCRIPTDIR source=../cli/tap.sh
. "$(dirname "$0")/../cli/tap.sh"
TAP_SECONDS=400
needs jq
cause=host/kworker/vmstat_update
function=refresh_cpu_vm_stats

"$VCPULAT" kernel build stock planted-vmstat-loop >"$OUTPUT" 2>&1 || { sed 's/^/# /' "$OUTPUT"; exit 1; }
windows() { # what they are like; changes the scenario
	sed "s/^windows: .*/windows: {$1}/" "$(dirname "$0")/../../scenarios/vmstat-host.yaml" >"$TMP/vmstat-host.yaml"
}

windows 'length: 2s, armed: 12s, control: 2s'
check_exit "two traced boots of one kernel" 0 '^passed' "$VCPULAT" lab --repeat 2 --guest none -o "$TMP/traced" "$TMP/vmstat-host.yaml"
# The longer a window, the more primers in it: for a function to be named for certain there must be a few.
windows 'length: 16s, armed: 16s, control: 1s'
check_exit "a boot that is metered only" 0 '^passed' "$VCPULAT" lab --guest none --no-trace -o "$TMP/metered" "$TMP/vmstat-host.yaml" calibrate
check_exit "a boot with a planted change" 0 . "$VCPULAT" lab --host-kernel planted-vmstat-loop --guest none --no-trace \
	-o "$TMP/metered" "$TMP/vmstat-host.yaml"
traced=("$TMP"/traced/stock/*/vmstat-host-none.result.json)
metered=$TMP/metered/stock/1/vmstat-host-none.result.json
planted=$TMP/metered/planted-vmstat-loop/1/vmstat-host-none.result.json
calibrated=$TMP/metered/stock/1/calibrate-none.result.json

# Two boots of one kernel must not be found to differ; nor, more often than the level says, a thousand comparisons of
# windows drawn from theirs. tests/bench/aa.sh compares ten pairs.
check_exit "two boots of one kernel do not differ" 0 'no difference, as expected' \
	"$VCPULAT" compare --aa --simulate 1000 -o "$TMP/aa.json" "${traced[@]}"
grep '^ok\|^FAIL\|^  *[(0-9]' "$OUTPUT" | sed 's/^/# /'
check "a thousand simulated ones keep the level" jq -e '.aa_simulation | .comparisons == 1000 and .within' "$TMP/aa.json"
check "their windows hold hits to compare" jq -e '[.rows[] | select(.provoked).native.count] | length == 2 and add > 0' "$TMP/aa.json"

# What a task or an interrupt executes counts as N and a constant, exactly; a string instruction as N iterations,
# exactly; a page-faulting payload as N and a constant within the slack that the meter states with each gap.
counted() { # payload, what must be true of its rows
	check "$1: $2" jq -e "[.exact.calibration[] | select(.whole and .payload == \"$1\")] |
		(map(.known) | unique | length == 4) and ($2)" "$calibrated"
}
beyond='map(.insns - .known) | unique'
counted plain "($beyond | length == 1) and all(.insns - .known > 0 and .insns - .known < 50)"
counted irq "($beyond | length == 1) and all(.insns - .known > 0 and .insns - .known < 50)"
counted rep "all(.rep == .known) and (map(.insns) | unique | length == 1)"
counted fault "all(.insns - .known > 0 and .insns - .slack - .known < 50)"
"$VCPULAT" analyze "${calibrated%.result.json}" | sed -n '/^payload/,/^passed/{/^passed/!s/^/# /p}'

# A change of some 300 instructions in one function is named, by its function and its size: where every gap of one arm
# has more of it than any of the other's. One gap in which the worker ran twice, say, hides it: then two boots more.
# A budget of what stock takes, and half of what was planted: kept by one arm, exceeded by the other.
named="$function \\+[2-4][0-9][0-9]\\b"
for again in 1 2; do
	"$VCPULAT" compare --exact "$metered" "$planted" 2>&1 | grep -qE "$named" && break
	echo "# no function for certain: once more, $again"
	"$VCPULAT" lab --host-kernel stock --host-kernel planted-vmstat-loop --guest none --no-trace -o "$TMP/again$again" \
		"$TMP/vmstat-host.yaml" >"$OUTPUT" 2>&1
	metered=$TMP/again$again/stock/1/vmstat-host-none.result.json
	planted=$TMP/again$again/planted-vmstat-loop/1/vmstat-host-none.result.json
done
check_exit "a planted change is named, with its size" 0 "$named" "$VCPULAT" compare --exact "$metered" "$planted"
grep -A1 "^  $cause: " "$OUTPUT" | sed 's/^/# /'
budget=$(jq ".exact.causes[] | select(.cause == \"$cause\").functions[] | select(.function == \"$function\").median + 150" "$metered")
check_exit "a budget finds it too" 2 "EXCEEDED: $cause;$function, planted-vmstat-loop" \
	"$VCPULAT" compare --budget "$cause;$function<=$budget" "$metered" "$planted"
cp "$OUTPUT" "$TMP/budget"
check "and is kept by the other arm" grep -q "kept: $cause;$function, stock" "$TMP/budget"

# A gap of a traced run, less the share of the tracing code, against the same gap in a run without a trace.
check_exit "traced and untraced stand side by side" 0 'gaps with and without a trace' "$VCPULAT" compare --exact "${traced[@]}" "$metered"
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
