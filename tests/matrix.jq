# SPDX-License-Identifier: GPL-2.0-or-later
# Arms (vcpulat kernel list --json) and $comparison -> lines "scenario|cause|arm|expected|native|guest|bare|agree".
# A provoked cause is to be there, unless the arm removes it, or other arms add it and this one does not; and no run may
# have a finding that fails it, such as what a kernel's log says of a bug. Cells: armed primers hit, then shams hit.
def hits: if . == null or .runs == 0 then null else {n: .armed.primers, hit: .armed.hit, sham: .control} end;
def cell: if . == null then "-" else "\(.hit)/\(.n)" + if .sham.primers > 0 then ", \(.sham.hit)/\(.sham.primers)" else "" end end;
def plain: sub("\\+debug$"; "");
def agrees($there): if . == null then true elif $there then .hit * 2 > .n else .hit == 0 and .n > 0 end;

(map({key: .name, value: .}) | from_entries) as $arms |
[.[].adds[]] as $added |
["scenario|cause|arm|expected|native|guest|bare|agree"] +
[$comparison[0].rows[] | select(.provoked) | . as $row |
	(([$arms[.arm | plain].removes[]?] | index($row.cause) | not) and
		(([$added[]] | index($row.cause) | not) or ([$arms[.arm | plain].adds[]?] | index($row.cause) != null))) as $there |
	(.native | hits) as $native | (.guest | hits) as $guest | (.bare | hits) as $bare |
	[$comparison[0].findings[] | select(.fails and .scenario == $row.scenario and .arm == $row.arm)] as $failed |
	"\(.scenario)|\(.cause)|\(.arm)|\(if $there then "there" else "gone" end)|\($native | cell)|\($guest | cell)|\($bare | cell)|" +
	([$native, $guest, $bare] |
		if all(. == null) then "-" elif all(agrees($there)) and $failed == [] then "yes" else "no" end)] | .[]
