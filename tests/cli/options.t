#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the command line says to help, to mistakes, and to scenario files that do not fit.
set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

check_exit "without a command: help, exit 1" 1 '^usage: vcpulat ' "$VCPULAT"
check_exit "--help" 0 '^usage: vcpulat ' "$VCPULAT" --help
commands=$(sed -n 's/^  \([a-z][a-z-]*\)  *[a-z].*/\1/p' "$OUTPUT")
check "--help lists commands" test -n "$commands"
check_exit "--help explains the exit codes" 0 '^Exit codes: 0 passed, 1 .*, 2 .*, 77 skipped, 130 ' "$VCPULAT" --help
check_exit "-h" 0 '^usage: vcpulat ' "$VCPULAT" -h
check_exit "--version" 0 '^vcpulat [0-9]+\.[0-9]+\.[0-9]+$' "$VCPULAT" --version
check_exit "an unknown command" 1 "unknown command 'frobnicate'" "$VCPULAT" frobnicate
check_exit "an unknown option before the command" 1 "'--frobnicate'" "$VCPULAT" --frobnicate
check_exit "an empty command" 1 "unknown command ''" "$VCPULAT" ''

for command in $commands; do
	check_exit "$command --help" 0 "^usage: vcpulat $command" "$VCPULAT" "$command" --help
	check_exit "$command -h lists --help itself" 0 '^  -h, --help ' "$VCPULAT" "$command" -h
	check "$command --help has no line over 100 columns" sh -c "! grep -E '.{101}' '$OUTPUT'"
	check_exit "$command: an unknown option is named" 1 "unknown option '--no-such-thing'" \
		"$VCPULAT" "$command" --no-such-thing
	check_exit "$command: an unknown letter is named" 1 "unknown option '-%'" "$VCPULAT" "$command" -%
	check_exit "$command: --help takes no argument" 1 'option --help takes no argument' \
		"$VCPULAT" "$command" --help=x
done
check "help goes to stdout" sh -c "'$VCPULAT' --help 2>&1 >/dev/null | cmp - /dev/null"
check "errors go to stderr" sh -c "'$VCPULAT' frobnicate 2>/dev/null | cmp - /dev/null"

# One fault a file. The shell's printf makes it; the message must name file, line, key and way out.
bad_file() { # name, line or nothing, regex, text
	local file=$TMP/bad.yaml where=
	[ -n "$2" ] && where="bad\.yaml:$2: "
	# shellcheck disable=SC2059 # the text is a format
	printf "$4" >"$file"
	check_exit "scenario file: $1" 1 "${where}$3" "$VCPULAT" scenarios "$file"
}
bad_file "empty" 1 'the document is empty' ''
bad_file "a comment only" '' 'the document is empty' '# nothing\n'
bad_file "an unknown key" 2 "unknown key 'grops'; did you mean 'groups'\\?" 'layer: host\ngrops: [a]\n'
bad_file "a duplicate key" 3 "duplicate key 'layer'; first given in line 1" 'layer: host\ngroups: a\nlayer: host\n'
bad_file "a wrong word" 1 "layer: 'hots' is not a known word; allowed: host, guest" 'layer: hots\n'
bad_file "a list for a mapping" 1 'windows: found a list where a mapping is expected' 'windows: [1]\n'
bad_file "a number without unit" 2 "armed: '20' is not a duration" 'windows:\n  armed: 20\n'
bad_file "a number out of range" 2 "armed: '1ms' is out of range; allowed: 1s to 24h" 'windows:\n  armed: 1ms\n'
bad_file "a negative number" 3 "cpus: '-2' is not a number" 'shape:\n  host:\n    cpus: -2\n'
bad_file "a missing key" '' "key '[a-z_]+' is missing" 'layer: host\n'
bad_file "an anchor" 1 "'&a': anchors and aliases are not supported" 'description: &a x\n'
bad_file "aliases that multiply" 1 "'&a': anchors and aliases are not supported" \
	'groups: &a [x, x]\nevents: &b [*a, *a, *a]\nchecks: [*b, *b, *b]\n'
bad_file "a tab" 2 'a tab indents; use spaces' 'windows:\n\tarmed: 20s\n'
good='description: x\nlayer: host\nprimer: {kind: mlock, period: 1s}\nshape: {guest: none}\nprovokes: host/kworker/x\nwindows: {armed: 20s, control: 20s}\n'
bad_file "two documents" 7 'a second document begins' "$good---\n$good"
bad_file "no YAML at all" 1 'control characters|invalid' '\177ELF\377\376\n'
bad_file "an unfinished list" '' 'expected|found' 'groups: [a\n'
bad_file "a control character" 1 'control characters are not allowed' 'description: a\033[31m\n'
bad_file "a terminal's escape is not echoed" 1 "unknown key 'a\\?\\[31m'" '"a\\x1b[31m": x\n'

# shellcheck disable=SC2059 # the text is a format
printf "$good" >"$TMP/good.yaml"
check_exit "scenario file: a good one is shown" 0 '^provokes: host/kworker/x' "$VCPULAT" scenarios "$TMP/good.yaml"
check_exit "a good file does not hide a bad one" 1 'bad\.yaml:1: ' "$VCPULAT" scenarios "$TMP/good.yaml" "$TMP/bad.yaml"
mkdir "$TMP/dir.yaml"
mkfifo "$TMP/fifo.yaml"
ln -s loop.yaml "$TMP/loop.yaml"
head -c 300000 /dev/zero | tr '\0' '#' >"$TMP/big.yaml"
head -c 200000 /dev/zero | tr '\0' '[' >"$TMP/deep.yaml"
check_exit "scenario file: missing" 1 'missing\.yaml.: No such file or directory' "$VCPULAT" scenarios "$TMP/missing.yaml"
check_exit "scenario file: a directory" 1 'dir\.yaml.: Is a directory' "$VCPULAT" scenarios "$TMP/dir.yaml"
check_exit "scenario file: a FIFO" 1 'fifo\.yaml.: not a regular file' "$VCPULAT" scenarios "$TMP/fifo.yaml"
check_exit "scenario file: a loop of links" 1 'loop\.yaml.: Too many levels' "$VCPULAT" scenarios "$TMP/loop.yaml"
check_exit "scenario file: a device" 1 "'/dev/zero': not a regular file" "$VCPULAT" scenarios /dev/zero
check_exit "scenario file: too big" 1 'big\.yaml.: larger than 262144 bytes' "$VCPULAT" scenarios "$TMP/big.yaml"
check_exit "scenario file: deep nesting" 1 'deep\.yaml:1: ' "$VCPULAT" scenarios "$TMP/deep.yaml"
check_exit "an unknown scenario" 1 'no-such-scenario' "$VCPULAT" scenarios no-such-scenario

check_exit "scenarios --reference explains every key" 0 '^windows: mapping' "$VCPULAT" scenarios --reference
check_exit "the reference gives units and ranges" 0 'armed: duration, 1s to 24h, with unit ns, us' \
	"$VCPULAT" scenarios --reference
plan "$tap_count"
