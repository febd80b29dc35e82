#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the tests and sums up: N passed, N failed, N skipped.
#   run.sh BUILD_DIR [unit|cli|lab]...
# Every test program speaks TAP; one that ends badly or before its plan is a failure. Those of the lab measure, and run
# alone; of the others as many at a time as there are CPUs.
set -u
build=$(realpath "$1")
shift
cd "$(dirname "$0")/.." || exit 1
suites=${*:-unit cli lab}
export VCPULAT=$build/vcpulat BUILD=$build
passed=0 failed=0 skipped=0
skipped_line='^(not )?ok.*# skip' # cmocka's begins with "not"
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

start() { # name, seconds, command...; in the background, when a CPU is free
	local log=$logs/${1//\//-} seconds=$2
	shift 2
	while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done
	{
		begin=$SECONDS
		timeout --kill-after=10 "$seconds" "$@" >"$log" 2>&1 </dev/null
		status=$?
		[ "$status" = 124 ] && echo "# timed out after $seconds s" >>"$log"
		echo "$status $((SECONDS - begin))" >"$log.end"
	} &
}

tell() { # name; of a test program that has ended
	local log=$logs/${1//\//-} status seconds ok bad skip plan
	read -r status seconds <"$log.end"
	skip=$(grep -ciE "$skipped_line" "$log")
	ok=$(grep -E '^ok' "$log" | grep -cviE "$skipped_line")
	bad=$(grep -E '^not ok' "$log" | grep -cviE "$skipped_line")
	plan=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$log" | paste -sd+ | bc)
	if [ "$bad" = 0 ] && { [ "$status" != 0 ] || [ "${plan:-none}" != $((ok + skip)) ]; }; then
		echo "# exit status $status, plan ${plan:-none}, seen $((ok + skip))" >>"$log"
		bad=1
	fi
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
	printf '%-32s %3d passed %3d failed %3d skipped  %4d s\n' "$1" "$ok" "$bad" "$skip" "$seconds"
	grep -iE "$skipped_line" "$log"
	[ "$bad" = 0 ] || cat "$log"
}

tell_all() { # suite, programs
	local suite=$1 program
	shift
	wait
	for program; do tell "$suite/$(basename "$program" .c)"; done
}

for suite in $suites; do
	case $suite in
	unit)
		for source in tests/unit/test_*.c; do
			name=$(basename "$source" .c)
			CMOCKA_MESSAGE_OUTPUT=TAP start "unit/$name" 60 "$build/unit/$name"
		done
		tell_all unit tests/unit/test_*.c
		;;
	cli)
		for t in tests/cli/*.t; do start "cli/$(basename "$t")" 120 "$t"; done
		tell_all cli tests/cli/*.t
		;;
	lab)
		for t in tests/lab/*.t; do
			start "lab/$(basename "$t")" 2700 "$t"
			tell_all lab "$t"
		done
		;;
	esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
