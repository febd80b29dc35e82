#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Static analysis: cppcheck over everything, gcc's analyzer over each file. Findings are errors.
#   lint.sh BUILD_DIR
set -u
build=$1 bad=0
cd "$(dirname "$0")/.." || exit 1
mkdir -p "$build"
command -v cppcheck >/dev/null || { echo "lint needs cppcheck: apt-get install cppcheck" >&2; exit 1; }
# cppcheck 2.10 does not know the cleanup attribute, hence no leaks; nor mmap()'s -1; nor jansson's loops.
cppcheck --quiet -D__cppcheck__ --std=c11 --library=posix --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
	--suppress=missingIncludeSystem --suppress=resourceLeak --suppress=memleak --suppress=readdirCalled \
	--suppress=invalidFunctionArg --suppress=comparePointers --suppress=identicalInnerCondition --include=tests/lint.h \
	-D_GNU_SOURCE -DVCPULAT_VERSION='""' -I. agents common guest host reports || bad=1
# What gcc 12 says of values that come back through a pointer and of scoped cleanup.
false_alarms="-Wno-analyzer-malloc-leak -Wno-analyzer-file-leak -Wno-analyzer-use-of-uninitialized-value
	-Wno-analyzer-null-argument -Wno-analyzer-null-dereference"
packages=${PACKAGES:?run by make lint}
# shellcheck disable=SC2046,SC2086 # lists are meant to be split
for file in $(git ls-files 'agents/*.c' 'common/*.c' 'guest/*.c' 'host/*.c' 'reports/*.c' | grep -v '^common/err.c$'); do
	gcc -std=gnu11 -O1 -D_GNU_SOURCE -DVCPULAT_VERSION='""' -I. $(pkg-config --cflags $packages) \
		-fanalyzer -include tests/lint.h $false_alarms -Werror -c -o "$build/lint.o" "$file" || bad=1
done
exit $bad
