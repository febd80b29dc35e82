#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run, scenarios, recover. With root and an agent also a real run of this machine's kernel with no guest, on a
# CPU that is declared isolated in a private mount namespace: two windows, a Ctrl-C, a kill.
. "$(dirname "$0")/tap.sh"
export VCPULAT_DATA=$PWD
BUILD=${BUILD:-$(dirname "$VCPULAT")}
TAP_SECONDS=60

scenario() { # windows
	cat <<-E
		description: short
		layer: host
		shape: {guest: [libvirt, none], host: {cmdline: [$2]}}
		probe: {threshold: 100us}
		primer: {kind: mlock, period: 500ms, unstick: 5ms}
		windows: $1
		settings: [{path: /proc/sys/vm/stat_interval, value: "1"}]
		provokes: [host/kworker/vmstat_update]
		events: [{name: "vcpulat:invalidate_bh_lru"}]
	E
}

check_exit "run --help" 0 'usage: vcpulat run' "$VCPULAT" run --help
check_exit "run without a scenario" 1 'no scenario given' "$VCPULAT" run
check_exit "run with an unknown scenario" 1 "no scenario 'x'; there are:.* vmstat-host" "$VCPULAT" run x
check_exit "run with an unknown guest" 1 "--guest: 'qemu' is not a known word; allowed: libvirt, none, bare" "$VCPULAT" run --guest qemu vmstat-host
check_exit "run of the guest's own kernel with a bare guest" 1 'vmstat-guest: not in a bare guest, which has no kernel' \
	"$VCPULAT" run --guest bare vmstat-guest
check_exit "of several, it is skipped" 77 'skipped, vmstat-guest: not in a bare guest' \
	"$VCPULAT" run --guest bare vmstat-guest vmstat-self-guest
check_exit "run with a probe that there is not" 1 "--probe: 'tick' is not a known word; allowed: spin, timer" "$VCPULAT" run --probe tick vmstat-host
check_exit "an emulated host cannot qualify" 1 'cannot qualify' \
	"$VCPULAT" run --emulated --mode qualification vmstat-host
scenario '{length: 9s, armed: 1s, control: 1s}' >"$TMP/bad.yaml"
check_exit "run with a scenario that contradicts itself" 1 'bad.yaml: .*length' "$VCPULAT" run "$TMP/bad.yaml"
check_exit "scenarios lists" 0 '^vmstat-host$' "$VCPULAT" scenarios
check_exit "scenarios shows one" 0 '^provokes: \[host/kworker/vmstat_update\]' "$VCPULAT" scenarios vmstat-host
check_exit "scenarios explains the keys" 0 'only a sham primer acts' "$VCPULAT" scenarios --reference
check_exit "scenarios for programs" 0 '"name": "stat-refresh"' "$VCPULAT" scenarios --json
check_exit "which cannot be printed" 1 'No space left' sh -c "'$VCPULAT' scenarios --json >/dev/full"
check_exit "scenarios with an unknown name" 1 'there are:' "$VCPULAT" scenarios x
check_exit "recover takes no operands" 1 'no operands' "$VCPULAT" recover x

# Everything below changes settings of this machine for some seconds, and of two runs one is refused: one test at a time.
exec 9</proc/sys/vm/stat_interval
flock 9
isolated=$TMP/isolated.sh
cat >"$isolated" <<'EOF'
#!/bin/bash
# isolated.sh COMMAND: in a mount namespace where CPU 1 is the isolated one
[ "${1:-}" = --inside ] || exec unshare -m "$0" --inside "$1"
echo 1 >"$0.list"
mount --bind "$0.list" /sys/devices/system/cpu/isolated || exit 9
eval "$2"
EOF
chmod +x "$isolated"
usable() {
	[ "$(id -u)" = 0 ] && [ "$(nproc)" -ge 2 ] && [ -x "$BUILD/vcpulat-agent" ] && "$isolated" true &&
		{ "$isolated" "exec '$VCPULAT' run --guest none --seed 0 -o '$TMP/first' '$TMP/short.yaml'" >"$OUTPUT" 2>&1; first=$?; [ $first != 77 ]; }
}

