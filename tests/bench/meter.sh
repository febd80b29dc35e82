#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the instruction meter costs, in turn with and without it: the wall time of an emulated host that boots and works
# (the target is a ratio of 1.3 at most), that of a lab with a scenario, and one turn of the probe there.
#   meter.sh BUILD_DIR [LAB_OPTION...]        BENCH_BOOTS=3: boots of each kind
set -eu
here=$(dirname "$0")
build=$(realpath "$1")
shift
boots=${BENCH_BOOTS:-3}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
work='n=0; while [ $n -lt 20000 ]; do n=$((n + 1)); done'

wall() { # lab options...: seconds of one boot
	local start=$EPOCHREALTIME
	"$build/vcpulat" -q lab exec "$@" -- sh -c "$work" >/dev/null || return 1
	echo "$EPOCHREALTIME - $start" | bc
}

median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

scenario() { # directory, lab options...: seconds, and nanoseconds of the emulated host a turn
	local out=$1 start=$EPOCHREALTIME
	shift
	"$build/vcpulat" -q lab --guest none --no-trace --no-report -o "$out" "$@" "$dir/vmstat-host.yaml" || return 1
	printf 'a scenario in %.1f s, ' "$(echo "$EPOCHREALTIME - $start" | bc)"
	"$build/vcpulat" analyze --json -o "$out.json" "$out"/*/1/vmstat-host-none | jq -r '"one turn of the probe \(.probe.loop_ns) ns"'
}

with='' without=''
for ((i = 0; i < boots; i++)); do
	# A command in an emulated host is run without the meter unless it is asked for.
	with+=$(wall "$@" --qemu-arg -plugin --qemu-arg "$build/vcpulat-meter.so,out=$dir/meter.bin")$'\n'
	without+=$(wall "$@")$'\n'
done
[ -s "$dir/meter.bin" ] || { echo "the meter was not loaded" >&2; exit 1; }
printf 'lab with the meter    %s\n' "$(echo -n "$with" | tr '\n' ' ')s"
printf 'lab without the meter %s\n' "$(echo -n "$without" | tr '\n' ' ')s"
echo "ratio of medians      $(echo "scale=2; $(echo -n "$with" | median) / $(echo -n "$without" | median)" | bc)"

sed 's/^windows: .*/windows: {length: 2s, armed: 2s, control: 1s}/' \
	"$here/../../scenarios/vmstat-host.yaml" >"$dir/vmstat-host.yaml"
echo "with the meter:       $(scenario "$dir/with" "$@")"
echo "without the meter:    $(scenario "$dir/without" "$@" --no-meter)"
