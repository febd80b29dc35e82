#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Ratios against peers on this machine, each in one run on the same file.
#   run.sh BUILD_DIR        BENCH_EVENTS="1 10 100": millions of events; 100 need 5 GiB below $TMPDIR, else they are left out
set -eu
build=$(realpath "$1")
cd "$(dirname "$0")/../.."
bench=$build/bench_trace
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cpu_time() { # command...: seconds of CPU time, and KiB resident
	/usr/bin/time -f '%U %S %M' "$@" 2>&1 >/dev/null | awk '{ print $1 + $2, $3 }'
}

compare() { # what, file
	read -r events own own_kib < <("$bench" read "$2")
	printf '%-34s %11d events  vcpulat %8.0f k/s %7d KiB' "$1" "$events" "$(echo "$events / $own / 1000" | bc -l)" "$own_kib"
	if [ "$events" -le 10000000 ] && command -v trace-cmd >/dev/null; then
		read -r peer peer_kib < <(cpu_time trace-cmd report -i "$2")
		printf '  trace-cmd report %6.0f k/s %7d KiB  ratio %.1f' "$(echo "$events / $peer / 1000" | bc -l)" \
			"$peer_kib" "$(echo "$peer / $own" | bc -l)"
	fi
	echo
}

for recorded in tests/data/*/host.dat; do
	if [ -e "$recorded" ]; then compare "$recorded" "$recorded"; fi
done
for millions in ${BENCH_EVENTS:-1 10 100}; do
	if [ "$(df -Pk "$dir" | awk 'END { print int($4 / 1024) }')" -lt $((millions * 60)) ]; then
		echo "generated, $millions million: left out, $((millions * 60)) MiB do not fit into $dir"
		continue
	fi
	"$bench" generate "$dir/trace.dat" $((millions * 1000000))
	compare "generated, $millions million" "$dir/trace.dat"
	rm "$dir/trace.dat"
done
