#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make install, of what is built: the same twice as once, and the command finds its files there.
set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-$(dirname "$VCPULAT")}
share=$TMP/usr/share/vcpulat
unset VCPULAT_DATA MAKEFLAGS MAKELEVEL
install=(make -o all O="$BUILD" PREFIX=/usr DESTDIR="$TMP" install) # -o all: nothing is built here

check "make install" "${install[@]}"
(cd "$TMP/usr" && find . | sort) >"$TMP/once"
rm "$share/kernels/arms/stock.yaml"
check "again, over an older one" "${install[@]}"
check "a file of a directory that was there is renewed" test -s "$share/kernels/arms/stock.yaml"
check "nothing lies where it did not before" diff "$TMP/once" <(cd "$TMP/usr" && find . | sort)
check_exit "the installed command finds its scenarios" 0 '^provokes: ' "$TMP/usr/bin/vcpulat" scenarios vmstat-host
check_exit "and its arms" 1 "no arm 'none'.* stock" "$TMP/usr/bin/vcpulat" kernel path none
plan
