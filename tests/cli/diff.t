#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# diff: two bundles, two directories of them, two results, and what is none of these.
set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"
cd "$(dirname "$0")/../.." || exit 1
data=tests/data
expect=$data/report/check.py

check_exit "two arms" 0 '^  kernel  +stock +vmstat-skip-isolated$' \
	"$VCPULAT" diff $data/vmstat-host-libvirt-stock $data/vmstat-host-libvirt-skip
cp "$OUTPUT" "$TMP/table"
check "fits 100 columns" python3 $expect narrow "$TMP/table" 100
check_exit "a bundle and itself" 0 'Nothing of what was recorded differs' \
	"$VCPULAT" diff $data/vmstat-host-none-stock $data/vmstat-host-none-stock
check_exit "two results" 0 '^  guest  +libvirt +none$' \
	"$VCPULAT" diff $data/vmstat-host-libvirt-stock.result.json $data/vmstat-host-none-stock.result.json

mkdir -p "$TMP/a/1" "$TMP/b/1"
cp -r $data/vmstat-host-none-stock $data/vmstat-host-libvirt-stock "$TMP/a/1"
cp -r $data/vmstat-host-none-stock $data/vmstat-host-libvirt-stock "$TMP/b/1"
echo '{"ksm": "0", "kvm": {"halt_poll_ns": "200000"}}' >"$TMP/a/1/vmstat-host-none-stock/facts-host.json"
echo '{"ksm": "1", "kvm": {"halt_poll_ns": "0"}}' >"$TMP/b/1/vmstat-host-none-stock/facts-host.json"
rm "$TMP/b/1/vmstat-host-libvirt-stock/guest.dat" "$TMP/b/1"/*/host.dat
check_exit "two directories" 0 '^A  2 runs ' "$VCPULAT" diff "$TMP/a" "$TMP/b"
check_exit "facts" 0 '^  kvm.halt_poll_ns  +200000 +0$' "$VCPULAT" diff "$TMP/a" "$TMP/b/"
check_exit "tracing" 0 'A  host guest$' "$VCPULAT" diff "$TMP/a" "$TMP/b"
"$VCPULAT" diff --json "$TMP/a" "$TMP/b" >"$TMP/diff.json"
if python3 -c 'import jsonschema' 2>/dev/null; then
	check "--json follows the published schema" python3 $expect schema reports/schema/diff.schema.json "$TMP/diff.json"
else
	skip "--json follows the published schema" "no python3-jsonschema"
fi

check_exit "one set-up is not enough" 1 'give two set-ups' "$VCPULAT" diff "$TMP/a"
check_exit "a directory without a bundle" 1 'there is no bundle in' "$VCPULAT" diff "$TMP/a" tests/cli
check_exit "what is not there" 1 "cannot read '/nonexistent'" "$VCPULAT" diff /nonexistent "$TMP/a"
echo '{' >"$TMP/b/1/vmstat-host-none-stock/manifest.json"
check_exit "a manifest that is cut short" 1 'manifest.json:' "$VCPULAT" diff "$TMP/a" "$TMP/b"
echo '{"schema": "vcpulat-comparison-1", "rows": [], "verdicts": []}' >"$TMP/comparison.json"
check_exit "a comparison" 1 'is a comparison' "$VCPULAT" diff "$TMP/comparison.json" "$TMP/a"
plan
