#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# analyze: a recorded bundle, and bundles that are none, cut or hostile.
. "$(dirname "$0")/tap.sh"
recorded=$(dirname "$0")/../data/vmstat-host-none-stock

copy() { # name: a bundle of its own to spoil
	rm -rf "${TMP:?}/$1"
	cp -r "$recorded" "$TMP/$1"
	chmod -R u+w "$TMP/$1"
}

check_exit "analyze --help" 0 'usage: vcpulat analyze' "$VCPULAT" analyze --help
check_exit "analyze without a bundle" 1 'no bundle given' "$VCPULAT" analyze
check_exit "a directory that is none" 1 "'/nonexistent' is no bundle" "$VCPULAT" analyze /nonexistent
check_exit "--output takes one bundle" 1 'one bundle' "$VCPULAT" analyze -o "$TMP/x" a b

copy good
check_exit "a table of causes" 0 'host/kworker/vmstat_update +6/6 +0/3 +6 ' "$VCPULAT" analyze "$TMP/good"
check "the result lies beside the bundle" test -s "$TMP/good.result.json"
check "the bundle is as it was" diff -r "$recorded" "$TMP/good"
mv "$TMP/good.result.json" "$TMP/first.json"
check_exit "with a slash at the end" 0 'passed' "$VCPULAT" analyze "$TMP/good/"
check "the same bundle gives the same bytes" cmp "$TMP/first.json" "$TMP/good.result.json"
check_exit "JSON that nobody gets" 1 'cannot print: No space left' \
	sh -c "'$VCPULAT' analyze --json -o '$TMP/out.json' '$TMP/good' >/dev/full"
check_exit "nor the table" 1 'cannot print.*: No space left' sh -c "'$VCPULAT' analyze -o '$TMP/out.json' '$TMP/good' >/dev/full"
check_exit "for programs" 0 '"schema": "vcpulat-result-1"' "$VCPULAT" analyze --json -o "$TMP/out.json" "$TMP/good"

sed -i 's/"status": "complete"/"status": "partial"/; s/"reason": ""/"reason": "it rained"/' "$TMP/good/manifest.json"
check_exit "a partial bundle" 0 'no-verdict' "$VCPULAT" analyze "$TMP/good"
check_exit "says why it is partial" 0 'partial: it rained' "$VCPULAT" analyze "$TMP/good"

copy warned
echo '[  100.0] WARNING: CPU: 1 PID: 1 at mm/vmstat.c:1 foo+0x1/0x2' >>"$TMP/warned/dmesg-host.txt"
check_exit "a kernel's warning fails the run" 2 '1 faults in kernel logs.*vmstat.c:1' "$VCPULAT" analyze "$TMP/warned"

copy torn
echo '<6>[   99.000000] fine' >"$TMP/torn/dmesg-host.txt"
echo '{"log_ns": 40000000000}' >"$TMP/torn/facts-host.json"
check_exit "a kernel's log without its beginning" 0 "the host's kernel log begins after the run did" \
	"$VCPULAT" analyze "$TMP/torn"
check "is in the result" grep -q '"kernel_log_missing": *\[$' "$TMP/torn.result.json"

copy died
rm "$TMP/died/dmesg-host.txt"
echo '[  100.0] Kernel panic - not syncing: Fatal exception in interrupt' >"$TMP/died/console-host.log"
check_exit "of a kernel that died there is the console" 2 '1 faults in kernel logs.*Kernel panic' "$VCPULAT" analyze "$TMP/died"
check_exit "and its log is missed" 2 "the host's kernel log was not fetched" "$VCPULAT" analyze "$TMP/died"

copy refused
sed -i '/"role":"primer"/s/"result":"ok"/"result":"Permission denied"/' "$TMP/refused/stimuli.jsonl"
check_exit "primers that all failed" 0 'primer mlock: 6 of 6 failed: Permission denied' "$VCPULAT" analyze "$TMP/refused"
check "show nothing" grep -q '"state": "no-verdict"' "$TMP/refused.result.json"
check_exit "a comparison says it too" 2 'no verdict.*6 of 6 failed: Permission denied' \
	"$VCPULAT" compare "$TMP/refused.result.json"

