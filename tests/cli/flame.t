#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# flame: of a bundle alone, and of one beside which or in which its result lies.
set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"
cd "$(dirname "$0")/../.." || exit 1
data=tests/data/exact-libvirt
cause=host/kworker/vmstat_update
folded='^host;kworker;[a-z_0-9]+ [0-9]+$'

mkdir "$TMP/bundle"
cp $data/meter.bin $data/kallsyms-*.txt "$TMP/bundle"
check_exit "an unanalyzed bundle knows what the instructions show" 0 "$folded" \
	"$VCPULAT" flame "$TMP/bundle" --cause $cause --folded
check_exit "and nothing else" 1 "no metered gap is 'host/named/by-result' alone; there are: .*$cause" \
	"$VCPULAT" flame "$TMP/bundle" --cause host/named/by-result
sed "s|$cause|host/named/by-result|; s|\"schema\"|\"scenario\":{\"name\":\"s\"},\"arm\":{\"name\":\"a\"},&|" \
	$data/result.json >"$TMP/bundle.result.json"
check_exit "the result beside a bundle is used" 0 "$folded" \
	"$VCPULAT" flame "$TMP/bundle/" --cause host/named/by-result --folded
mv "$TMP/bundle.result.json" "$TMP/bundle/result.json"
check_exit "so is one in it" 0 "$folded" "$VCPULAT" flame "$TMP/bundle" --cause host/named/by-result --folded
check_exit "given by itself it leads to the bundle around it" 0 "$folded" \
	"$VCPULAT" flame "$TMP/bundle/result.json" --cause host/named/by-result --folded
VCPULAT_DATA=$PWD check_exit "a page" 0 '<title>' "$VCPULAT" flame "$TMP/bundle" --cause host/named/by-result
check_exit "neither cause nor gap" 1 'give --cause or --gap' "$VCPULAT" flame "$TMP/bundle"
check_exit "a gap that is not there" 1 'the meter has no gap 4000000' "$VCPULAT" flame "$TMP/bundle" --gap 4000000
check_exit "a bundle without a meter" 1 'meter.bin' "$VCPULAT" flame tests/data/vmstat-host-none-stock --gap 1
plan
