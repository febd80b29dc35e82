#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# compare and report on small results: exit codes, and every output opened by a program that reads its kind.
set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

cd "$(dirname "$0")/../.." || exit 1
export VCPULAT_DATA=$PWD
results=tests/data/results
expect=tests/data/report/check.py

check_exit "compare passes" 0 '16 of 16 hits explained on stock; 0 in 40 s on vmstat-skip-isolated' \
	"$VCPULAT" compare $results/*.json -o "$TMP/comparison.json"
cp "$OUTPUT" "$TMP/table"
check "the table fits 100 columns" python3 $expect narrow "$TMP/table" 100
check "no colour without a terminal" sh -c "! grep -q '$(printf '\033')' '$TMP/table'"
"$VCPULAT" compare $results/*.json --json >"$TMP/printed.json"
check "--json is JSON" python3 $expect passed "$TMP/printed.json"
sed 's/"removes":\["host/"removes":["nothing/' $results/skip-guest.json >"$TMP/unclaimed.json"
check_exit "an expectation that is not met exits with 2" 2 ': unexpected' \
	"$VCPULAT" compare $results/stock-guest.json "$TMP/unclaimed.json"
jq '.probe.kind = "timer"' $results/skip-guest.json >"$TMP/timer.json"
check_exit "two kinds of probe are not compared" 1 "timer.json: vmstat-host was measured with probe 'timer', in .* with 'spin'" \
	"$VCPULAT" compare $results/stock-guest.json "$TMP/timer.json"
check_exit "an A/A comparison of one boot is refused" 1 'two boots' "$VCPULAT" compare --aa $results/stock-guest.json
sed 's/"boot-1"/"boot-2"/' $results/stock-guest.json >"$TMP/again.json"
check_exit "an A/A comparison of two boots passes" 0 'no difference, as expected' \
	"$VCPULAT" compare --aa $results/stock-guest.json "$TMP/again.json"
check_exit "how often such comparisons differ is simulated" 0 '100 simulated A/A .* 0 find a difference' \
	"$VCPULAT" compare --aa --simulate 100 $results/stock-guest.json "$TMP/again.json" -o "$TMP/aa.json"
sed 's/"boot-1"/"boot-2"/; s/{"schema"/{"trace":{"host":false,"guest":false,"events":0},"schema"/' $results/stock-guest.json \
	>"$TMP/untraced.json"
check_exit "the probe effect is told" 0 'rate with over' "$VCPULAT" compare $results/stock-guest.json "$TMP/untraced.json" \
	-o "$TMP/effect.json"
check_exit "hits are those of traced runs" 0 'stock +guest +8/8 ' "$VCPULAT" compare $results/stock-guest.json \
	"$TMP/untraced.json"
check_exit "on the page too" 0 'html: ' "$VCPULAT" report "$TMP/effect.json" --html "$TMP/effect.html"
check_exit "the run length for a bound" 0 'vmstat-skip-isolated +guest +0 in 20 s +< 540 per h +3\.0 h, 540 such runs' \
	"$VCPULAT" compare --bound 1/h $results/*.json
cp "$OUTPUT" "$TMP/bound"
check "what is seen as often has none" grep -qE '^  stock +guest .* none: seen' "$TMP/bound"
check "it fits 100 columns" python3 $expect narrow "$TMP/bound" 100
check_exit "a bound that is no rate" 1 "'0/h' is no rate above 0" "$VCPULAT" compare --bound 0/h $results/*.json
faults() { # result, faults a second: as if it had measured page faults
	row="{\"threads\":2,\"actions\":3,\"faults\":9,\"wall_ns\":9,\"cpu_ns\":9,\"ipis\":9,\"per_s\":$2,\"per_cpu_s\":$2"
	sed "s/{\"schema\"/{\"fault_rate\":[$row,\"ipis_per_1000\":0.5}],\"schema\"/" "$1" >"$TMP/faults-$2.json"
}
faults $results/stock-guest.json 1000
faults $results/skip-guest.json 950
check_exit "page faults by threads" 0 '^  faults/s, emulated +2 +1000\.00 +950\.00 +-5\.00%$' "$VCPULAT" compare \
	"$TMP/faults-1000.json" "$TMP/faults-950.json" -o "$TMP/faults.json"
cp "$OUTPUT" "$TMP/table"
check "it says what the star is, and that there can be none" grep -qE '^\* p <= 0.05 by permutation of boots.*;$' "$TMP/table"
check "they fit 100 columns" python3 $expect narrow "$TMP/table" 100
figures() { # result, value: as if a stimulus had said it
	side="{\"n\":1,\"min\":$2,\"median\":$2,\"max\":$2,\"values\":[$2]}"
	row="{\"kind\":\"stall\",\"figure\":\"held back\",\"unit\":\"pages\",\"armed\":$side,\"control\":null}"
	sed "s/{\"schema\"/{\"stimulus_figures\":[$row],\"schema\"/" "$1" >"$TMP/figures$2.json"
}
figures $results/stock-guest.json 48
figures $results/skip-guest.json -7
check_exit "figures of a stimulus, side by side" 0 '^  held back, pages +48/48/48 \(1\) +-7/-7/-7 \(1\)$' "$VCPULAT" compare \
	"$TMP/figures48.json" "$TMP/figures-7.json" -o "$TMP/figures.json"
cp "$OUTPUT" "$TMP/table"
check "they fit 100 columns too" python3 $expect narrow "$TMP/table" 100
check_exit "nothing to compare" 1 'no RESULT given' "$VCPULAT" compare
check_exit "what is no result is refused" 1 'malformed|unexpected|expected' "$VCPULAT" compare $expect
check_exit "a comparison cannot be compared" 1 'is a comparison already' "$VCPULAT" compare "$TMP/comparison.json"

check_exit "reports are written" 0 'perfetto: ' "$VCPULAT" report "$TMP/comparison.json" --html "$TMP/page.html" \
	--junit "$TMP/junit.xml" --perfetto "$TMP/trace.json"
check_exit "the excerpt shows events" 0 'kvm_exit' "$VCPULAT" report "$TMP/comparison.json" --excerpt
cp "$OUTPUT" "$TMP/excerpt"
check "the excerpt fits 72 columns" python3 $expect narrow "$TMP/excerpt" 72
check_exit "an excerpt of a cause that is not there" 1 'no result has a hit of host/task/none' \
	"$VCPULAT" report "$TMP/comparison.json" --excerpt --cause host/task/none
check "JUnit XML counts its cases" python3 $expect junit "$TMP/junit.xml"
if command -v xmllint >/dev/null; then
	check "JUnit XML is valid" xmllint --noout --schema tests/data/report/junit.xsd "$TMP/junit.xml"
else
	skip "JUnit XML is valid" "no xmllint"
fi
check_exit "TAP is written" 0 'tap: ' "$VCPULAT" report "$TMP/comparison.json" --tap "$TMP/report.tap"
check "TAP counts its points" python3 $expect tap "$TMP/report.tap"
check "TAP has a point where JUnit has a case" sh -c \
	"[ \$(grep -c '<testcase' '$TMP/junit.xml') = \$(grep -cE '^(not )?ok ' '$TMP/report.tap') ]"
"$VCPULAT" compare $results/stock-guest.json "$TMP/unclaimed.json" -o "$TMP/failed.json" >/dev/null 2>&1
check_exit "TAP of an expectation that is not met" 0 'tap: ' "$VCPULAT" report "$TMP/failed.json" --tap "$TMP/failed.tap"
if command -v prove >/dev/null; then
	check_exit "prove reads TAP" 0 'Result: PASS' prove --exec cat "$TMP/report.tap"
	check_exit "prove sees what failed" 1 'Result: FAIL' prove --exec cat "$TMP/failed.tap"
else
	skip "prove reads TAP" "no prove"
	skip "prove sees what failed" "no prove"
fi
check "the trace is what Chrome's format says" python3 $expect trace "$TMP/trace.json"
check_exit "a gap is chosen by number" 0 'perfetto' "$VCPULAT" report $results/stock-guest.json --perfetto "$TMP/gap.json" \
	--gap 3
check "it is that gap" python3 $expect trace "$TMP/gap.json" 3
check_exit "a gap that is not there" 1 'no result has such a gap' "$VCPULAT" report $results/stock-guest.json \
	--perfetto "$TMP/none.json" --gap 999
check "leaves no file" test ! -e "$TMP/none.json"
check_exit "a gap that is no number" 1 "not the number of a gap" "$VCPULAT" report $results/stock-guest.json \
	--perfetto "$TMP/none.json" --gap x3
if python3 -c 'import jsonschema' 2>/dev/null; then
	check "results follow the published schema" python3 $expect schema reports/schema/result.schema.json $results/*.json \
		tests/data/*.result.json "$TMP/faults-950.json" "$TMP/figures48.json"
	check "the comparison follows the published schema" python3 $expect schema reports/schema/comparison.schema.json \
		"$TMP/comparison.json" "$TMP/effect.json" "$TMP/aa.json" "$TMP/faults.json" \
		"$TMP/figures.json"
else
	skip "results follow the published schema" "no python3-jsonschema"
	skip "the comparison follows the published schema" "no python3-jsonschema"
fi

check "the page needs no network" sh -c "! grep -qE '(src|href)=\"?https?:|url\\(http|@import' '$TMP/page.html'"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [ -n "$browser" ]; then
	sed 's|</body>||; s|</html>||' "$TMP/page.html" >"$TMP/driven.html"
	{ echo '<script>'; cat tests/data/report/page.js; echo '</script></body></html>'; } >>"$TMP/driven.html"
	TAP_SECONDS=60 check_exit "the page answers keys, wheel and clicks" 0 '<title>PAGE OK' \
		"$browser" --headless=new --no-sandbox --disable-gpu --user-data-dir="$TMP/profile" --window-size=1280,1000 \
		--enable-logging=stderr --virtual-time-budget=20000 --dump-dom "file://$TMP/driven.html"
	check "nothing on the browser's console" sh -c "! grep CONSOLE '$OUTPUT'"
	check_exit "the page says what tracing changes" 0 'no effect shown; boots not covered' \
		"$browser" --headless=new --no-sandbox --disable-gpu --user-data-dir="$TMP/profile" --dump-dom \
		"file://$TMP/effect.html"
	"$VCPULAT" report "$TMP/faults.json" --html "$TMP/faults.html" >/dev/null
	check_exit "the page has the table of page faults" 0 'faults/s, emulated.*>-5\.00%<' \
		"$browser" --headless=new --no-sandbox --disable-gpu --user-data-dir="$TMP/profile" --dump-dom \
		"file://$TMP/faults.html"
	"$VCPULAT" report "$TMP/figures.json" --html "$TMP/figures.html" >/dev/null
	check_exit "the page has figures of a stimulus" 0 '>held back<.*>48 / 48 / 48<.*>-7 / -7 / -7<' \
		"$browser" --headless=new --no-sandbox --disable-gpu --user-data-dir="$TMP/profile" --dump-dom \
		"file://$TMP/figures.html"
else
	skip "the page has the table of page faults" "no chromium"
	skip "the page has figures of a stimulus" "no chromium"
	skip "the page says what tracing changes" "no chromium"
	skip "the page answers keys, wheel and clicks" "no chromium"
	skip "nothing on the browser's console" "no chromium"
fi
plan
