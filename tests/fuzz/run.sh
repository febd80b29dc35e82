#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds every fuzzer with clang's libFuzzer under the sanitizers and runs each for some seconds.
#   run.sh BUILD_DIR SECONDS [NAME...]
set -eu
build=$1 seconds=$2
shift 2
cd "$(dirname "$0")/../.."
command -v clang >/dev/null || { echo "fuzzing needs clang: apt-get install clang" >&2; exit 1; }
mkdir -p "$build"
packages=${PACKAGES:?run by make fuzz}
sources=$(ls common/*.c reports/*.c reports/*/*.c host/*.c host/lab/*.c host/kernel/*.c | grep -v '^host/main.c$')
for fuzzer in ${*:-tests/fuzz/fuzz_*.c}; do
	name=$(basename "$fuzzer" .c)
	seeds=tests/fuzz/corpus/${name#fuzz_}
	found=$build/corpus-${name#fuzz_}
	mkdir -p "$found"
	# shellcheck disable=SC2046,SC2086 # lists are meant to be split
	clang -g -O1 -std=gnu11 -D_GNU_SOURCE -DVCPULAT_VERSION='"fuzz"' -I. -fsanitize=fuzzer,address,undefined \
		$(pkg-config --cflags $packages) -o "$build/$name" "tests/fuzz/$name.c" $sources $(pkg-config --libs $packages) -lm
	echo "== $name for $seconds s"
	"$build/$name" -max_total_time="$seconds" -verbosity=0 -print_final_stats=1 -artifact_prefix="$build/" \
		"$found" $([ -d "$seeds" ] && echo "$seeds") 2>&1 | grep -E 'stat::number_of_executed|ERROR|SUMMARY' || true
	[ "${PIPESTATUS[0]}" = 0 ]
done