copy limited
limits='[{"figure":"native.max","max_ns":50000},{"figure":"penalty.max","max_ns":1},{"figure":"native.p99","max_ns":1}]'
sed -i "s/\"limits\": \[\]/\"limits\": $limits/" "$TMP/limited/manifest.json"
check_exit "functional mode judges no microseconds" 0 'native.max is not judged' "$VCPULAT" analyze "$TMP/limited"
sed -i 's/"mode": "functional"/"mode": "qualification"/' "$TMP/limited/manifest.json"
check_exit "a limit that is not met" 2 'native.max is 4591.9 us, the limit is 50.0 us' "$VCPULAT" analyze "$TMP/limited"
check_exit "a percentile that nothing carries is not judged" 2 'native.p99: 6 gaps do not carry' \
	"$VCPULAT" analyze "$TMP/limited"

copy clock
tsc='"tsc", "constant_tsc", "nonstop_tsc"'
facts() { # flags, clock source
	printf '{"log_ns": 1, "cpu_flags": [%s], "clocksource": "%s"}\n' "$1" "$2" >"$TMP/clock/facts-host.json"
}
mode() { sed -i "s/\"mode\": \"[a-z]*\"/\"mode\": \"$1\"/" "$TMP/clock/manifest.json"; }
facts '"tsc"' tsc
check_exit "a TSC that may stop is a finding" 0 'passed' "$VCPULAT" analyze "$TMP/clock"
check "it is in the result" grep -q 'no flag nonstop_tsc' "$TMP/clock.result.json"
sed 's/"emulated": true/"emulated": false/' "$TMP/clock.result.json" >"$TMP/real.json"
check_exit "and a note in a comparison" 0 'note .*no flag constant_tsc' "$VCPULAT" compare "$TMP/real.json"
mode qualification
check_exit "in qualification it is fatal" 2 'no flag constant_tsc' "$VCPULAT" analyze "$TMP/clock"
facts "$tsc" hpet
check_exit "so are TSCs out of step" 2 'the clock source is hpet' "$VCPULAT" analyze "$TMP/clock"
facts "$tsc" tsc
check_exit "a good TSC qualifies" 0 'passed' "$VCPULAT" analyze "$TMP/clock"

