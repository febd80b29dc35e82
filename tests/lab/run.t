#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a run leaves behind on its host, whatever ends it: run_inside.sh in an emulated host, which speaks TAP itself.
set -u
export TMPDIR
TMPDIR=$(mktemp -d)
trap 'rm -rf "$TMPDIR"' EXIT
"${VCPULAT:-build/vcpulat}" kernel build stock >/dev/null 2>&1 || { echo "# no stock kernel"; exit 1; }
"${VCPULAT:-build/vcpulat}" lab exec --file "$(dirname "$0")/run_inside.sh" -- bash ./run_inside.sh | tr -d '\r'
exit "${PIPESTATUS[0]}"
