#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every scenario on every arm, and whether each did there what it should: a matrix. Hours; for a night.
#   matrix.sh BUILD [OUT]
# SCENARIOS, ARMS and GUESTS (none libvirt) choose some; what was measured stays in OUT (build/matrix). One that wants a
# larger machine than the others is to be chosen alone: SCENARIOS=direct-reclaim-stall.
set -u
vcpulat=$1/vcpulat
out=${2:-$1/matrix}
here=$(dirname "$0")

scenarios=${SCENARIOS:-$("$vcpulat" scenarios --json | jq -r '.[] | select(.name != "calibrate" and .name != "direct-reclaim-stall").name')}
arms=${ARMS:-$("$vcpulat" kernel list --json | jq -r '.[] | select(.name | startswith("planted-") | not).name')}
options=()
for arm in $arms; do options+=(--host-kernel "$arm"); done
for guest in ${GUESTS:-}; do options+=(--guest "$guest"); done

# shellcheck disable=SC2086 # lists of names
"$vcpulat" kernel build $arms || exit 1
rm -rf "$out"
mkdir -p "$out"
# Its own verdict judges arms against stock; here each is judged by what it says of itself.
# shellcheck disable=SC2086
"$vcpulat" lab "${options[@]}" --no-report -o "$out" $scenarios
code=$?
[ $code = 0 ] || [ $code = 2 ] || exit $code
"$vcpulat" compare "$out"/*/1/*.result.json -o "$out/comparison.json" >/dev/null
[ -s "$out/comparison.json" ] || exit 1

"$vcpulat" kernel list --json | jq -r --slurpfile comparison "$out/comparison.json" -f "$here/matrix.jq" |
	tee "$out/matrix.txt" | column -t -s '|'
# What a scenario did not find is told in the logs of the runs.
grep -h 'skipped\|needs' "$out"/*/1/run.log | sort -u
! grep -q '|no$' "$out/matrix.txt"
