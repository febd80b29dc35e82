#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs as root in an emulated host, see run.t: Ctrl-C and kill -9 with a guest, recover, a stalled guest, FIFO vCPUs.
dir=/run/vcpulat
out=/run/bundles
count=0
failed=0

check() { # name, command...
	local name=$1
	shift
	count=$((count + 1))
	if "$@" >/run/output 2>&1; then
		echo "ok $count - $name"
	else
		failed=$((failed + 1))
		echo "not ok $count - $name"
		head -c 2000 /run/output | sed 's/^/#   /'
	fi
}

run() { # name, argument...
	local name=$1
	shift
	"$dir/vcpulat" -v run --emulated --guest-kernel "$dir/guest.bzImage" --guest-initramfs "$dir/guest.cpio.gz" \
		--progress "/run/$name.progress" -o "$out/$name" "$@" >"/run/$name.log" 2>&1
}

of_length() { # scenario, seconds; prints the path of a copy with windows of that length
	sed "s/^windows: .*/windows: {length: ${2}s, armed: ${2}s, control: 1s}/" "$dir/scenarios/$1.yaml" >"/run/$1.yaml"
	echo "/run/$1.yaml"
}

in_window() { # name; waits for the first window
	for ((i = 0; i < 200; i++)); do
		sleep 1
		grep -q '"phase":"window"' "/run/$1.progress" 2>/dev/null && return
	done
}

vmstat_interval() {
	cat /proc/sys/vm/stat_interval
}

nothing_is_left() (
	set -x
	[ -z "$(virsh -c qemu:///system list --all --name | tr -d '\n')" ] && [ -z "$(ls /sys/kernel/tracing/instances)" ] &&
		! pgrep 'vcpulat-|qemu-' && [ "$(vmstat_interval)" = 9 ] && [ "$(ls -A "$dir/journal" 2>/dev/null)" = "" ]
)

ends_with() { # expected exit code, process
	wait "$2"
	[ $? = "$1" ]
}

echo 9 >/proc/sys/vm/stat_interval

run int --guest libvirt "$(of_length vmstat-guest 60)" &
pid=$!
in_window int
check "settings are applied" test "$(vmstat_interval)" = 1
sleep 2
pkill -INT -x vcpulat
check "Ctrl-C in a window gives 130" ends_with 130 $pid
check "its bundle is partial and says why" grep -q '"reason": "interrupted"' $out/int/vmstat-guest-libvirt/manifest.json
for file in host.dat guest.dat probe.bin clock.json stimuli.jsonl kallsyms-guest.txt dmesg-guest.txt; do
	check "it holds $file" test -s $out/int/vmstat-guest-libvirt/$file
done
check "nothing is left after Ctrl-C" nothing_is_left

run kill --guest libvirt "$(of_length vmstat-guest 60)" &
pid=$!
in_window kill
pkill -KILL -x vcpulat
check "a killed run" ends_with 137 $pid
sleep 3
check "takes its guest along" test -z "$(virsh -c qemu:///system list --name | tr -d '\n')"
check "leaves its settings" test "$(vmstat_interval)" = 1
run again --guest none vmstat-host
check "another run is refused" grep -q 'vcpulat recover' /run/again.log
check "recover" "$dir/vcpulat" recover
check "nothing is left after recover" nothing_is_left

echo '{"name": "fifo", "removes": [], "vcpu_policy": "fifo"}' >/run/arm.json
run stall --arm-json /run/arm.json --guest libvirt vmstat-host "$(of_length vmstat-guest 3)" &
pid=$!
in_window stall
check "vCPU 1 is FIFO" bash -c 'chrt -p "$(cat /sys/kernel/debug/kvm/*/vcpu1/pid)" | grep -q SCHED_FIFO'
check "vCPU 0 is not" bash -c 'chrt -p "$(cat /sys/kernel/debug/kvm/*/vcpu0/pid)" | grep -q SCHED_OTHER'
virsh -q -c qemu:///system suspend vcpulat-guest
check "a run whose guest stalls is repeated" ends_with 0 $pid
bundle=$out/stall/vmstat-guest-libvirt
check "and says so" grep -q '"what": "run"' $bundle/manifest.json
check "with a whole bundle" grep -q '"status": "complete"' $bundle/manifest.json
check "beside the stalled one" grep -q '"status": "partial"' $bundle-1.stalled/manifest.json
check "which says where its vCPUs were" grep -q 'RIP=' $bundle-1.stalled/stall.txt
check "with FIFO vCPUs, as it says" grep -q '"vcpu_policy": "fifo"' $bundle/manifest.json
check "and without what would wait for ever" grep -q 'vmstat-host.*FIFO vCPU' /run/stall.log

run lost --guest none "$(of_length vmstat-host 3)" "$(of_length stat-refresh 3)" "$(of_length lru-drain 3)" &
pid=$!
in_window lost
pkill -KILL -o -x vcpulat-agent
check "a run that lost the host's agent fails" ends_with 1 $pid
check "and the next one has another" grep -q '"status": "complete"' $out/lost/lru-drain-none/manifest.json
check "nothing is left at the end" nothing_is_left
[ $failed = 0 ] || tail -n 20 /run/*.log $out/*/*/manifest.json | sed 's/^/# /'
echo "1..$count"
exit $((failed != 0))
