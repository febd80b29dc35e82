#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Real A/A comparisons: boots of one kernel in pairs, then all of them in halves with a thousand simulated comparisons.
#   aa.sh BUILD_DIR DIR      PAIRS=10
# What is in DIR already is kept and counts.
set -eu
build=$(realpath "$1")
dir=$2
pairs=${PAIRS:-10}
mkdir -p "$dir"
sed 's/^windows: .*/windows: {length: 2s, armed: 8s, control: 2s}/' "$(dirname "$0")/../../scenarios/vmstat-host.yaml" \
	>"$dir/vmstat-host.yaml"
for ((i = $(find "$dir" -mindepth 1 -maxdepth 1 -name 'boot-*' | wc -l); i < 2 * pairs; i++)); do
	"$build/vcpulat" -q lab --guest none --no-meter -o "$dir/boot-$i" "$dir/vmstat-host.yaml" >/dev/null || echo "boot $i: exit $?" >&2
done

differ=0
for ((i = 0; i < pairs; i++)); do
	set -- "$dir/boot-$((2 * i))"/stock/*/*.result.json "$dir/boot-$((2 * i + 1))"/stock/*/*.result.json
	"$build/vcpulat" compare --aa --json "$@" >"$dir/pair.json" || differ=$((differ + 1))
	jq -r --arg i "$i" '"pair \($i): \([.rows[].cause] | unique | length) causes, " +
		([.verdicts[] | select(.state != "as-expected").text] | if . == [] then "no difference" else join("; ") end)' "$dir/pair.json"
done
echo "$differ of $pairs pairs differ"
"$build/vcpulat" compare --aa --simulate 1000 "$dir"/boot-*/stock/*/*.result.json | sed -n '/^ok\|^FAIL\|^passed\|^not/,$p'
