#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What `vcpulat lab` refuses before it boots anything.
set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

printf 'no kernel' >"$TMP/image"
mkdir "$TMP/empty"
export XDG_CACHE_HOME=$TMP/cache

check_exit "help" 0 'usage: vcpulat lab .OPTION' "$VCPULAT" lab --help
check_exit "help of shell" 0 'vcpulat lab shell' "$VCPULAT" lab shell --help
check_exit "no scenario" 1 'no scenario is given' "$VCPULAT" lab
check_exit "unknown scenario" 1 'no-such' "$VCPULAT" lab no-such
check_exit "a bare guest for the guest's own kernel" 1 'vmstat-guest: not in a bare guest' "$VCPULAT" lab --guest bare vmstat-guest
check_exit "an unknown kind of guest" 1 "--guest: 'non' is not a known word; allowed: libvirt, none, bare" \
	"$VCPULAT" lab --guest none --guest non vmstat-host
check_exit "a probe that there is not" 1 "--probe: 'tick' is not a known word; allowed: spin, timer" "$VCPULAT" lab --probe tick vmstat-host
check_exit "a timer in a bare guest" 1 'probe.kind is not spin' "$VCPULAT" lab --probe timer --guest bare vmstat-host
check_exit "unknown arm" 1 'no-such-arm' "$VCPULAT" lab vmstat-host --host-kernel no-such-arm
check_exit "an image that is none" 1 "no bzImage" "$VCPULAT" lab exec --host-image "$TMP/image" -- true
check_exit "missing image" 1 'no-image.*No such file' "$VCPULAT" lab exec --host-image "$TMP/no-image" -- true
check_exit "no command" 1 'no command is given' "$VCPULAT" lab exec
check_exit "no repeats" 1 '--repeat.*0' "$VCPULAT" lab vmstat-host --repeat 0
check_exit "bad memory" 1 '--memory' "$VCPULAT" lab vmstat-host --memory lots
check_exit "unknown option" 1 '--host-kernel' "$VCPULAT" lab vmstat-host --host-kernl stock
check "nothing is left" test -z "$(find "$TMP" -name 'vcpulat-*' -print -quit)"
plan
