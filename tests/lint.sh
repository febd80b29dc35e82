#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Static analysis: cppcheck over everything, gcc's analyzer over each file. Findings are errors.
#   lint.sh BUILD_DIR
set -u
build=$1 bad=0
cd "$(dirname "$0")/.." || exit 1
mkdir -p "$build"
command -v cppcheck >/dev/null || { echo "lint needs cppcheck: apt-get install cppcheck" >&2; exit 1; }
cppcheck --quiet --std=c11 --library=posix --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
	--suppress=missingIncludeSystem -D_GNU_SOURCE -DVCPULAT_VERSION='""' -I. agents common host reports || bad=1
packages="libvirt libtracefs libtraceevent libtracecmd yaml-0.1 jansson gsl libcrypto"
# shellcheck disable=SC2046,SC2086 # lists are meant to be split
for file in $(git ls-files 'agents/*.c' 'common/*.c' 'host/*.c' 'reports/*.c'); do
	gcc -std=gnu11 -O1 -D_GNU_SOURCE -DVCPULAT_VERSION='""' -I. $(pkg-config --cflags $packages) \
		-fanalyzer -Werror -c -o "$build/lint.o" "$file" || bad=1
done
exit $bad
