#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the instruction meter costs: the same work in an emulated host with and without it, in turn. Wall time, boot
# included; the target is a ratio of 1.3 at most.
#   meter.sh BUILD_DIR [LAB_OPTION...]        BENCH_BOOTS=3: boots of each kind
set -eu
build=$(realpath "$1")
shift
boots=${BENCH_BOOTS:-3}
work='n=0; while [ $n -lt 20000 ]; do n=$((n + 1)); done'

wall() { # lab options...: seconds of one boot
	local start=$EPOCHREALTIME
	"$build/vcpulat" -q lab exec "$@" -- sh -c "$work" >/dev/null || return 1
	echo "$EPOCHREALTIME - $start" | bc
}

median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

with='' without=''
for ((i = 0; i < boots; i++)); do
	with+=$(wall "$@")$'\n'
	without+=$(wall "$@" --no-meter)$'\n'
done
printf 'lab with the meter    %s\n' "$(echo -n "$with" | tr '\n' ' ')s"
printf 'lab without the meter %s\n' "$(echo -n "$without" | tr '\n' ' ')s"
echo "ratio of medians      $(echo "scale=2; $(echo -n "$with" | median) / $(echo -n "$without" | median)" | bc)"
