#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every scenario on every arm, and whether each did there what it should: a matrix. Hours; for a night.
#   matrix.sh BUILD [OUT]
# SCENARIOS, ARMS and GUESTS (none libvirt bare) choose some; what was measured stays in OUT (build/matrix).
set -u
vcpulat=$1/vcpulat
out=${2:-$1/matrix}
here=$(dirname "$0")

arms=${ARMS:-$("$vcpulat" kernel list --json | jq -r '.[] | select(.name | startswith("planted-") | not).name')}
options=()
for arm in $arms; do options+=(--host-kernel "$arm"); done
for guest in ${GUESTS:-}; do options+=(--guest "$guest"); done

# shellcheck disable=SC2086 # lists of names
"$vcpulat" kernel build $arms || exit 1
rm -rf "$out"
mkdir -p "$out"
# A host has as many CPUs as its scenarios need: those that need as many share its boots. A boot's own verdict judges
# arms against stock; here each arm is judged by what it says of itself. Nothing is judged by its length: no meter.
# shellcheck disable=SC2016 # jq's own variables
"$vcpulat" scenarios --json | jq -r --arg wanted "${SCENARIOS:-}" '($wanted | [splits(" +")] - [""]) as $wanted |
	map(select(.name as $name | $name != "calibrate" and (.provokes | length > 0) and ($wanted == [] or ($wanted | index($name))))) |
	group_by(.host_cpus)[] | "\(.[0].host_cpus) \(map(.name) | join(" "))"' >"$out/groups"
while read -r cpus scenarios; do
	# shellcheck disable=SC2086
	"$vcpulat" lab "${options[@]}" --no-meter -o "$out/$cpus" $scenarios </dev/null >"$out/$cpus.txt"
	code=$?
	[ $code = 0 ] || [ $code = 2 ] || [ $code = 77 ] || exit $code
done <"$out/groups"
"$vcpulat" compare "$out"/*/*/1/*.result.json -o "$out/comparison.json" >/dev/null
[ -s "$out/comparison.json" ] || exit 1

"$vcpulat" kernel list --json | jq -r --slurpfile comparison "$out/comparison.json" -f "$here/matrix.jq" |
	tee "$out/matrix.txt" | column -t -s '|'
# What a scenario did not find is told in the logs of the runs.
grep -h 'skipped\|needs' "$out"/*/*/1/run.log | sort -u
! grep -q '|no$' "$out/matrix.txt"
