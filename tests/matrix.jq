# SPDX-License-Identifier: GPL-2.0-or-later
# Arms (vcpulat kernel list --json), $scenarios (vcpulat scenarios --json) and $comparison -> lines
# "scenario|cause|arm|expected|native|guest|bare|agree". A provoked cause is to be there, unless the arm removes it, or
# other arms add it and this one does not; under stress the kernel is to survive, whatever comes less often. Shams are
# to hit less often than not, where it is gone never; a stimulus that is a cause itself also acts in control windows. No
# run may have a finding that fails it, such as what a kernel's log says of a bug. Cells: armed primers hit, shams hit.
def hits: if . == null or .runs == 0 then null else {n: .armed.primers, hit: .armed.hit, sham: .control} end;
def cell: if . == null then "-" else "\(.hit)/\(.n)" + if .sham.primers > 0 then ", \(.sham.hit)/\(.sham.primers)" else "" end end;
def plain: sub("\\+debug$"; "");
def agrees($expected; $cause):
	if . == null or $expected == "survives" then true
	elif $expected == "there" then .hit * 2 > .n and (.sham.hit * 2 <= .sham.primers or ($cause | endswith("/stimulus")))
	else .hit == 0 and .n > 0 and .sham.hit == 0 end;

(map({key: .name, value: .}) | from_entries) as $arms |
[.[].adds[]] as $added |
[$scenarios[0][] | select(.groups | index("stress")).name] as $stress |
["scenario|cause|arm|expected|native|guest|bare|agree"] +
[$comparison[0].rows[] | select(.provoked) | . as $row |
	([$arms[.arm | plain].removes[]?] | index($row.cause) != null) as $removed |
	(([$added[]] | index($row.cause) != null) and ([$arms[.arm | plain].adds[]?] | index($row.cause) == null)) as $lacking |
	(if $stress | index($row.scenario) then "survives" elif $removed or $lacking then "gone" else "there" end) as $expected |
	(.native | hits) as $native | (.guest | hits) as $guest | (.bare | hits) as $bare |
	[$native, $guest, $bare] as $all | select($all | any(. != null)) |
	[$comparison[0].findings[] | select(.fails and .scenario == $row.scenario and .arm == $row.arm)] as $failed |
	"\(.scenario)|\(.cause)|\(.arm)|\($expected)|\($native | cell)|\($guest | cell)|\($bare | cell)|" +
	(if ($all | all(agrees($expected; $row.cause))) and $failed == [] then "yes" else "no" end)] | .[]
