#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Does vmstat-remote-fold count every page, and count it without a kworker on the isolated CPU?
# And would this test see a kworker there: stock has one.
set -u
# shellcheck source-path=SCRIPTDIR source=../cli/tap.sh
. "$(dirname "$0")/../cli/tap.sh"
TAP_SECONDS=500

program=$(realpath "${BUILD:-build}")/lab/conserve
mkdir -p "$(dirname "$program")"
gcc -std=gnu11 -D_GNU_SOURCE -O2 -static -o "$program" "$(dirname "$0")/conserve.c" || exit 1
"$VCPULAT" kernel build stock vmstat-remote-fold >"$OUTPUT" 2>&1 || { sed 's/^/# /' "$OUTPUT"; exit 1; }

check_exit "vmstat-remote-fold: the count arrives, nothing is lost" 0 '^conserved' \
	"$VCPULAT" lab exec --host-kernel vmstat-remote-fold --file "$program" -- ./conserve 10 fold
check_exit "stock: a kworker is seen on the isolated CPU" 2 'BAD: vmstat_update on the isolated CPU: [1-9]' \
	"$VCPULAT" lab exec --host-kernel stock --file "$program" -- ./conserve 2 fold
plan