unset VCPULAT_DATA
scenario '{length: 1s, armed: 1s, control: 1s}' >"$TMP/short.yaml"
interval=$(cat /proc/sys/vm/stat_interval)
if usable; then
	check "a run without a guest" test "$first" = 0
	bundle=$(echo "$TMP"/first/*)
	check "its bundle is complete" grep -q '"status": "complete"' "$bundle/manifest.json"
	check "a seed of 0 is one" grep -q '"seed": 1000003,' "$bundle/manifest.json"
	check "primer and sham acted" grep -q '"role":"primer".*"result":"ok"' "$bundle/stimuli.jsonl"
	check "the trace is one for trace-cmd" test "$(head -c 10 "$bundle/host.dat" | tail -c 7)" = tracing
	check "hashes are right" bash -c 'cd "$1" && sed -n "s/^  \"\(.*\)\": \"\([0-9a-f]\{64\}\)\".*/\2  \1/p" manifest.json |
		sha256sum --quiet -c' - "$bundle"
	check_exit "Ctrl-C seals a partial bundle" 130 'partial' "$isolated" "'$VCPULAT' run --guest none -o '$TMP/int' '$TMP/short.yaml' &
		sleep 3; kill -INT \$!; wait \$!"
	check "which says why" grep -q '"reason": "interrupted"' "$TMP"/int/*/manifest.json
	check_exit "Ctrl-C while the evidence is read waits for that" 130 . "$isolated" "'$VCPULAT' run --guest none \
		--progress '$TMP/progress' -o '$TMP/late' '$TMP/short.yaml' &
		until grep -qs collect '$TMP/progress'; do sleep 0.01; done; kill -INT \$!; wait \$!"
	check "and the bundle is complete" grep -q '"status": "complete"' "$TMP"/late/*/manifest.json
	check_exit "after a kill" 0 Killed "$isolated" "'$VCPULAT' run --guest none -o '$TMP/kill' '$TMP/short.yaml' &
		sleep 3; kill -KILL \$!; wait \$!; test \$? = 137"
	check_exit "recover cleans up" 0 'undone: [01] settings' "$VCPULAT" recover
	head -c 100000 /dev/zero >"$TMP/swaps"
	check_exit "what recover cannot undo is an error, and it goes on" 1 '^undone: 0 settings' \
		"$isolated" "mount --bind '$TMP/swaps' /proc/swaps && exec '$VCPULAT' recover"
	check "nothing of the trace is left" bash -c '! ls /sys/kernel/tracing/instances | grep -q vcpulat-'
	check "nor of its probes" bash -c '! grep -qs vcpulat /sys/kernel/tracing/kprobe_events'
	check "settings are as before" test "$(cat /proc/sys/vm/stat_interval)" = "$interval"
	check_exit "another CPU is refused" 77 'CPU 0 is not isolated; isolated are 1' \
		"$isolated" "exec '$VCPULAT' run --guest none --cpu 0 '$TMP/short.yaml'"
	sed 's|^settings:.*|settings: [{path: /proc/sys/vm/vcpulat_none, value: 1}]|' "$TMP/short.yaml" >"$TMP/none.yaml"
	check_exit "a setting that this kernel does not have is a skip" 77 "it wants to set '/proc/sys/vm/vcpulat_none', not there" \
		"$isolated" "exec '$VCPULAT' run --guest none -o '$TMP/none' '$TMP/none.yaml'"
	sed 's|^primer:.*|primer: {kind: touch, period: 500ms}|' "$TMP/short.yaml" >"$TMP/touch.yaml"
	check_exit "so is what a primer acts on" 77 'stimulus.prepare: .*No such device' \
		"$isolated" "exec '$VCPULAT' run --guest none -o '$TMP/touch' '$TMP/touch.yaml'"
	cluster=$(cat /proc/sys/vm/page-cluster)
	sed "s|^primer:.*|stimulus: {kind: write, period: 500ms, params: [path=/proc/sys/vm/page-cluster, value=9, back=$cluster, hold=5000]}|" \
		"$TMP/short.yaml" >"$TMP/held.yaml"
	check_exit "a kill while a stimulus holds a value" 0 Killed "$isolated" "'$VCPULAT' run --guest none -o '$TMP/held' '$TMP/held.yaml' &
		while kill -0 \$! && [ \$(cat /proc/sys/vm/page-cluster) != 9 ]; do sleep 0.1; done; kill -KILL \$!; wait \$!; test \$? = 137"
	check "the agent writes back what stood there" \
		bash -c 'for ((i = 0; i < 50; i++)); do [ "$(cat /proc/sys/vm/page-cluster)" = "$1" ] && exit; sleep 0.1; done; exit 1' - "$cluster"
	echo "$cluster" >/proc/sys/vm/page-cluster
	"$VCPULAT" recover >"$OUTPUT" 2>&1
	scenario '{length: 1s, armed: 1s, control: 1s}' vcpulat.none=1 >"$TMP/word.yaml"
	"$isolated" "mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug
		exec '$VCPULAT' run --guest bare -o '$TMP/bare' '$TMP/short.yaml'" >"$OUTPUT" 2>&1
	bare=$?
	if [ $bare = 77 ]; then
		skip "a real run with a bare guest" "$(grep -o 'no usable /dev/kvm.*\|KVM opens, but.*' "$OUTPUT")"
	else
		check "a run with a bare guest" test $bare = 0
		check "on the host's clock" jq -e '.stable and .vcpus[0].offset == 0' "$TMP/bare/short-bare/clock.json"
		check_exit "which analyzes" 0 '^short, guest bare, arm this-host: [0-9]+ gaps' "$VCPULAT" analyze "$TMP/bare/short-bare"
	fi
	check_exit "a command line that lacks a word is refused" 77 "it wants 'vcpulat.none=1' on the kernel's command line" \
		"$isolated" "exec '$VCPULAT' run --guest none '$TMP/word.yaml'"
else
	skip "a real run without a guest" "needs root, two CPUs, tracing: $(tail -n 1 "$OUTPUT")"
fi
plan
