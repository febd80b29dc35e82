# SPDX-License-Identifier: GPL-2.0-or-later
# Arms (vcpulat kernel list --json) and $comparison -> lines "scenario|cause|arm|expected|native|guest|bare|agree".
# A provoked cause is to be there, unless the arm removes it, or other arms add it and this one does not.
def hits: if . == null or .runs == 0 then null else .armed | {n: .primers, hit: .hit} end;
def cell: if . == null then "-" else "\(.hit)/\(.n)" end;
def plain: sub("\\+debug$"; "");
def agrees($there): if . == null then true elif $there then .hit * 2 > .n else .hit == 0 end;

(map({key: .name, value: .}) | from_entries) as $arms |
[.[].adds[]] as $added |
["scenario|cause|arm|expected|native|guest|bare|agree"] +
[$comparison[0].rows[] | select(.provoked) | . as $row |
	(([$arms[.arm | plain].removes[]?] | index($row.cause) | not) and
		(([$added[]] | index($row.cause) | not) or ([$arms[.arm | plain].adds[]?] | index($row.cause) != null))) as $there |
	(.native | hits) as $native | (.guest | hits) as $guest | (.bare | hits) as $bare |
	"\(.scenario)|\(.cause)|\(.arm)|\(if $there then "there" else "gone" end)|\($native | cell)|\($guest | cell)|\($bare | cell)|" +
	([$native, $guest, $bare] | if all(. == null) then "-" elif all(agrees($there)) then "yes" else "no" end)] | .[]
