# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# TAP for tests of the command line. To be sourced; each test file then says what it expects:
#
#   . "$(dirname "$0")/tap.sh"
#   check_exit "help is printed" 0 'usage: vcpulat' "$VCPULAT" --help
#   check "the file is there" test -s "$TMP/file"
#   skip "needs root" "not root"
#   plan
#
# check_exit NAME EXIT REGEX COMMAND...  runs a command without stdin and with a timeout of
#     TAP_SECONDS (10); its exit code must be EXIT and its output, stdout and stderr together, match
#     the extended REGEX. A sanitizer's report or a signal is a failure whatever is expected.
# check NAME COMMAND...                  the command must succeed
# needs PROGRAM...                     skips the whole file where one is not there
# plan [N]                               N tests are to come; without N, at the end: those that were
# $TMP is a directory that is removed at the end; $OUTPUT is the file with the last command's output.

VCPULAT=${VCPULAT:-build/vcpulat}
TAP_SECONDS=${TAP_SECONDS:-10}
TMP=$(mktemp -d)
OUTPUT=$TMP/.output
tap_count=0 tap_failed=0 tap_planned=

tap_end() {
	local status=$?
	rm -rf "$TMP"
	[ -n "$tap_planned" ] || { echo "# no plan: the test ended early"; exit 1; }
	[ "$tap_count" = "$tap_planned" ] || { echo "# planned $tap_planned, ran $tap_count"; exit 1; }
	[ "$tap_failed" = 0 ] || exit 1
	exit "$status"
}
trap tap_end EXIT

plan() {
	tap_planned=${1:-$tap_count}
	echo "1..$tap_planned"
}

tap_pass() { # name
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1"
}

tap_fail() { # name, reason, command...
	local name=$1 reason=$2
	shift 2
	tap_count=$((tap_count + 1)) tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $name"
	echo "# $reason"
	echo "# command: $*"
	head -c 4000 "$OUTPUT" | sed 's/^/#   /'
}

skip() { # name, reason
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

needs() { # program...; without one of them all is skipped
	local program
	for program; do
		command -v "$program" >/dev/null && continue
		skip "all" "no $program"
		plan
		exit
	done
}

tap_run() { # command...; the exit code is left in tap_status
	timeout --kill-after=2 "$TAP_SECONDS" "$@" >"$OUTPUT" 2>&1 </dev/null
	tap_status=$?
}

check_exit() {
	local name=$1 expected=$2 regex=$3
	shift 3
	tap_run "$@"
	if [ "$tap_status" = 124 ] || [ "$tap_status" = 137 ]; then
		tap_fail "$name" "still running after $TAP_SECONDS s" "$@"
	elif grep -qE 'AddressSanitizer|LeakSanitizer|runtime error:' "$OUTPUT"; then
		tap_fail "$name" "a sanitizer complains" "$@"
	elif [ "$tap_status" != "$expected" ]; then
		tap_fail "$name" "exit code $tap_status, expected $expected" "$@"
	elif ! grep -qE -e "$regex" "$OUTPUT"; then
		tap_fail "$name" "the output does not match: $regex" "$@"
	else
		tap_pass "$name"
	fi
}

check() {
	local name=$1
	shift
	tap_run "$@"
	if [ "$tap_status" = 0 ]; then
		tap_pass "$name"
	else
		tap_fail "$name" "exit code $tap_status, expected 0" "$@"
	fi
}
