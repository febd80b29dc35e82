#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The demonstration as `make demo` runs it: two host kernels, three scenarios, one verdict.
set -u
# shellcheck source-path=SCRIPTDIR source=../cli/tap.sh
. "$(dirname "$0")/../cli/tap.sh"
TAP_SECONDS=60

"$VCPULAT" kernel build stock vmstat-skip-isolated >"$OUTPUT" 2>&1 || { sed 's/^/# /' "$OUTPUT"; exit 1; }
out=$TMP/out
timeout 1000 "$VCPULAT" lab --host-kernel stock --host-kernel vmstat-skip-isolated -o "$out" \
	vmstat-host vmstat-guest stat-refresh >"$TMP/demo" 2>&1
code=$?
grep -v 'boot . of' "$TMP/demo" | sed 's/^/# /'
jq -r '"# retried: \(.retries[] | .what + ", " + .reason)"' "$out"/*/*/*/manifest.json | sort -u
check "the demonstration passes" test $code = 0
check "the patch removes the host's vmstat_update" grep -qE 'vmstat_update: .*on vmstat-skip-isolated' "$TMP/demo"

holds() { # name, jq expression over comparison.json
	check "$1" jq -e "$2" "$out/comparison.json"
}
holds "what is drawn is drawn from the seed that lab.json names" ".seed == $(jq .seed "$out/lab.json")"
host='.rows[] | select(.cause == "host/kworker/vmstat_update" and .scenario == "vmstat-host")'
holds "at least 8 hits in 20 s of armed windows on stock, in the guest" \
	"[$host | select(.arm == \"stock\").guest | .count / .exposure_s * 20 >= 8] == [true]"
holds "and natively" "[$host | select(.arm == \"stock\").native | .count / .exposure_s * 20 >= 8] == [true]"
holds "no sham hits" "[$host | .guest.control.hit, .native.control.hit] | add == 0"
holds "none on the patched kernel" \
	"[$host | select(.arm == \"vmstat-skip-isolated\") | .guest.count, .native.count] == [0, 0]"
holds "removed" '[.verdicts[] | select(.cause == "host/kworker/vmstat_update").state] == ["removed"]'
holds "the positive control hits on both arms" \
	'[.rows[] | select(.cause == "host/kworker/refresh_vm_stats").guest.armed | .hit > 0] == [true, true]'
holds "the guest's own worker, and not the host's" \
	'[.rows[] | select(.scenario == "vmstat-guest" and .arm == "stock" and .provoked) | .cause, .guest.armed.hit > 0] ==
	 ["guest/kworker/vmstat_update", true]'
holds "every hit in exact instructions" "[$host | select(.arm == \"stock\").exact.guest] | map(. != null) == [true]"

# Of the events on the guest's measured CPU: those while KVM ran it, and all.
between_entry_and_exit() {
	awk '/^ *host.dat:.* kvm_entry:/ { inside = 1 }
		/^ *host.dat:.* kvm_exit:/ { inside = 0; known = 1 }
		/^ *guest.dat:.*\[001\]/ && known { all++; ran += inside }
		END { print ran + 0, all + 0 }'
}

for bundle in "$out"/*/1/*-{none,libvirt}/; do
	name=${bundle#"$out"/} name=${name%/}
	check "$name: complete" jq -e '.status == "complete"' "$bundle/manifest.json"
	check "$name: trace-cmd lists the host's events" \
		bash -c "trace-cmd report -i '$bundle/host.dat' 2>/dev/null | grep -q sched_switch"
	[ -e "$bundle/guest.dat" ] || continue
	check "$name: trace-cmd lists the guest's events" \
		bash -c "trace-cmd report -i '$bundle/guest.dat' 2>/dev/null | grep -q sched_switch"
	trace-cmd report -i "$bundle/host.dat" -i "$bundle/guest.dat" 2>/dev/null | between_entry_and_exit >"$TMP/between"
	check "$name: trace-cmd puts the vCPU's events between an entry and the exit after it" \
		awk '{ exit !($2 > 100 && $1 >= 0.999 * $2) }' "$TMP/between"
done
check "the report is one page" grep -q '</html>' "$out/report.html"
plan
