#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Does the meter count interruptions of known length as what they are? What a task or an interrupt executes as N and a
# constant, exactly; a string instruction as N iterations, exactly; a page-faulting payload as N and a constant within
# the slack that the meter states with each gap. The table stands in the output.
set -u
# shellcheck source-path=SCRIPTDIR source=../cli/tap.sh
. "$(dirname "$0")/../cli/tap.sh"
TAP_SECONDS=400
# shellcheck disable=SC2016 # jq's own variables
whole='[.exact.calibration[] | select(.whole)]' \
	lengths='map(.known) | unique | length == 4' \
	beyond='map(.insns - .known) | unique'

"$VCPULAT" kernel build stock >/dev/null 2>&1 || { echo "# no stock kernel"; exit 1; }
check_exit "interruptions of known length are metered" 0 . \
	"$VCPULAT" lab calibrate --guest none --no-trace -o "$TMP/out"
result=$TMP/out/stock/1/calibrate-none.result.json

counted() { # payload, what must be true of its rows
	check "$1: $2" jq -e "$whole | map(select(.payload == \"$1\")) | ($lengths) and ($2)" "$result"
}

counted plain "($beyond | length == 1) and all(.insns - .known > 0 and .insns - .known < 50)"
counted irq "($beyond | length == 1) and all(.insns - .known > 0 and .insns - .known < 50)"
counted rep "all(.rep == .known) and (map(.insns) | unique | length == 1)"
counted fault "all(.insns - .known > 0 and .insns - .slack - .known < 50)"
"$VCPULAT" analyze "${result%.result.json}" | sed -n '/^payload/,/^passed/{/^passed/!s/^/# /p}'
plan
