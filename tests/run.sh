#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the tests and sums up: N passed, N failed, N skipped.
#   run.sh BUILD_DIR [unit|cli|lab]...
# Every test program speaks TAP; one that ends badly or before its plan is a failure.
set -u
build=$(realpath "$1")
shift
cd "$(dirname "$0")/.." || exit 1
suites=${*:-unit cli lab}
export VCPULAT=$build/vcpulat BUILD=$build
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

run_one() { # name, seconds, command...
	local name=$1 seconds=$2 status ok bad skip plan start=$SECONDS
	shift 2
	timeout --kill-after=10 "$seconds" "$@" >"$log" 2>&1 </dev/null
	status=$?
	skip=$(grep -ciE '^ok.*# skip' "$log")
	ok=$(($(grep -c '^ok' "$log") - skip))
	bad=$(grep -c '^not ok' "$log")
	plan=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$log" | paste -sd+ | bc)
	[ "$status" = 124 ] && echo "# timed out after $seconds s" >>"$log"
	if [ "$bad" = 0 ] && { [ "$status" != 0 ] || [ "${plan:-none}" != $((ok + skip)) ]; }; then
		echo "# exit status $status, plan ${plan:-none}, seen $((ok + skip))" >>"$log"
		bad=1
	fi
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
	printf '%-32s %3d passed %3d failed %3d skipped  %4d s\n' "$name" "$ok" "$bad" "$skip" $((SECONDS - start))
	grep -iE '^ok.*# skip' "$log"
	[ "$bad" = 0 ] || cat "$log"
}

for suite in $suites; do
	case $suite in
	unit)
		for source in tests/unit/test_*.c; do
			name=$(basename "$source" .c)
			CMOCKA_MESSAGE_OUTPUT=TAP run_one "unit/$name" 60 "$build/unit/$name"
		done
		;;
	cli) for t in tests/cli/*.t; do run_one "cli/$(basename "$t")" 120 "$t"; done ;;
	lab) for t in tests/lab/*.t; do run_one "lab/$(basename "$t")" 2700 "$t"; done ;;
	esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