copy faults
window=$(python3 -c 'import json, sys
windows = json.load(open(sys.argv[1]))["windows"]
print(*next((i, w["t0"]) for i, w in enumerate(windows) if w["state"] == "armed"))' "$TMP/faults/manifest.json")
for detail in 'threads=2 faults=4000 wall_ns=2000000000 cpu_ns=4000000000 ipis=8' \
	'threads=2 faults=4000 wall_ns=1000000000 cpu_ns=2000000000 ipis=0' 'threads=1 faults=0 wall_ns=0 cpu_ns=0 ipis=0'; do
	printf '{"role":"stimulus","kind":"fault_rate","layer":"host","cpu":-1,"t0":%d,"t1":%d,"window":%d,"result":"ok","detail":"%s"}\n' \
		"${window#* }" "${window#* }" "${window% *}" "$detail" >>"$TMP/faults/stimuli.jsonl"
done
sed -i '0,/"state": "armed"/s//"ipis": 17, "state": "armed"/' "$TMP/faults/manifest.json"
check_exit "page faults are measured" 0 passed "$VCPULAT" analyze "$TMP/faults"
check "a rate is the arithmetic mean of actions" python3 -c 'import json, sys
rows = json.load(open(sys.argv[1]))["fault_rate"]
assert [(r["threads"], r["actions"], r["per_s"], r["per_cpu_s"], r["ipis_per_1000"]) for r in rows] == [(2, 2, 3000, 1500, 1)]
assert rows[0]["faults"] == 8000' "$TMP/faults.result.json"
check "IPIs are those of their window" python3 -c 'import json, sys
windows = json.load(open(sys.argv[1]))["windows"]
assert {w["state"]: w.get("ipis") for w in windows} == {"guard": None, "control": None, "armed": 17}' "$TMP/faults.result.json"

copy figures
for detail in 'held back=-3 pages, throttled=1 times' 'held back=48 pages, and more' 'held back=17 pages' 'held back=x pages'; do
	printf '{"role":"stimulus","kind":"stall","layer":"host","cpu":-1,"t0":%d,"t1":%d,"window":%d,"result":"ok","detail":"%s"}\n' \
		"${window#* }" "${window#* }" "${window% *}" "$detail" >>"$TMP/figures/stimuli.jsonl"
done
check_exit "a stimulus gives figures" 0 passed "$VCPULAT" analyze "$TMP/figures"
check "they are summed up, and each value is kept" python3 -c 'import json, sys
figures = json.load(open(sys.argv[1]))["stimulus_figures"]
assert [(f["figure"], f["unit"], f["armed"]["n"], f["control"]) for f in figures] == [("held back", "pages", 3, None), ("throttled", "times", 1, None)]
armed = figures[0]["armed"]
assert [armed[key] for key in ("min", "median", "max")] == [-3, 17, 48] == sorted(armed["values"])' "$TMP/figures.result.json"

copy untraced
rm "$TMP/untraced/host.dat"
check_exit "without a trace gaps are counted" 0 'there is no trace of the host' "$VCPULAT" analyze "$TMP/untraced"

cp -r "$recorded/../vmstat-host-libvirt-stock" "$TMP/no-trace"
rm "$TMP"/no-trace/*.dat
check_exit "a guest without any trace" 0 ' 180 gaps in windows, 0 explained' "$VCPULAT" analyze "$TMP/no-trace"
check "without a trace no clock is in the way" sh -c "! grep -q '\"vague\"' '$TMP/no-trace.result.json'"
check_exit "a traced run and an untraced one" 0 'probe effect' "$VCPULAT" compare "$TMP/no-trace" \
	"$recorded/../vmstat-host-libvirt-stock.result.json"

cp -r "$recorded/../vmstat-host-libvirt-stock" "$TMP/shifted"
sed -i 's/"offset": -89285829716/"offset": -89288829716/' "$TMP/shifted/clock.json"
check_exit "a clock that is off" 0 'passed|no-verdict' "$VCPULAT" analyze -o "$TMP/shifted.json" "$TMP/shifted"
check "no gap below the clock's error has a cause" python3 "$recorded/../report/check.py" vague "$TMP/shifted.json" \
	host/kworker/vmstat_update

copy cut
truncate -s 60000 "$TMP/cut/host.dat"
check_exit "a trace that is cut short" 1 'host.dat. is no trace.dat, or is cut short' "$VCPULAT" analyze "$TMP/cut"
copy cut
truncate -s 200 "$TMP/cut/probe.bin"
check_exit "a probe's file that is cut short" 1 'probe.bin.: is cut short' "$VCPULAT" analyze "$TMP/cut"
copy cut
rm "$TMP/cut/probe.bin"
check_exit "a complete bundle without gaps" 1 'probe.bin' "$VCPULAT" analyze "$TMP/cut"
copy cut
echo '{"role": "joker"}' >>"$TMP/cut/stimuli.jsonl"
check_exit "an unknown action" 1 'stimuli.jsonl:[0-9]+: not an action' "$VCPULAT" analyze "$TMP/cut"
copy cut
sed -i 's/vcpulat-bundle-1/vcpulat-bundle-9/' "$TMP/cut/manifest.json"
check_exit "another schema" 1 'vcpulat-bundle-9' "$VCPULAT" analyze "$TMP/cut"
copy cut
sed -i 's/"cycles_per_second": [0-9]*/"cycles_per_second": 3/' "$TMP/cut/manifest.json"
check_exit "a clock that is none" 1 'cycles_per_second' "$VCPULAT" analyze "$TMP/cut"
copy cut
sed -i 's/"guest": "none"/"guest": "libvirt"/' "$TMP/cut/manifest.json"
check_exit "a guest without a clock" 1 'clock.json' "$VCPULAT" analyze "$TMP/cut"
copy cut
mkfifo "$TMP/fifo"
rm "$TMP/cut/host.dat"
ln -s "$TMP/fifo" "$TMP/cut/host.dat"
check_exit "a FIFO in place of a trace" 1 'host.dat. is not a regular file' "$VCPULAT" analyze "$TMP/cut"
plan
