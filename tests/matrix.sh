#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every scenario on its arms, and whether each did there what it should: a matrix. Hours; for a night.
#   matrix.sh BUILD [OUT]
# SCENARIOS, ARMS and GUESTS (none libvirt bare) choose some; what was measured stays in OUT (build/matrix). Ctrl-C ends
# the measuring, and shows what there is by then.
set -u -o pipefail
vcpulat=$1/vcpulat
out=${2:-$1/matrix}
here=$(dirname "$0")

guests=()
for guest in ${GUESTS:-}; do guests+=(--guest "$guest"); done
rm -rf "$out"
mkdir -p "$out"
"$vcpulat" kernel list --json >"$out/arms.json" && "$vcpulat" scenarios --json >"$out/scenarios.json" || exit 1
jq -r -n --slurpfile arms "$out/arms.json" --slurpfile scenarios "$out/scenarios.json" --arg arms_wanted "${ARMS:-}" \
	--arg scenarios_wanted "${SCENARIOS:-}" -f "$here/matrix_boots.jq" >"$out/boots" || exit 1
for arm in ${ARMS:-}; do
	grep -q "^$arm " "$out/boots" || { echo "no arm '$arm'; 'vcpulat kernel list' shows them" >&2 && exit 1; }
done
for scenario in ${SCENARIOS:-}; do
	grep -Eq " $scenario( |\$)" "$out/boots" || { echo "no scenario '$scenario' for these arms" >&2 && exit 1; }
done
# shellcheck disable=SC2046 # names
"$vcpulat" kernel build $(cut -d' ' -f1 "$out/boots" | sort -u) || exit 1

# Nothing is judged by its length: no meter.
trap : INT
result=0
number=0
while read -r arm scenarios; do
	number=$((number + 1))
	echo "boot $number of $(wc -l <"$out/boots"), $arm: $scenarios" >&2
	# shellcheck disable=SC2086 # a list of names
	"$vcpulat" lab --host-kernel "$arm" "${guests[@]}" --no-meter -o "$out/$number" $scenarios </dev/null >"$out/$number.txt"
	case $? in
	0 | 2 | 77) ;;
	130) result=130 && break ;;
	*) result=1 && echo "boot $number failed" >&2 ;;
	esac
done <"$out/boots"
"$vcpulat" compare "$out"/*/*/1/*.result.json -o "$out/comparison.json" >/dev/null
[ -s "$out/comparison.json" ] || exit 1

jq -r --slurpfile comparison "$out/comparison.json" --slurpfile scenarios "$out/scenarios.json" -f "$here/matrix.jq" \
	"$out/arms.json" |
	tee "$out/matrix.txt" | column -t -s '|' || exit 1
jq -r '.findings[] | select(.fails) | "\(.scenario) on \(.arm): \(.text)"' "$out/comparison.json" | sort -u
# What a scenario did not find, and what had to be done again, is told in the logs of the runs.
grep -h 'skipped\|needs\|once more' "$out"/*/*/1/run.log | sort -u
! grep -q '|no$' "$out/matrix.txt" || [ $result != 0 ] || result=2
exit $result
