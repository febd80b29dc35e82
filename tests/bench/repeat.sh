#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How well do gaps repeat, in instructions and in microseconds? vmstat-host again and again, on the machine as it is and
# with every CPU busy; then the hits, and the picture DIR/spread.svg.
#   repeat.sh BUILD_DIR DIR      RUNS=20 of each kind, PER_BOOT=5 of them in one boot, KINDS="quiet loaded", GUEST=none
# What is in DIR already is kept and shown too, so that kinds and further runs can be added later; KINDS=' ' only shows.
set -eu
here=$(dirname "$0")
build=$(realpath "$1")
dir=$2
runs=${RUNS:-20} per_boot=${PER_BOOT:-5} guest=${GUEST:-none}
busy=()

stop_load() {
	[ ${#busy[@]} = 0 ] || kill "${busy[@]}" 2>/dev/null || true
	busy=()
}
trap stop_load EXIT

load() { # as many busy loops as there are CPUs
	for ((i = 0; i < $(nproc); i++)); do
		(while :; do :; done) &
		busy+=($!)
	done
}

boots() { # kind
	local kind=$1 scenarios=() boot
	for ((i = 0; i < per_boot; i++)); do scenarios+=("$dir/vmstat-host.yaml"); done
	for ((boot = $(find "$dir/$kind" -mindepth 1 -maxdepth 1 | wc -l), i = 0; i < runs; i += per_boot, boot++)); do
		"$build/vcpulat" -q lab --guest "$guest" --no-trace --no-report -o "$dir/$kind/$boot" "${scenarios[@]}" ||
			echo "$kind, boot $boot: exit $?" >&2
	done
}

results() { # kind: analyzes what is there
	find "$dir/$1" -name manifest.json -printf '%h\n' | sort |
		while read -r bundle; do "$build/vcpulat" analyze -o "$bundle.result.json" "$bundle" >/dev/null || true; done
	find "$dir/$1" -name '*.result.json' | sort | xargs -r cat >"$dir/$1.json"
}

hits() { # kind
	jq -rs --arg kind "$1" '[.[].causes[] | select(.provoked)] | group_by(.cause)[] |
		"\($kind): \(.[0].cause): \(length) runs, primers hit \(map(.armed.hit) | add) of \(map(.armed.primers) | add)"' \
		"$dir/$1.json"
}

mkdir -p "$dir/quiet" "$dir/loaded"
# One short window of each state; the tail of a primer takes a second of them.
sed 's/^windows: .*/windows: {length: 6s, armed: 6s, control: 1s}/' \
	"$here/../../scenarios/vmstat-host.yaml" >"$dir/vmstat-host.yaml"
for kind in ${KINDS:-quiet loaded}; do
	[ "$kind" = quiet ] || load
	boots "$kind"
	stop_load
done
for kind in quiet loaded; do
	results "$kind"
	hits "$kind"
done
jq -rn --slurpfile quiet "$dir/quiet.json" --slurpfile loaded "$dir/loaded.json" -f "$here/spread.jq" >"$dir/spread.svg"
echo "$dir/spread.svg"
